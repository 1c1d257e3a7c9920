"""Subscriptions, and what their subscribers are told."""
