"""What goes wrong on purpose while the load goes on, and what clients saw of it."""
