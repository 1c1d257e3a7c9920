"""Which calls a phone takes part in."""
