"""The synchronised fields: ONE table of them (contract, "Synchronised parameters").

Their columns stand in the table `bundle`, one row for all members, so that members can't differ.
"""

from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Boolean, Column, Integer, String, Text

from peal.db.metadata import Id


@dataclass(frozen=True)
class Synchronised:
    """A field, the resource that shows it, its column type and its default."""

    name: str
    resource: Literal["extension", "phone"]
    type: Any
    default: Any = None

    def column(self) -> Column[Any]:
        """Return the column in the table `bundle`."""
        return Column(self.name, self.type, nullable=self.default is None)


SYNCHRONISED = (
    Synchronised("status", "extension", String(16), "blocked"),
    Synchronised("dial_rule_id", "extension", Id),
    Synchronised("dial_rule_limit", "extension", Integer),
    Synchronised("record_transfer", "phone", Boolean, False),
    Synchronised("ringback_sound", "phone", Id),
    Synchronised("geo_list", "phone", Text),
    Synchronised("record_enabled", "phone", Boolean, False),
    Synchronised("hold_music", "phone", Id),
    Synchronised("announce_sound_upon_outgoing_call", "phone", Id),
    Synchronised("announce_sound_upon_incoming_call", "phone", Id),
    Synchronised("conference_pin", "phone", Text),
    Synchronised("conference_announce_caller_name", "phone", Boolean, True),
    Synchronised("conference_end_on_exit", "phone", Boolean, True),
    Synchronised("record_format", "phone", String(8), "mp3"),
    Synchronised("record_stereo", "phone", Boolean, False),
    Synchronised("incoming_limit", "phone", Integer),
    Synchronised("call_status_id", "phone", Id),
)

NAMES = frozenset(field.name for field in SYNCHRONISED)
DEFAULTS = {field.name: field.default for field in SYNCHRONISED}
