"""The canary's requests, within a budget; of everything that it places the end is looked for.

Its orders are named `hyc-…`, which is no name of the engine's: an engine that meets one that is
open halts, as over any that is not its own, and one that is over and untraded is nothing to it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from time import monotonic
from typing import TypeVar

import msgspec

from hydra.trading.echo import words
from hydra.venues.alpaca.bad_answer import BadAnswer
from hydra.venues.alpaca.budget import Shares, Use
from hydra.venues.alpaca.calls import Calls
from hydra.venues.alpaca.canary.judging import read_raw
from hydra.venues.alpaca.http import Request
from hydra.venues.alpaca.outcomes import (
    Exists,
    NotSent,
    Ok,
    OrderOutcome,
    Outcome,
    Refused,
    describe,
    order_outcome_of,
)
from hydra.venues.alpaca.pages import all_orders
from hydra.venues.alpaca.payloads import OrderPayload, read_nothing, read_order
from hydra.venues.alpaca.reads import ReadFailed, RestReads, get, order_path
from hydra.venues.alpaca.wire import OVER

T = TypeVar("T")

PREFIX = "hyc-"
"""How the name of every order of the canary's begins, whichever run it is of."""
SHARES = Shares(a_minute=90, left_by_reconcile=10, left_by_entry=20, left_by_poll=20)
"""Less than half of what the broker allows in a minute, with room for cancels to the end."""
ENDED_WITHIN_S = 10.0
LOOK_AGAIN_S = 0.25
ROOM_AGAIN_S = 1.0
LAST_LOOK_WITHIN_S = 20.0
"""For taking out what is left, whatever became of the time for the rest."""


class Seen(msgspec.Struct, frozen=True):
    """An order as the engine reads it, and as it stands on the wire."""

    payload: OrderPayload
    row: object


def read_seen(body: bytes) -> Seen:
    """See `Seen`. Raises `BadAnswer`."""
    return Seen(read_order(body), read_raw(body))


class Desk:
    """Places, cancels and looks; used by one thread."""

    def __init__(
        self,
        calls: Calls,
        barred: Callable[[], str | None],
        deadline: float,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """`barred` says why nothing is to be placed just now; `deadline`: monotonic, s."""
        self._calls = calls
        self._barred = barred
        self._deadline = deadline
        self._pause = pause
        self._gave_up: str | None = None
        self._unproven: dict[str, str] = {}
        """By our name, in the order of placing: what is not known to be over, and why not."""

    @property
    def remains(self) -> tuple[str, ...]:
        """What may be left at the broker, a line an order."""
        return tuple(f"{name}: {why}" for name, why in self._unproven.items())

    def ask(self, path: str, query: dict[str, str]) -> Outcome[bytes]:
        """What one reading request is answered, as it stands."""
        return self._call(get(path, query), bytes, Use.RECONCILE)

    def place(self, name: str, body: bytes) -> OrderOutcome[Seen]:
        """Send an order. From before it leaves until its end is seen it counts as left behind, and
        no other is sent beside it.
        """
        why = self._doubt()
        if why is not None:
            return NotSent(cause=why, by_us=True)
        before = self._unproven.get(name)
        self._unproven[name] = "it was being sent"
        request = Request(method="POST", target="/v2/orders", body=body)
        outcome = order_outcome_of(self._call(request, read_seen, Use.ENTRY))
        if isinstance(outcome, Ok):
            self._unproven[name] = f"order {words(outcome.value.payload.id)}, taken"
        elif isinstance(outcome, NotSent | Refused | Exists):
            # Of a name that is used once, a refusal in any words says that no order came of it.
            if before is None:
                self._unproven.pop(name)
            else:
                self._unproven[name] = before
        else:
            self._unproven[name] = f"it may be there: {describe(outcome)}"
        return outcome

    def cancel(self, order_id: str) -> Outcome[None]:
        """Ask for it; that it was asked for is all that a yes says."""
        request = Request(method="DELETE", target=order_path(order_id), yes=204)
        return self._call(request, read_nothing, Use.URGENT)

    def look(self, order_id: str) -> Outcome[Seen]:
        """The order by the broker's name."""
        return self._call(get(order_path(order_id), {}), read_seen, Use.URGENT)

    def look_by_name(self, name: str) -> Outcome[Seen]:
        """The order by ours."""
        query = {"client_order_id": name}
        return self._call(get("/v2/orders:by_client_order_id", query), read_seen, Use.URGENT)

    def ended(self, order_id: str, name: str) -> Seen | str:
        """The order once it is over; why not, if that is not seen in time."""
        until, pause_s = monotonic() + ENDED_WITHIN_S, LOOK_AGAIN_S
        while True:
            outcome = self.look(order_id)
            if isinstance(outcome, Ok):
                seen = outcome.value
                if seen.payload.id == order_id and seen.payload.status in OVER:
                    self._settle(name, seen.payload)
                    return seen
                why = f"it is {words(seen.payload.status)}"
            else:
                why = describe(outcome)
            if monotonic() >= until:
                self._unproven[name] = f"order {words(order_id)}, not seen to end: {why}"
                return why
            self._pause(pause_s)
            pause_s = min(2 * pause_s, ROOM_AGAIN_S)

    def open_orders(self) -> list[OrderPayload]:
        """All of the account that are open. Raises `ReadFailed`."""
        reads = RestReads(self._calls, Use.URGENT, None, self._deadline)
        page = partial(reads.orders, status="open", nested=False, after=None)
        try:
            return all_orders(lambda until: page(until=until))
        except BadAnswer as bad:
            raise ReadFailed(str(bad)) from bad

    def take_out(self) -> tuple[int, str | None]:
        """Cancel what is open of any run, and look for what may be there. Gives how many orders
        were open, and why that could not be seen, if it could not.
        """
        self._deadline = max(self._deadline, monotonic() + LAST_LOOK_WITHIN_S)
        found, why = self._open_of_ours()
        for name in [each for each in self._unproven if each not in found]:
            outcome = self.look_by_name(name)
            if isinstance(outcome, Ok) and outcome.value.payload.client_order_id == name:
                payload = outcome.value.payload
                if payload.status in OVER:
                    self._settle(name, payload)
                else:
                    found[name] = payload.id
        for name, order_id in found.items():
            self._unproven.setdefault(name, f"order {words(order_id)}, found open")
            self.cancel(order_id)
        for name, order_id in found.items():
            self.ended(order_id, name)
        return len(found), why

    def _doubt(self) -> str | None:
        """Why no other order may follow: one is not known to be over, and cannot be taken out."""
        if self._unproven and self._gave_up is None:
            self.take_out()
            if self._unproven:
                self._gave_up = f"what became of {next(iter(self._unproven))} is not known"
        return self._gave_up

    def _open_of_ours(self) -> tuple[dict[str, str], str | None]:
        """The broker's names by ours, and why they could not be seen. What the engine cannot read
        may still be plain enough to be canceled.
        """
        try:
            found = {each.client_order_id or "": each.id for each in self.open_orders()}
            why = None
        except ReadFailed as failed:
            found, why = self._names_as_they_stand(), str(failed)
        return {name: each for name, each in found.items() if name.startswith(PREFIX)}, why

    def _names_as_they_stand(self) -> dict[str, str]:
        outcome = self.ask("/v2/orders", {"status": "open", "limit": "500"})
        try:
            rows = read_raw(outcome.value) if isinstance(outcome, Ok) else None
        except BadAnswer:
            return {}
        pairs = [
            (row.get("client_order_id"), row.get("id"))
            for row in (rows if isinstance(rows, list) else ())
            if isinstance(row, dict)
        ]
        return {n: i for n, i in pairs if isinstance(n, str) and isinstance(i, str)}

    def _settle(self, name: str, payload: OrderPayload) -> None:
        """It is over, and nothing is left of it but what it traded."""
        if payload.filled_qty == 0:
            self._unproven.pop(name, None)
            return
        self._unproven[name] = (
            f"order {words(payload.id)} TRADED: {words(payload.side)} {words(payload.filled_qty)}"
            f" {words(payload.symbol)}, which the account has now; close it at the broker"
        )

    def _call(self, request: Request, read: Callable[[bytes], T], use: Use) -> Outcome[T]:
        """Where this minute's requests are used up, it is waited for the next, to the deadline.
        What forbids to send is looked at just before.
        """
        while True:
            why = self._barred() if use is Use.ENTRY else None
            if why is not None:
                return NotSent(cause=why, by_us=True)
            outcome = self._calls.call(request, read, use, deadline=self._deadline)
            kept_back = isinstance(outcome, NotSent) and outcome.by_us
            if not kept_back or monotonic() + ROOM_AGAIN_S >= self._deadline:
                return outcome
            self._pause(ROOM_AGAIN_S)
