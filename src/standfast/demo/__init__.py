"""The main job running on this machine, for people to watch: real processes, real DNS, real faults."""
