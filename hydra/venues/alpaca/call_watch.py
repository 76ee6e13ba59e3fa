"""What the outcomes of calls say about the broker itself: it fails, or it does not know us."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from hydra.ports import OrderGate
from hydra.trading.causes import ACCOUNT_BLOCKED, API_FAILURES, CauseKind
from hydra.trading.durations import SECOND
from hydra.venues.alpaca.failures import Failures, enough, one_more
from hydra.venues.alpaca.outcomes import (
    NotSent,
    Outcome,
    RateLimited,
    Refused,
    Unknown,
    describe,
)

TRIP_AGAIN_AFTER_NS = 10 * SECOND
"""While a cause stands, saying so with every call would only keep everybody busy."""


class CallWatch:
    """Trips the order gate where calls fail in numbers, or the key is refused (I44).

    A host that does not prove to be the broker is as bad as too many failures, at once. Where
    `failures_halt` is switched off, numbers of failures only make it `is_failing`.
    Safe to use from any thread. A call that our own gate or budget kept back is not to be noted.
    """

    def __init__(
        self,
        gate: OrderGate,
        *,
        failures_max: int,
        window_ns: int,
        failures_halt: bool = True,
        market_time: Callable[[], int],
        machine_time: Callable[[], int],
    ) -> None:
        self._gate = gate
        self._failures_halt = failures_halt
        self._market_time = market_time
        self._machine_time = machine_time
        self._lock = threading.Lock()
        self._failures = Failures(most=failures_max, window=window_ns)
        self._tripped_at: dict[str, int] = {}

    @property
    def is_failing(self) -> bool:
        """So many calls have failed lately that the broker counts as failing."""
        with self._lock:
            return self._failures.are_too_many(self._machine_time())

    def note(self, outcome: Outcome[Any]) -> None:
        """A call has ended so."""
        match outcome:
            case Refused(status=401) | Unknown(status=401):
                self._trip(ACCOUNT_BLOCKED, f"the venue refuses the key: {describe(outcome)}")
            case NotSent(untrusted=True):
                self._note_untrusted(describe(outcome))
            case Unknown() | RateLimited() | NotSent():
                self._note_failure(describe(outcome))
            case _:
                pass

    def _note_failure(self, last: str) -> None:
        now = self._machine_time()
        with self._lock:
            self._failures = one_more(self._failures, now)
            are_too_many = self._failures.are_too_many(now)
            counted = self._failures.counted(now)
        if are_too_many and self._failures_halt:
            seconds = self._failures.window // SECOND
            self._trip(
                API_FAILURES, f"{counted} calls failed within {seconds} s; the last one: {last}"
            )

    def _note_untrusted(self, detail: str) -> None:
        with self._lock:
            self._failures = enough(self._failures, self._machine_time())
        self._trip(API_FAILURES, detail)

    def _trip(self, kind: CauseKind, detail: str) -> None:
        now = self._machine_time()
        with self._lock:
            tripped_at = self._tripped_at.get(kind.code)
            if tripped_at is not None and now - tripped_at < TRIP_AGAIN_AFTER_NS:
                return
            self._tripped_at[kind.code] = now
        self._gate.trip(kind.cause(since=self._market_time(), detail=detail))
