"""The page to look at when something is wrong: one look, shared by all who watch; nothing is changed from here."""
