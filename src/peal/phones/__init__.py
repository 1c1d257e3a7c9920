"""What a phone extension can be told."""
