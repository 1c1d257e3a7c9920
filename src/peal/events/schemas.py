"""What the API shows and takes of subscriptions."""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from peal.events.notice import EventType
from peal.events.repository import Row
from peal.http.shape import shape
from peal.kit import dates

AnyEvent = Literal[EventType, "extension-call-status"]
Method = Literal["GET", "POST"]
Url = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=2000,
        pattern=r"^https?://[!-~]+(?!\n)$",
        description="Where events are sent; a public address, unless the service allows others",
        examples=["https://crm.example/events"],
    ),
]
State = Literal["waiting", "delivered", "parked"]


class SubscriptionCreate(Struct):
    """A new subscription to events of an extension."""

    url: Url
    event_type: EventType
    method: Method


class SubscriptionChange(Struct):
    """Fields of it that a PUT may carry."""

    url: Url | UnsetType = UNSET
    event_type: EventType | UnsetType = UNSET
    method: Method | UnsetType = UNSET


class ClientSubscriptionCreate(Struct):
    """A new subscription to events of all of a client's phones."""

    url: Url
    event_type: AnyEvent
    method: Method


class ClientSubscriptionChange(Struct):
    """Fields of it that a PUT may carry."""

    url: Url | UnsetType = UNSET
    event_type: AnyEvent | UnsetType = UNSET
    method: Method | UnsetType = UNSET


class Subscription(Struct):
    """A subscription; `disabled`: the subscriber has answered 410, a PUT begins it anew."""

    id: int
    url: str
    event_type: AnyEvent
    method: Method
    status: Literal["active", "disabled"]


class NewSubscription(Subscription):
    """A subscription just made: the only time that `secret` is shown."""

    secret: str


class Secret(Struct):
    """A new secret, shown this once; until `old_secret_until` the old one signs, too."""

    secret: str
    old_secret_until: str


class Try(Struct):
    """A request that was made: what was answered, or why nothing was."""

    at: str
    milliseconds: int
    status: int | None
    error: str | None


class Delivery(Struct):
    """An event on its way to a subscription; `parked`: given up after a day, a replay tries again."""

    id: int
    event_type: AnyEvent
    state: State
    told_at: str
    due_at: str
    done_at: str | None
    parameters: dict[str, str]
    tries: list[Try]


class Replayed(Struct):
    """How many are tried again."""

    replayed: int


def show(row: Row) -> Subscription:
    """Return a subscription as the API shows it."""
    return shape(row, Subscription)


def show_secret(row: Row) -> Secret:
    """Return a new secret as the API shows it."""
    return Secret(row["secret"], dates.text(row["old_secret_until"]))


def show_delivery(row: Row) -> Delivery:
    """Return a delivery as the API shows it."""
    times: dict[str, Any] = {name: dates.text(row[name]) for name in ("told_at", "due_at")}
    times["done_at"] = row["done_at"] and dates.text(row["done_at"])
    tries = [shape({**each, "at": dates.text(each["at"])}, Try) for each in row["tries"]]
    return shape({**row, **times, "tries": tries}, Delivery)
