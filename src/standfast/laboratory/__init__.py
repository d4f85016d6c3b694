"""Tools that inject faults into real traffic, and a stand-in for Route 53: for the demo and the tests."""
