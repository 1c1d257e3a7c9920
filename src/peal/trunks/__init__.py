"""Trunks: lines to the outside."""
