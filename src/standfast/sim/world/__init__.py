"""Standfast itself as a system of components: the production cores over the executable port specifications."""
