"""`/client/{client_id}/dial_rule/`."""

from collections.abc import Sequence
from typing import Any

import msgspec
from litestar import delete, get, post, put
from litestar.params import FromPath, FromQuery, JSONBody

from peal.catalogue.service import Kind
from peal.dialrules import model
from peal.dialrules.schemas import DialRule, DialRules, DialRulesChange, DialRulesCreate
from peal.dialrules.tables import dial_rule
from peal.errors import FieldError, bad_field, bad_fields
from peal.http import things
from peal.http.listing import page_of
from peal.http.principal import ApiRequest
from peal.http.shape import shape

LIST = "/client/{client_id:str}/dial_rule"
ONE = LIST + "/{dial_rule_id:str}"
DIAL_RULES = Kind(dial_rule, heavy=frozenset({"posix_rules"}))


@get(LIST, tags=["dial_rule"], summary="Dial rule lists of a client")
async def list_dial_rules(
    request: ApiRequest,
    client_id: FromPath[str],
    page: FromQuery[str] = "",
    per_page: FromQuery[str] = "",
    order: FromQuery[str] = "",
) -> list[DialRules]:
    """Newest first, unless `order` is `asc`."""
    rows = await things.page(request, DIAL_RULES, client_id, page_of(page, per_page, order))
    return [shape(row, DialRules) for row in rows]


@post(LIST, tags=["dial_rule"], summary="Make a dial rule list")
async def create_dial_rules(
    request: ApiRequest, client_id: FromPath[str], data: JSONBody[DialRulesCreate]
) -> DialRules:
    r"""`match_exp`: PCRE without look-around and back-references; `repl_exp` may say `\1`."""
    return shape(await things.create(request, DIAL_RULES, client_id, _values(data.dial_rules)), DialRules)


@get(ONE, tags=["dial_rule"], summary="One dial rule list")
async def get_dial_rules(
    request: ApiRequest, client_id: FromPath[str], dial_rule_id: FromPath[str]
) -> DialRules:
    """As it was sent."""
    return shape(await things.one(request, DIAL_RULES, client_id, dial_rule_id), DialRules)


@put(ONE, tags=["dial_rule"], summary="Change a dial rule list")
async def change_dial_rules(
    request: ApiRequest,
    client_id: FromPath[str],
    dial_rule_id: FromPath[str],
    data: JSONBody[DialRulesChange],
) -> DialRules:
    """The list sent takes the place of the one before."""
    values = {} if isinstance(data.dial_rules, msgspec.UnsetType) else _values(data.dial_rules)
    return shape(await things.change(request, DIAL_RULES, client_id, dial_rule_id, values), DialRules)


@delete(ONE, tags=["dial_rule"], summary="Delete a dial rule list")
async def delete_dial_rules(
    request: ApiRequest, client_id: FromPath[str], dial_rule_id: FromPath[str]
) -> None:
    """400 `still_used` while an extension or the client names it."""
    await things.delete(request, DIAL_RULES, client_id, dial_rule_id)


def _values(rules: Sequence[DialRule]) -> dict[str, Any]:
    translated, errors = [], []
    for number, rule in enumerate(rules):
        try:
            translated.append(model.translate(rule.match_exp, rule.repl_exp))
        except model.RuleError as error:
            errors.append(FieldError(f"dial_rules[{number}]", str(error)))
    if errors:
        raise bad_fields(errors)
    try:
        model.check_list(translated)
    except model.RuleError as error:
        raise bad_field("dial_rules", str(error)) from error
    posix_rules = "/".join(rule.text for rule in translated)
    return {"dial_rules": msgspec.to_builtins(rules), "posix_rules": posix_rules}


ROUTES = [list_dial_rules, create_dial_rules, get_dial_rules, change_dial_rules, delete_dial_rules]
