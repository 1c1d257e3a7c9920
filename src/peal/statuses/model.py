"""Call properties: kinds of calls that a phone takes part in; several in a status are their union."""

from dataclasses import dataclass
from typing import Literal

Mnemo = Literal["all", "li", "lo", "ri", "ro", "qli", "qri", "cq"]


@dataclass(frozen=True)
class CallProperty:
    """A kind of calls."""

    mnemo: Mnemo
    name: str
    description: str


CALL_PROPERTIES = (
    CallProperty("all", "All calls", "Every call, in and out"),
    CallProperty("li", "Internal in", "Incoming calls from extensions of the same client"),
    CallProperty("lo", "Internal out", "Outgoing calls to extensions of the same client"),
    CallProperty("ri", "External in", "Incoming calls from outside"),
    CallProperty("ro", "External out", "Outgoing calls to the outside"),
    CallProperty("qli", "Internal in, queue", "Incoming calls of a queue from extensions of the same client"),
    CallProperty("qri", "External in, queue", "Incoming calls of a queue from outside"),
    CallProperty("cq", "Callback only", "Calls that a callback request makes"),
)
