"""What each field of an extension means, and whether it acts in this version: ONE table, true."""

from peal.kit.marks import acts, stored

FIELDS = {
    "id": acts("id"),
    "name": acts("number, in full (`0003*100`) in answers; on create the prefix may be left out"),
    "type": acts("what it is; only a `phone` has phone parameters and may be in a bundle"),
    "status": acts("a `blocked` one's phones can neither register nor call"),
    "label": acts("display name"),
    "client_id": acts("id of the client it belongs to"),
    "domain": acts("SIP domain, the client's"),
    "create_date": stored("moment it was made, UTC"),
    "extension_group_id": stored("group it belongs to; there are no groups yet: null"),
    "caller_id_name": acts("caller's name of its calls"),
    "dial_rule_id": acts("dial rules of its calls to the outside; the client's follow"),
    "dial_rule_limit": acts("how many rules of the list apply; null: all"),
    "did_as_transfer_caller_id": stored("whose number a transferred call shows"),
    "ani_rfc3325": stored("whether a forwarded call tells the original number in P-Asserted-Identity"),
    "message_did": stored("number of its messages"),
    "extra_params": stored("free text of yours"),
    "ani": acts("number that its calls to the outside show (`/ani/`); of a bundle the main one's counts"),
}
