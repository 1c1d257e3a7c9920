"""Which calls a listing is of."""

from datetime import datetime

import msgspec

from peal.errors import bad_field
from peal.http import realms
from peal.http.listing import page_of, several
from peal.http.principal import ApiRequest
from peal.kit import dates
from peal.kit.paging import Page


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """What a request asks for."""

    start: datetime
    end: datetime
    page: Page
    flow: str = ""
    extension_ids: tuple[int, ...] = ()
    from_username: str = ""
    to_username: str = ""


def filters_of(request: ApiRequest) -> Filters:
    """Return the filters in a query.

    Raises:
        BadRequest: naming the parameter that is missing or wrong.
    """
    query = request.query_params
    start, end = (_time(name, query.get(name, "")) for name in ("start_datetime", "end_datetime"))
    flow = query.get("flow", "")
    if flow not in ("", "in", "out"):
        raise bad_field("flow", "must be in or out")
    not_an_id = bad_field("extension_id", "must be an id")
    return Filters(
        start=start,
        end=end,
        page=page_of(*(query.get(name, "") for name in ("page", "per_page", "order"))),
        flow=flow,
        extension_ids=tuple(realms.number(text, not_an_id) for text in several(request, "extension_id")),
        from_username=query.get("from_username", ""),
        to_username=query.get("to_username", ""),
    )


def _time(name: str, text: str) -> datetime:
    try:
        return dates.parse(text)
    except ValueError as error:
        raise bad_field(name, "must be a date and time, like 2021-01-31 16:29:38") from error
