"""Tools that inject faults into real DNS traffic: for the demo and the tests."""
