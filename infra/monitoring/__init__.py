"""Prometheus in the cluster: what the load test asks for what it cost."""
