"""From samples to figures: pure functions, no clock, no network."""
