"""Tests of loadtest.cluster."""
