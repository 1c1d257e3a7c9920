"""SIP passwords, pure: what is kept of them (RFC 8760)."""

import hashlib
import secrets
import string

GENERATE = "generate"
_LETTERS = string.ascii_letters + string.digits


def new_password() -> str:
    """Return a fresh password: 20 letters and digits, some 119 bits."""
    return "".join(secrets.choice(_LETTERS) for _ in range(20))


def ha1(name: str, domain: str, password: str) -> dict[str, str]:
    """Return `ha1_md5` and `ha1_sha256` (hex) of SIP user `name` (`0003*100`) in realm `domain`."""
    text = f"{name}:{domain}:{password}".encode()
    return {
        "ha1_md5": hashlib.md5(text, usedforsecurity=False).hexdigest(),
        "ha1_sha256": hashlib.sha256(text).hexdigest(),
    }
