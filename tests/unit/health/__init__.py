"""Tests of loadtest.health."""
