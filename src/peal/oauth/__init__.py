"""Applications and tokens."""
