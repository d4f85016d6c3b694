"""Our times beside those of real peers, in the same run, on the same server: `python -m bench --help`."""
