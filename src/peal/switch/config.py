"""Kamailio's configuration: the files in `config/` with the settings put in."""

import hashlib
import os
import re
import secrets
import subprocess
import sysconfig
import tempfile
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

from peal.db import url as database_url
from peal.kit import targets
from peal.kit.files import NOBODY_ELSE, make_folder
from peal.settings import Settings
from peal.switch import certificate, memory

PROGRAM = "/usr/sbin/kamailio"
"""Not every user's PATH has it."""
SOURCE = Path(__file__).parent / "config"
MODULES = f"/usr/lib/{sysconfig.get_config_var('MULTIARCH')}/kamailio/modules"
FOLDER = "switch"
"""Of the switch's own files, below `PEAL_HOME`."""
KEY_FILE = "control.key"
ARGUMENTS_FILE = "arguments"
"""What the configuration cannot say but the command line must."""


class Invalid(Exception):
    """Kamailio does not take the configuration; the text is its own."""


_VALUE = (
    "cast(case c.kind"
    " when 'extension' then (select r.val from sip_route r where r.extension_id = c.extension_id)"
    " when 'did' then (select d.val from sip_did d where d.name = c.number)"
    " when 'client' then (select v.val from sip_client v where v.client_id = cast(c.number as bigint))"
    " when 'common' then (select v.val from sip_common v)"
    " when 'rules' then (select v.val from sip_rules v where v.id = cast(c.number as bigint))"
    " end as varchar)"
)
"""What the switch keeps of the thing that a row of the change log names; of a PostgreSQL text, which it takes
for bytes, it would drop the backslashes."""
METHODS = (
    "cnt.get",
    "core.ps",
    "core.shmmem",
    "core.uptime",
    "dlg.list",
    "dlg.profile_get_size",
    "dlg.stats_active",
    "tm.stats",
    "ul.lookup",
)
"""All that may be asked of the running switch; of its tables only TABLES. None of these shows a password's
hash, or stops or changes anything."""
TABLES = ("state", "live", "refer")

EVENTS_IN_MEMORY = 50_000
"""Call events that wait where the spool takes none: 20 MB, an hour of a call a second."""

_POSTGRESQL_URL = "postgres:///"
"""All of it is in the environment, see `Node`: Kamailio's own form of a URL can't hold every password."""
_LOAD_POSTGRESQL = """loadmodule "db_postgres.so"
modparam("db_postgres", "timeout", 3)    # seconds for an answer or a connection, then it connects anew
modparam("db_postgres", "retries", 1)"""

_POSTGRESQL = {
    "LOG_ORDER": (
        "On PostgreSQL a transaction may commit later than one that began after it: each poll reads all"
        " rows of transactions that were not finished at the poll before. To read one twice is harmless."
    ),
    "LOG_NOW": (
        "select at::text, case when '$var(stood)'::bigint between 0 and at then 1 else 0 end"
        " from (select pg_snapshot_xmin(pg_current_snapshot())::text::bigint as at) as log"
    ),
    "LOG_PAGE": (
        "select c.xid::text, c.seq::text, c.number, c.domain,"  # noqa: S608 - all of it ours
        f" {_VALUE},"
        " pg_snapshot_xmin(pg_current_snapshot())::text, c.kind from change_log c"
        " where (c.xid, c.seq) > ('$var(at)'::bigint, '$var(seq)'::bigint) order by c.xid, c.seq limit 500"
    ),
}
_SQLITE = {
    "LOG_ORDER": "On SQLite rows are committed in the order of their numbers: there is one writer.",
    "LOG_NOW": (
        "select cast(at as text), case when cast('$var(stood)' as integer) between 0 and at then 1 else 0 end"
        " from (select coalesce(max(seq), 0) as at from change_log)"
    ),
    "LOG_PAGE": (
        "select cast(c.seq as text), '0', c.number, c.domain,"  # noqa: S608 - all of it ours
        f" {_VALUE},"
        " (select cast(max(seq) as text) from change_log), c.kind from change_log c"
        " where c.seq > cast('$var(at)' as integer) order by c.seq limit 500"
    ),
}


_RELAY_RULES = {"always": "return;", "never": "$var(relay) = 0; return;", "needed": "# as is needed:"}


def home(settings: Settings) -> Path:
    """Return the folder of the switch's own files."""
    return Path(settings.home).resolve() / FOLDER


def make_home(settings: Settings) -> Path:
    """Return that folder, which is made, and closed to all but its owner and group: secrets lie in it."""
    folder = home(settings)
    make_folder(folder.parent)
    folder.mkdir(mode=0o750, exist_ok=True)
    if folder.stat().st_mode & NOBODY_ELSE and os.getuid() in (0, folder.stat().st_uid):
        folder.chmod(0o750)
    return folder


def write(settings: Settings) -> Path:
    """Write the configuration; return its main file.

    Raises:
        SettingsError: the certificate or its key is not what it should be.
    """
    folder = make_home(settings)
    _fill(folder, settings, _control_key(folder))
    return folder / "kamailio.cfg"


def check(settings: Settings) -> None:
    """Let Kamailio check the configuration, without a trace.

    Raises:
        Invalid: it is not taken.
        SettingsError: the certificate or its key is not what it should be.
    """
    with tempfile.TemporaryDirectory(prefix="peal-check-") as name:
        _fill(Path(name), settings, secrets.token_hex(32))
        command = [PROGRAM, "-c", "-f", "kamailio.cfg", *arguments(Path(name))]
        done = subprocess.run(command, cwd=name, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    if done.returncode != 0:
        raise Invalid(
            "\n".join(line for line in done.stderr.splitlines() if re.search("CRITICAL|ERROR", line))
        )


def arguments(folder: Path) -> list[str]:
    """Return what the command line of the configuration in `folder` must say."""
    return (folder / ARGUMENTS_FILE).read_text("utf-8").split()


def _fill(folder: Path, settings: Settings, key: str) -> None:
    values = _values(settings, key, certificate.place(settings, folder))
    for source in sorted(SOURCE.glob("*.cfg")):
        text = re.sub(r"@([A-Z_]+)@", lambda found: values[found[1]], source.read_text("utf-8"))
        _put(folder / source.name, text)
    size = memory.needed(settings)
    _put(folder / ARGUMENTS_FILE, f"-m {size.shared} -M {size.private}")


def _control_key(folder: Path) -> str:
    """Return the word that opens the control port; made once."""
    file = folder / KEY_FILE
    if not os.path.lexists(file):
        _put(file, secrets.token_hex(32))
    with os.fdopen(os.open(file, os.O_RDONLY | os.O_NOFOLLOW), encoding="utf-8") as opened:
        return opened.read()


def _put(file: Path, text: str) -> None:
    """Write a file anew, whole, for its owner's eyes. A link that stands in its place goes; its target stays.

    The folder may be that of another user than who writes, root.
    """
    new = file.with_name(f"{file.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(
        os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
    ) as opened:
        opened.write(text)
    new.replace(file)


def addresses(settings: Settings) -> list[str]:
    """Return where phones reach the switch by UDP and TCP: `host:port`, IPv6 in brackets."""
    return [_place(each, settings.sip_port) for each in settings.public_addresses]


def _place(address: IPv4Address | IPv6Address, port: int) -> str:
    return f"[{address}]:{port}" if address.version == 6 else f"{address}:{port}"


def _listen(settings: Settings) -> Iterator[str]:
    for address, public in zip(settings.sip_addresses, settings.public_addresses, strict=True):
        for transport in ("udp", "tcp", "tls"):
            port = settings.sip_tls_port if transport == "tls" else settings.sip_port
            shown = f" advertise {_place(public, port)}" if public != address else ""
            yield f"listen={transport}:{_place(address, port)}{shown}"


def _values(settings: Settings, key: str, shown: certificate.Certificate) -> dict[str, str]:
    url = database_url.parse(settings.database)
    contact = addresses(settings)[0]
    own_addresses = {*settings.sip_addresses, *settings.public_addresses}
    return {
        "LISTEN": "\n".join(_listen(settings)),
        "TLS_CERTIFICATE": shown.chain.name,
        "TLS_KEY": shown.key.name,
        "RELAY_RULE": _RELAY_RULES[settings.relay_media],
        "RELAY_PORT": str(settings.relay_port),
        "NAT_SECONDS": str(settings.nat_seconds),
        "CONTROL_PORT": str(settings.control_port),
        "CONTROL_KEY": key,
        "ASKED": _asked(),
        "WORKERS": str(settings.sip_workers),
        "MODULES": MODULES,
        "HOME": str(home(settings)),
        "SECRET": secrets.token_hex(16),
        "NOBODY": secrets.token_hex(16),
        "DATABASE": "" if url.is_sqlite else _LOAD_POSTGRESQL,
        "DATABASE_ID": database_id(settings),
        "EVENTS_IN_MEMORY": str(EVENTS_IN_MEMORY),
        "DATABASE_URL": f"sqlite:///{url.file}" if url.is_sqlite else _POSTGRESQL_URL,
        "RING_MS": str(int(settings.ring_seconds * 1000)),
        "ANSWER_MS": str(int(settings.answer_seconds * 1000)),
        "MAX_CONTACTS": str(settings.max_contacts),
        "GUESSES": str(settings.guesses),
        "BAN_SECONDS": str(settings.ban_seconds),
        "FLOOD": str(settings.flood_limit),
        "TRUNK_MS": str(int(settings.trunk_seconds * 1000)),
        "CONTACT": contact,
        "CONTACT_PATTERN": re.escape(contact),
        "SELF": _place(settings.sip_addresses[0], settings.sip_port),
        "SILENCE": _silence(settings),
        "NEVER": _networks((*targets.NEVER, *targets.CARRYING)),
        "PRIVATE": _networks(targets.PRIVATE),
        "OWN_PLACES": "|".join(re.escape(str(each)) for each in own_addresses),
        "OWN_PORTS": "|".join(map(str, sorted(_own_ports(settings)))),
        "EMERGENCY": settings.emergency_numbers.replace(",", "|"),
        **(_SQLITE if url.is_sqlite else _POSTGRESQL),
    }


def _networks(networks: Iterable[targets.Network]) -> str:
    """Return a list for `is_in_subnet`, longest prefixes first: it cuts an IPv6 address at each it tries."""
    return ",".join(map(str, sorted(networks, key=lambda network: -network.prefixlen)))


def _own_ports(settings: Settings) -> set[int]:
    """Return the ports that no media on this machine may go to: of Peal's services, and those before them.

    The RTCP of a stream has the port behind it.
    """
    served = {settings.port, settings.sip_port, settings.sip_tls_port}
    served |= {settings.control_port, settings.relay_port, *database_url.parse(settings.database).ports}
    return served | {port - 1 for port in served}


def _silence(settings: Settings) -> str:
    """Return a session description that offers and takes no media, as a string of the configuration."""
    address = settings.public_addresses[0]
    here = f"IN IP{address.version} {address}"
    lines = ["v=0", f"o=- 1 1 {here}", "s=-", f"c={here}", "t=0 0", "m=audio 9 RTP/AVP 8 0", "a=inactive", ""]
    return "\\r\\n".join(lines)


def _asked() -> str:
    """Return the alternatives of method and first parameters that a question may have, see control.cfg."""
    forms = [f'"{method}","params":[' for method in METHODS] + [
        f'"htable.get","params":["{table}",' for table in TABLES
    ]
    return "|".join(re.sub(r"[.[]", r"[\g<0>]", form).replace('"', r"\"") for form in forms)


def database_id(settings: Settings) -> str:
    """Return what tells this database from another one: positions in their logs mean different things."""
    return hashlib.sha256(str(database_url.parse(settings.database)).encode()).hexdigest()[:16]
