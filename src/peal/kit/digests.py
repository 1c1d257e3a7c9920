"""What is kept of random secrets."""

import hashlib


def digest(secret: str) -> str:
    """Return the SHA-256 of `secret`, hex; right for secrets from a CSPRNG, not for passwords of people."""
    return hashlib.sha256(secret.encode()).hexdigest()
