"""What makes the documents and packages that are generated: run by `make`, imported by tests, not installed."""
