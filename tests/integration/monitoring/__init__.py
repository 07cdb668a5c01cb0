"""Tests of loadtest.monitoring."""
