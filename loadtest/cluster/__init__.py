"""Reading the cluster through kubectl: states, events, logs and port-forwards."""
