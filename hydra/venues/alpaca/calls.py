"""One call to the broker: within the budget, through the order gate, and its outcome decided."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

from hydra.ports import GateKey, GateRefused, OrderGate, Permit, PermitClass
from hydra.trading.durations import SECOND
from hydra.venues.alpaca.budget import (
    Budget,
    Shares,
    Use,
    heard,
    limited,
    take,
)
from hydra.venues.alpaca.http import Answer, HttpClient, Request
from hydra.venues.alpaca.outcomes import NotSent, Outcome, RateLimited, number_in, outcome_of

T = TypeVar("T")


class Passage:
    """The way of one call through the order gate: in before the first byte, out after the last."""

    def __init__(
        self,
        gate: OrderGate,
        name: str,
        epoch: int,
        key: GateKey,
        permit_class: PermitClass,
        is_late: Callable[[], bool] = lambda: False,
    ) -> None:
        """`is_late`: whether the time has gone by until which it may pass."""
        self._gate = gate
        self._is_late = is_late
        self._name = name
        self._epoch = epoch
        self._key = key
        self._class = permit_class
        self._permit: Permit | None = None

    def enter(self) -> None:
        """Raises `GateRefused`."""
        if self._is_late():
            raise GateRefused("its time went by before it could be sent")
        self._enter()

    def leave(self) -> None:
        """The call has ended, if it ever began."""
        if self._permit is not None:
            self._gate.leave(self._permit)
            self._permit = None

    def look(self) -> None:
        """Raises `GateRefused` if the gate is shut already; it may still shut before the call."""
        self._enter()
        self.leave()

    def _enter(self) -> None:
        self._permit = self._gate.enter(self._name, self._epoch, self._key, self._class)


class Calls:
    """Makes calls to one host, for any thread. `ended` hears of every one that we let through."""

    def __init__(
        self,
        client: HttpClient,
        shares: Shares,
        *,
        minutes_by: Callable[[], int],
        market_time: Callable[[], int],
        ended: Callable[[Outcome[Any]], None],
    ) -> None:
        """`minutes_by` is the clock (ns) of the minutes that the broker counts requests in: machine
        time, but for a venue whose market time runs otherwise, and which counts by that.
        """
        self._client = client
        self._minutes_by = minutes_by
        self._market_time = market_time
        self._ended = ended
        self._lock = threading.Lock()
        self._budget = Budget(shares=shares)

    def call(
        self,
        request: Request,
        read: Callable[[bytes], T],
        use: Use,
        *,
        deadline: float,
        passage: Passage | None = None,
        name: str = "",
    ) -> Outcome[T]:
        """Make it, and say what came of it. `deadline`: monotonic, in seconds."""
        if not self._may_ask(use):
            return NotSent(
                cause=f"the requests of this minute are used up ({use.value})", by_us=True
            )
        try:
            result = self._client.call(
                request,
                deadline=deadline,
                before_sending=None if passage is None else passage.enter,
                name=name,
            )
        except GateRefused as refused:
            return NotSent(cause=str(refused), by_us=True)
        finally:
            if passage is not None:
                passage.leave()
        outcome = outcome_of(result, read, request.yes)
        self._learn(result if isinstance(result, Answer) else None, outcome)
        self._ended(outcome)
        return outcome

    def cut(self, names: tuple[str, ...]) -> None:
        """See `HttpClient.cut`."""
        self._client.cut(names)

    def close(self) -> None:
        """See `HttpClient.close`."""
        self._client.close()

    def _may_ask(self, use: Use) -> bool:
        with self._lock:
            taken = take(self._budget, use, self._minutes_by())
            if taken is None:
                return False
            self._budget = taken
        return True

    def _learn(self, answer: Answer | None, outcome: Outcome[T]) -> None:
        if answer is None:
            return
        remaining = number_in(answer.headers, "x-ratelimit-remaining")
        reset = number_in(answer.headers, "x-ratelimit-reset")
        # The broker's clock and ours may differ a little, which only moves the end of a hold.
        reset_in = None if reset is None else max(0, reset * SECOND - self._market_time())
        with self._lock:
            now = self._minutes_by()
            if isinstance(outcome, RateLimited):
                self._budget = limited(self._budget, reset_in, now)
            elif answer.status == 401:  # asked again and again it may lock the account
                self._budget = limited(self._budget, None, now)
            elif remaining is not None and reset_in is not None:
                self._budget = heard(self._budget, remaining, reset_in, now)
