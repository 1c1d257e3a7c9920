"""Sounds made by hand: a second of silence, small."""

import struct


def wav(seconds=1, form=1, chunks=b""):
    """WAV, mono, 8 kHz, 8 bits; `form` 6: A-law; `chunks` before the samples."""
    samples = b"\x80" * (8000 * seconds)
    body = b"fmt " + struct.pack("<IHHIIHH", 16, form, 1, 8000, 8000, 1, 8)
    body += chunks + b"data" + struct.pack("<I", len(samples)) + samples
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WAVE" + body


def frame(head, length):
    return bytes.fromhex(head).ljust(length, b"\0")


MPEG_1 = frame("fffb9000", 417)
"""128 kbit/s, 44.1 kHz."""
TAG = b"ID3\x04\0\0\0\0\x01\x02" + b"\0" * 130
"""130 bytes long."""

WAV = wav()
MP3 = TAG + MPEG_1 * 20
