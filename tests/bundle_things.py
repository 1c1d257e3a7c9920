"""What synchronised fields name: dial rules, call statuses, sounds of a client."""

from parts import transact
from sqlalchemy import insert

from peal.sounds.tables import sound


def make_things(server, tenant):
    """Make two of each; return the ids that each field may name."""
    rules = [
        _made(tenant, "dial_rule", {"dial_rules": [{"match_exp": "^1$", "repl_exp": "2"}]}) for _ in "12"
    ]
    statuses = [
        _made(tenant, "extension/call_status", {"name": n, "property_list": ["li"]})
        for n in ("Lunch", "Away")
    ]
    sounds = _sounds(server.database, tenant.id)
    places = (
        "ringback_sound",
        "hold_music",
        *(f"announce_sound_upon_{w}_call" for w in ("outgoing", "incoming")),
    )
    return {"dial_rule_id": rules, "call_status_id": statuses, **dict.fromkeys(places, sounds)}


def _made(tenant, kind, body):
    answer = tenant.api.post(f"/client/@me/{kind}/", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def _sounds(database, client_id):
    row = {"client_id": client_id, "title": "t", "filename": "t.wav", "format": "wav", "content": b""}

    async def make(work):
        return [
            (await work.execute(insert(sound).values(**row).returning(sound.c.id))).scalar_one() for _ in "12"
        ]

    return transact(database, make)
