"""SIP messages: parse, build, and read what tests ask for (RFC 3261, 20 and 25)."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

HeaderValue = str | int | Iterable[str]
HeaderValues = Mapping[str, HeaderValue]

COMPACT = {
    "a": "Accept-Contact",
    "b": "Referred-By",
    "c": "Content-Type",
    "d": "Request-Disposition",
    "e": "Content-Encoding",
    "f": "From",
    "i": "Call-ID",
    "j": "Reject-Contact",
    "k": "Supported",
    "l": "Content-Length",
    "m": "Contact",
    "o": "Event",
    "r": "Refer-To",
    "s": "Subject",
    "t": "To",
    "u": "Allow-Events",
    "v": "Via",
    "x": "Session-Expires",
    "y": "Identity",
}
LISTS = {
    "allow",
    "contact",
    "diversion",
    "history-info",
    "p-asserted-identity",
    "p-preferred-identity",
    "path",
    "record-route",
    "remote-party-id",
    "require",
    "route",
    "service-route",
    "supported",
    "unsupported",
    "via",
}
REASONS = {
    100: "Trying",
    180: "Ringing",
    181: "Call Is Being Forwarded",
    182: "Queued",
    183: "Session Progress",
    200: "OK",
    202: "Accepted",
    300: "Multiple Choices",
    302: "Moved Temporarily",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    407: "Proxy Authentication Required",
    408: "Request Timeout",
    415: "Unsupported Media Type",
    422: "Session Interval Too Small",
    480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist",
    486: "Busy Here",
    487: "Request Terminated",
    488: "Not Acceptable Here",
    491: "Request Pending",
    500: "Server Internal Error",
    503: "Service Unavailable",
    600: "Busy Everywhere",
    603: "Decline",
}


class Malformed(ValueError):
    """What came is not SIP."""


class Headers:
    """Header fields in their order; names in any case, long or compact."""

    def __init__(self, fields: Iterable[tuple[str, str]] = ()):
        self.fields = list(fields)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self.fields)

    def __contains__(self, name: str) -> bool:
        return any(_key(name) == _key(known) for known, _ in self.fields)

    def __getitem__(self, name: str) -> str:
        """The first value; a header of several values in one line gives the first of them."""
        return self.all(name)[0]

    def get(self, name: str, default: str = "") -> str:
        return next(iter(self.all(name)), default)

    def all(self, name: str) -> list[str]:
        """Every value, from repeated lines and from comma-separated ones."""
        lines = [value for known, value in self.fields if _key(known) == _key(name)]
        if _key(name) not in LISTS:
            return lines
        return [value for line in lines for value in _split(line)]

    def set(self, name: str, value: HeaderValue) -> None:
        """Put the value, or each of several, in place of those that stood under this name."""
        self.remove(name)
        self.add(name, value)

    def add(self, name: str, value: HeaderValue) -> None:
        values = [str(value)] if isinstance(value, str | int) else list(value)
        self.fields += [(name, each) for each in values]

    def remove(self, name: str) -> None:
        self.fields = [(known, value) for known, value in self.fields if _key(known) != _key(name)]

    def copy(self) -> "Headers":
        return Headers(self.fields)


def _key(name: str) -> str:
    lower = name.lower()
    return COMPACT.get(lower, lower).lower()


def _split(line: str) -> list[str]:
    """Split at the commas that stand neither in quotes nor in angle brackets."""
    parts = re.findall(r'(?:"(?:\\.|[^"\\])*"|<[^>]*>|[^,])+', line)
    return [part.strip() for part in parts if part.strip()]


@dataclass(frozen=True)
class Uri:
    """A `sip:` or `sips:` URI."""

    user: str
    host: str
    port: int | None = None
    params: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    scheme: str = "sip"

    @classmethod
    def parse(cls, text: str) -> "Uri":
        found = re.fullmatch(
            r"(?P<scheme>\w+):(?:(?P<user>[^@]*)@)?(?P<host>\[[^\]]*\]|[^:;?]*)(?::(?P<port>\d+))?"
            r"(?P<params>;[^?]*)?(?:\?(?P<headers>.*))?",
            text.strip(),
        )
        if not found:
            raise Malformed(f"no URI: {text!r}")
        return cls(
            user=found["user"] or "",
            host=found["host"].strip("[]"),
            port=int(found["port"]) if found["port"] else None,
            params=_parameters(found["params"] or "", ";"),
            headers=_parameters(found["headers"] or "", "&"),
            scheme=found["scheme"].lower(),
        )


def host_port(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _parameters(text: str, separator: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in text.split(separator) if part.strip())
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


@dataclass(frozen=True)
class Address:
    """A value of From, To, Contact and their like: `"Name" <uri>;params`."""

    display: str
    uri: str
    params: dict[str, str]

    @classmethod
    def parse(cls, text: str) -> "Address":
        found = re.fullmatch(r'\s*("(?:\\.|[^"\\])*"|[^<"]*?)\s*<([^>]*)>(.*)', text, re.DOTALL)
        if found:
            quoted = found[1].startswith('"')
            display = re.sub(r"\\(.)", r"\1", found[1][1:-1]) if quoted else found[1]
            return cls(display, found[2], _parameters(found[3], ";"))
        uri, _, params = text.strip().partition(";")  # without <> all parameters are the header's
        return cls("", uri, _parameters(params, ";"))

    @property
    def user(self) -> str:
        return Uri.parse(self.uri).user

    @property
    def tag(self) -> str:
        return self.params.get("tag", "")


def address(uri: str, display: str | None = None, tag: str = "") -> str:
    """Build what `Address.parse` reads."""
    quoted = re.sub(r'(["\\])', r"\\\1", display) if display else ""
    return (f'"{quoted}" ' if display else "") + f"<{uri}>" + (f";tag={tag}" if tag else "")


@dataclass(eq=False)
class Message:
    """A request (it has a `uri`) or a response (it has a `status`)."""

    headers: Headers
    body: str = ""
    verb: str = ""
    uri: str = ""
    status: int = 0
    reason: str = ""
    peer: tuple[str, int] = ("", 0)
    "Where it came from, or where it was sent."
    at: float = 0.0
    "When, by time.monotonic()."
    duplicate: bool = False
    "It is a retransmission of what was received before."

    @classmethod
    def request(cls, method: str, uri: str, headers: Iterable[tuple[str, str]], body: str = "") -> "Message":
        return cls(Headers(headers), body, verb=method, uri=uri)

    @classmethod
    def response(cls, status: int, headers: Iterable[tuple[str, str]], body: str = "") -> "Message":
        return cls(Headers(headers), body, status=status, reason=REASONS.get(status, "Because"))

    @classmethod
    def parse(cls, data: bytes) -> "Message":
        head, _, body = data.decode(errors="surrogateescape").partition("\r\n\r\n")
        first, *lines = re.sub(r"\r\n[ \t]+", " ", head).split("\r\n")
        message = cls(Headers(map(_field, lines)), body)
        start = first.split(" ", 2)
        if len(start) != 3:
            raise Malformed(f"no start line: {first!r}")
        if start[0] == "SIP/2.0":
            message.status, message.reason = int(start[1]), start[2]
        elif start[2] == "SIP/2.0":
            message.verb, message.uri = start[:2]
        else:
            raise Malformed(f"no start line: {first!r}")
        missing = [name for name in ("Via", "From", "To", "Call-ID", "CSeq") if name not in message.headers]
        if missing:
            raise Malformed(f"{first!r} lacks {missing}")
        return message

    def encode(self) -> bytes:
        """The bytes on the wire; Content-Length is counted here."""
        body = self.body.encode(errors="surrogateescape")
        headers = self.headers.copy()
        headers.set("Content-Length", len(body))
        lines = [self.start_line, *(f"{name}: {value}" for name, value in headers)]
        return "\r\n".join(lines).encode(errors="surrogateescape") + b"\r\n\r\n" + body

    def __str__(self) -> str:
        return self.encode().decode(errors="replace").replace("\r\n", "\n").strip()

    @property
    def start_line(self) -> str:
        return f"SIP/2.0 {self.status} {self.reason}" if self.status else f"{self.verb} {self.uri} SIP/2.0"

    @property
    def is_request(self) -> bool:
        return not self.status

    @property
    def method(self) -> str:
        """A request's own; for a response the one it answers."""
        return self.verb or self.headers["CSeq"].split()[1]

    @property
    def cseq(self) -> int:
        return int(self.headers["CSeq"].split()[0])

    @property
    def call_id(self) -> str:
        return self.headers["Call-ID"]

    @property
    def branch(self) -> str:
        return _parameters(self.headers["Via"], ";").get("branch", "")

    def address(self, header: str) -> Address:
        return Address.parse(self.headers[header])

    def uri_user(self, header: str | None = None) -> str:
        """The user part of a header's URI, or of the request's own."""
        return self.address(header).user if header else Uri.parse(self.uri).user

    def display(self, header: str = "From") -> str:
        return self.address(header).display

    def tag(self, header: str) -> str:
        return self.address(header).tag

    @property
    def asserted_identity(self) -> Address | None:
        name = "P-Asserted-Identity"
        return self.address(name) if name in self.headers else None

    @property
    def summary(self) -> str:
        """One line for people: what it is and to what it belongs."""
        what = self.start_line if self.is_request else f"{self.status} {self.reason} ({self.method})"
        again = ", again" if self.duplicate else ""
        return f"{what} [{self.headers['CSeq']}, {self.call_id}{again}]"


def _field(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon:
        raise Malformed(f"no header: {line!r}")
    return COMPACT.get(name.strip().lower(), name.strip()), value.strip()


Match = Callable[[Message], object]


def request(method: str) -> Match:
    """Matches a request of this method."""
    return lambda message: message.is_request and message.method == method


def response(status: int, method: str = "INVITE") -> Match:
    """Matches a response of this status to this method."""
    return lambda message: message.status == status and message.method == method
