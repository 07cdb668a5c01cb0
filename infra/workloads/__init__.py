"""The services under test and the one Ingress that routes to them."""
