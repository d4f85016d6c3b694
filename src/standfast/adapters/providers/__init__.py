"""Who keeps zones: any server that takes RFC 2136 updates, and the specification itself, in memory."""
