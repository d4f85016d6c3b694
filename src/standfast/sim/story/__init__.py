"""What a run or a counterexample was, for people."""
