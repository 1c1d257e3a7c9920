"""A subscriber that keeps books of the calls that it is told of."""

import asyncio

from events.receiver import OK, Received, Receiver

TYPES = ("dial-in", "dial-out", "answer", "hangup")


class Books(Receiver):
    """Verifies and keeps what it is told: of each call its events, as they came, each once."""

    def __init__(self):
        super().__init__(self._keep)
        self._secrets: dict[tuple[str, str], str] = {}
        "By path, one for each client, and type."
        self._calls: dict[str, dict[str, dict[str, str]]] = {}
        self.changed: list[dict[str, str]] = []
        "Told again with the same id, and another text."
        self.ended = 0
        "How many calls it was told the end of."

    def subscribe(self, tenant, *kinds: str):
        """Hear a client's events of some kinds; of all, if none is named."""
        path = f"/events/{tenant.id}"
        for kind in kinds or TYPES:
            body = {"url": f"http://{self.host}:{self.port}{path}", "event_type": kind, "method": "POST"}
            made = tenant.api.post("/client/@me/phone_events/", json=body)
            assert made.status_code == 201, made.text
            self._secrets[path, kind] = made.json()["secret"]

    @property
    def calls(self) -> dict[str, list[dict[str, str]]]:
        """What was told of each call, by `CallID`."""
        return {call: [*events.values()] for call, events in self._calls.copy().items()}

    def of(self, call: str) -> list[dict[str, str]]:
        """What was told of one."""
        return [*self._calls.get(call, {}).values()]

    async def _keep(self, request: Received, writer: asyncio.StreamWriter):
        told = request.fields
        request.verify(self._secrets[request.path, told["EventType"]])
        events = self._calls.setdefault(told["CallID"], {})
        self.ended += told["EventType"] == "hangup" and request.id not in events
        if events.setdefault(request.id, told) != told:
            self.changed.append(told)
        self.received.clear()  # the books hold it
        await OK(request, writer)
