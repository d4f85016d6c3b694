"""Real servers, faults and readings for the tests."""
