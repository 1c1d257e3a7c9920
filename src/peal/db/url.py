"""A database's URL, and what each reader of it is given: the API's driver, and libpq in the switch.

Nobody but this module takes a URL apart, so that the same one means the same to both.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote, urlencode

PARAMETERS = {
    "host": "PGHOST",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "dbname": "PGDATABASE",
    "passfile": "PGPASSFILE",
    "application_name": "PGAPPNAME",
    "options": "PGOPTIONS",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "sslcrl": "PGSSLCRL",
    "ssl_min_protocol_version": "PGSSLMINPROTOCOLVERSION",
    "ssl_max_protocol_version": "PGSSLMAXPROTOCOLVERSION",
    "target_session_attrs": "PGTARGETSESSIONATTRS",
}
"""libpq's parameters that both readers know, with the environment variable that says the same to libpq."""
MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")


@dataclass(frozen=True)
class DatabaseUrl:
    """One database: a SQLite file, or the parameters of a PostgreSQL connection."""

    file: Path | None
    """Of SQLite; None: it is PostgreSQL."""
    parameters: dict[str, str]
    """Of PostgreSQL, by libpq's names, unescaped."""

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a file of SQLite's."""
        return self.file is not None

    @property
    def for_driver(self) -> str:
        """The URL that asyncpg takes, whatever characters the parameters hold."""
        host = self.parameters.get("host", "")
        bracketed = {"host": f"[{host}]"} if ":" in host and "," not in host else {}  # IPv6
        return f"postgresql://?{urlencode(self.parameters | bracketed, quote_via=quote, safe='')}"

    @property
    def for_libpq(self) -> dict[str, str]:
        """The environment in which libpq, told nothing else, connects to it."""
        return {PARAMETERS[name]: value for name, value in self.parameters.items()}

    @property
    def ports(self) -> set[int]:
        """Those of PostgreSQL's servers; none of a file."""
        named = self.parameters.get("port", "5432") if self.file is None else ""
        return {int(each) for each in named.split(",") if each}

    def __str__(self) -> str:
        """Name the database: what tells it from another one, not by whom or how it is reached."""
        if self.file is not None:
            return f"sqlite:///{self.file}"
        place = [self.parameters.get(name, "") for name in ("host", "port", "dbname")]
        return "postgresql://{}:{}/{}".format(*place)


def parse(text: str) -> DatabaseUrl:
    """Read `sqlite:///FILE`, or `postgresql://USER:PASSWORD@HOST:PORT/DATABASE?PARAMETER=VALUE&...`.

    Percent signs escape, as in every URL; in a password other characters may also stand for themselves.

    Raises:
        ValueError: it is neither, or has a parameter that one of the readers does not know; the text says
            what is wrong and never holds the password.
    """
    if text.startswith("sqlite:///"):
        return DatabaseUrl(_file(text.removeprefix("sqlite:///")), {})
    found = _FORM.fullmatch(text)
    if not found:
        raise ValueError("must be sqlite:///FILE or postgresql://USER:PASSWORD@HOST:PORT/DATABASE")
    authority = {name: unquote(value) for name, value in found.groupdict("").items() if name != "query"}
    authority["host"] = authority["host"].strip("[]")
    given = {name: value for name, value in authority.items() if value}
    return DatabaseUrl(None, given | _query(found["query"] or ""))


_FORM = re.compile(
    r"postgres(?:ql)?://"
    r"(?:(?P<user>[^:/?#@]*)(?::(?P<password>[^@/?#]*|.*))?@)?"
    r"(?P<host>\[[0-9A-Fa-f:.%]*\]|[^@:/?#\[\]]*)(?::(?P<port>[0-9]+))?"
    r"(?:/(?P<dbname>[^/?#]*))?(?:\?(?P<query>.*))?"
)
"""A password that is not escaped ends at the last @ that a host and a database can follow."""


def _file(name: str) -> Path:
    if not name or name == ":memory:":
        raise ValueError("sqlite:/// must name a file: API and switch are processes of their own")
    return Path(name)


def _query(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in filter(None, text.split("&")):
        name, _, value = (unquote(each) for each in part.partition("="))
        _check(name, value)
        if name in found:
            raise ValueError(f"parameter `{name}` stands twice in its URL")
        found[name] = value
    return found


def _check(name: str, value: str) -> None:
    if name not in PARAMETERS:
        meant = " (PostgreSQL's name for it is `sslmode`)" if name == "ssl" else ""
        raise ValueError(f"unknown parameter `{name}`{meant}; there are {', '.join(PARAMETERS)}")
    if name == "sslmode" and value not in MODES:
        raise ValueError(f"sslmode must be one of {', '.join(MODES)}, not `{value}`")
    if name == "port" and not re.fullmatch("[0-9]+(,[0-9]+)*", value):
        raise ValueError("port must be a number, or one for each host, separated by commas")
