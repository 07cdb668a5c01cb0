"""Load engines: each sends a plan's load and hands over one sample per request."""
