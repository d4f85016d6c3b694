"""Plan stores: the specification in memory, SQLite, and an enactor's own copy on its own disk."""
