"""Benchmarks: side by side in one run, for figures of different hours do not compare on shared machines."""
