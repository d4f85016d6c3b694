"""The parts of `standfast verify`: searching with progress, and telling what was found."""
