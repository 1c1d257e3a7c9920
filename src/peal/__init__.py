"""Peal: one employee, one number, every phone."""

__version__ = "0.1.0"
