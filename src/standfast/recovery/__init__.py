"""How things come back: pure automata to which `now` is an argument."""
