"""A region in virtual time, with faults drawn by swarms."""
