"""A stand-in for Amazon Route 53: its API, its rules, its health checks and its DNS servers, on loopback.

`docs/route53-standin.md` lists what it does, from which AWS document each rule is taken, and the switches for what
the documents leave open. It is run as `python -m standfast.laboratory.route53`.
"""
