"""What phones are shown over TLS: the operator's own certificate, else one that Peal makes once."""

import os
import shutil
import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

from peal.settings import Settings, SettingsError

DAYS = 3650
"""How long a certificate of our own making is good."""


@dataclass(frozen=True)
class Certificate:
    """Two files in PEM: the certificate, with its chain after it, and the private key."""

    chain: Path
    key: Path


def place(settings: Settings, folder: Path) -> Certificate:
    """Return the certificate to show, in the switch's folder, where the switch's user can read it.

    Raises:
        SettingsError: `tls_certificate` or `tls_key` can't be read, or they do not belong together.
    """
    if not settings.tls_certificate:
        return _self_signed(settings, folder)
    given = Certificate(Path(settings.tls_certificate), Path(settings.tls_key))
    _check(given)
    copy = Certificate(folder / "own.pem", folder / "own.key")
    _private(copy.key)
    shutil.copyfile(given.key, copy.key)
    shutil.copyfile(given.chain, copy.chain)
    return copy


def _check(given: Certificate) -> None:
    for name, file in (("tls_certificate", given.chain), ("tls_key", given.key)):
        try:
            file.read_bytes()
        except OSError as error:
            raise SettingsError(f"{name}: {file}: {error.strerror}") from error
    try:
        # a key with a passphrase is refused instead of asked for
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(given.chain, given.key, password="")
    except (ssl.SSLError, ValueError) as error:
        both = f"{given.chain} and {given.key}"
        raise SettingsError(f"tls_certificate, tls_key: {both} do not fit: {error}") from error


def _self_signed(settings: Settings, folder: Path) -> Certificate:
    made = Certificate(folder / "self-signed.pem", folder / "self-signed.key")
    if made.chain.exists():
        return made
    _private(made.key)
    names = ",".join(f"IP:{address}" for address in settings.public_addresses)
    command = ["openssl", "req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-days", str(DAYS), "-subj", "/CN=Peal", "-addext", f"subjectAltName={names}"]
    command += ["-keyout", str(made.key), "-out", str(made.chain)]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - no word of it comes from outside
    return made


def _private(file: Path) -> None:
    """Make sure of a file that only its owner reads before anything is in it; it keeps its owner."""
    os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600))
