"""Named edits of production files that the properties must notice."""
