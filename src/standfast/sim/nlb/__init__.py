"""The published behaviour of the health checks of October 2025, with each of our protections as a switch."""
