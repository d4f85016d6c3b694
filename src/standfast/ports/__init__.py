"""What may be asked of the world: requests, their replies, and the executable specification of both.

Each request is one act that is atomic on a store or a provider (`Read` is one such act per key). A reply may
always be Unknown: a time-out, a lost answer, a failure whose effect nobody can tell. The specification in
`store_spec` and `provider_spec` is a pure `apply(state, request) -> (state, reply)`; simulation runs it, and the
conformance kits hold every adapter to it.
"""
