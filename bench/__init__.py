"""Benchmarks: side by side in one run, because figures of different hours do not compare on shared machines."""
