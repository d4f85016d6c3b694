"""The registry: load balancers hold leases of it. It grants and renews over HTTP, and keeps them in the plan store."""
