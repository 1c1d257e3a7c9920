"""The heart: extensions of one employee, tied together."""
