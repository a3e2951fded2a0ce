"""Measures a running demo from outside, as its users feel it."""
