"""The recovery automata explored: leases, admission and retry budgets, in every order, where their state is finite."""
