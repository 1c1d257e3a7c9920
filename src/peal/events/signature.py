"""Signatures as Standard Webhooks has them (www.standardwebhooks.com), version 1: HMAC-SHA256."""

import base64
import hashlib
import hmac
import secrets as randomness
from collections.abc import Iterable

PREFIX = "whsec_"


def new_secret() -> str:
    """Return a fresh secret: 24 random bytes, as text."""
    return PREFIX + base64.b64encode(randomness.token_bytes(24)).decode()


def headers(message_id: str, timestamp: int, payload: bytes, secrets: Iterable[str]) -> dict[str, str]:
    """Return the headers of a message; each secret signs. `timestamp`: seconds since the epoch."""
    signed = f"{message_id}.{timestamp}.".encode() + payload
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{_sign(secret, signed)}" for secret in secrets),
    }


def _sign(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    return base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
