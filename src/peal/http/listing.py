"""Query parameters of listings."""

from peal.errors import bad_field
from peal.http.principal import ApiRequest
from peal.kit.paging import Page

MAX_PER_PAGE = 1000
MAX_PAGE = 10**12
MAX_VALUES = 1000


def page_of(page: str, per_page: str, order: str) -> Page:
    """Return the page that the query asks for; an empty value means absent.

    Raises:
        BadRequest: naming the parameter and its bounds.
    """
    if order not in ("", "asc", "desc"):
        raise bad_field("order", "must be asc or desc")
    return Page(
        _bounded("page", page or "1", MAX_PAGE),
        _bounded("per_page", per_page or "50", MAX_PER_PAGE),
        order != "asc",
    )


def whole_number(name: str, text: str) -> int | None:
    """Return the number in a filter; None: absent."""
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise bad_field(name, "must be a number")
    return int(text)


def several(request: ApiRequest, name: str) -> list[str]:
    """Return the values of an array filter: `name=1&name=2`, `name[]=1`, `name[0]=1`; empty ones are absent.

    Raises:
        BadRequest: more than a database query can hold.
    """
    found = [
        value for key, value in request.query_params.multi_items() if value and key.partition("[")[0] == name
    ]
    if len(found) > MAX_VALUES:
        raise bad_field(name, f"at most {MAX_VALUES} values")
    return found


def flag(name: str, text: str) -> bool:
    """Return a yes or no; absent: no."""
    if text.lower() not in ("", "0", "1", "false", "true"):
        raise bad_field(name, "must be true or false")
    return text.lower() in ("1", "true")


def _bounded(name: str, text: str, most: int) -> int:
    value = whole_number(name, text)
    if value is None or not 1 <= value <= most:
        raise bad_field(name, f"must be from 1 to {most}")
    return value
