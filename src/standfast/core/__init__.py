"""The verbs, without I/O: plan, publish, enact, clean; and the guard that judges what they are about to do.

Each is a step machine whose phases are frozen values. A phase has one `request`, which is one atomic act on a store
or a provider, and `heard(reply)` gives the next phase; time-outs and unknown effects are replies. The type of what a
machine may ask is its authority. Time is an argument, so the very objects that run in production can be simulated
and searched.
"""
