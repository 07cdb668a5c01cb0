"""What the cluster used during the load window, asked of Prometheus."""
