"""The proof: production code under an invented world, and what was found there."""
