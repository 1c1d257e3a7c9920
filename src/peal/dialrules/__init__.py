"""Rules that rewrite or refuse a dialled number."""
