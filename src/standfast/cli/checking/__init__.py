"""What `standfast check` looks at, part by part. Everything here reads; nothing writes."""
