"""The DNS automation of October 2025 as it was built, from its published description."""
