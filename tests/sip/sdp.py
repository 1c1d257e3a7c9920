"""Session descriptions: enough for phones that send no media (RFC 4566, 3264)."""

import re

ANSWERS = {"sendonly": "recvonly", "recvonly": "sendonly", "inactive": "inactive", "sendrecv": "sendrecv"}


def describe(
    host: str,
    port: int,
    origin: str,
    version: int = 1,
    direction: str = "sendrecv",
    extra: tuple[str, ...] = (),
) -> str:
    """One audio stream; `origin` is the user in `o=`, `extra` are more lines."""
    net = "IN IP6" if ":" in host else "IN IP4"
    lines = [
        "v=0",
        f"o={origin} 1 {version} {net} {host}",
        f"s={origin}",
        f"c={net} {host}",
        "t=0 0",
        f"m=audio {port} RTP/AVP 8 0",
        "a=rtpmap:8 PCMA/8000",
        "a=rtpmap:0 PCMU/8000",
        f"a={direction}",
        *extra,
    ]
    return "".join(f"{line}\r\n" for line in lines)


def direction(sdp: str) -> str:
    found = re.search(r"(?m)^a=(sendrecv|sendonly|recvonly|inactive)\s*$", sdp)
    return found[1] if found else "sendrecv"


def answer_to(offer: str) -> str:
    """The direction that answers an offer's."""
    return ANSWERS[direction(offer)]
