"""Sounds of a client."""
