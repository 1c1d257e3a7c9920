"""Networks that phones may come from."""
