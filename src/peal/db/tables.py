"""All tables, for the migrations."""

from peal.audit.tables import audit, change_log
from peal.bundles.tables import bundle
from peal.calls.tables import call, call_event, call_extension, leg
from peal.clients.tables import client
from peal.db.metadata import metadata
from peal.dialrules.tables import dial_rule
from peal.events.tables import attempt, delivery, notice, subscriber, subscription
from peal.extensions.tables import extension
from peal.networks.tables import sip_network_permission
from peal.numbers.tables import ani, did
from peal.oauth.tables import application, rate_count, token
from peal.phones.tables import phone
from peal.sounds.tables import sound
from peal.statuses.tables import call_status
from peal.trunks.tables import trunk
from peal.users.tables import user

__all__ = [
    "ani",
    "application",
    "attempt",
    "audit",
    "bundle",
    "call",
    "call_event",
    "call_extension",
    "call_status",
    "change_log",
    "client",
    "delivery",
    "dial_rule",
    "did",
    "extension",
    "leg",
    "metadata",
    "notice",
    "phone",
    "rate_count",
    "sip_network_permission",
    "sound",
    "subscriber",
    "subscription",
    "token",
    "trunk",
    "user",
]
