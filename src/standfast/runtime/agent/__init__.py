"""The agent beside a load balancer: it holds a lease for it, and says what is to be known of it."""
