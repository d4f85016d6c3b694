"""Explore every state of a system made of components."""
