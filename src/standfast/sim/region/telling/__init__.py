"""The day for people: in a terminal, as plots, as JSON, and as a view of the self-contained page."""
