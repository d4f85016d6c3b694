"""One webhook that hears what happens: from the journals, through a template, with patience, in nobody's way."""
