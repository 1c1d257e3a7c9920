"""Helpers that know no framework and no domain."""
