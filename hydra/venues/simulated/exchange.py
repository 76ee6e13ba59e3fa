"""The simulated venue whole: the matching engine, the log of requests, the count of events.

Deterministic: the same requests and market events in the same order give the same messages, to the
last identifier. Whoever calls sees to it that one call is over before the next begins.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

from hydra.crash_points import reached
from hydra.trading.bars import Bar
from hydra.trading.fees import FeeSchedule
from hydra.trading.orders import Order
from hydra.venues.simulated.dated_lines import MarketMoved
from hydra.venues.simulated.log_lines import RequestReceived
from hydra.venues.simulated.matching import MatchingEngine
from hydra.venues.simulated.request_log import MemoryLog, RequestLog
from hydra.venues.simulated.requests import (
    Cancel,
    LookUp,
    Replace,
    Request,
    Submit,
    TakeSnapshot,
    VenueMessage,
)
from hydra.venues.simulated.terms import VenueTerms
from messages.reconciliation import OrderFound, OrderNotFound, SnapshotFailed, SnapshotTaken


class SimulatedExchange:
    """Every call gives what the venue tells because of it, in order.

    `wall_clock` gives UTC ns for the log, for people and judges; nothing is decided by it. In
    virtual time there is none.
    """

    def __init__(
        self,
        terms: VenueTerms | None = None,
        log: RequestLog | None = None,
        wall_clock: Callable[[], int] = lambda: 0,
    ) -> None:
        self._engine = self._new_engine(terms or VenueTerms())
        self._log = MemoryLog() if log is None else log
        self._wall_clock = wall_clock
        self._requests = 0
        self._events = 0

    @property
    def engine(self) -> MatchingEngine:
        """What there is at the venue, to look at."""
        return self._engine

    @property
    def fees(self) -> FeeSchedule:
        """What it keeps of executions."""
        return self._engine.fees

    @property
    def requests_seen(self) -> int:
        """How many requests have come in the venue's life."""
        return self._requests

    @property
    def events_seen(self) -> int:
        """How many market events have happened in its life: beginnings and ends of bars, closes."""
        return self._events

    def receive(self, request: Request, at: int) -> tuple[VenueMessage, ...]:
        """A request has arrived at market time `at`. It goes on record, then it takes effect."""
        self._requests += 1
        self._log.write(
            RequestReceived(
                number=self._requests,
                at=at,
                wall_ns=self._wall_clock(),
                events=self._events,
                request=request,
            )
        )
        reached("venue.request.logged")
        return self._answer(request, at)

    def begin_bar(self, bar: Bar) -> tuple[VenueMessage, ...]:
        """A bar begins: what rests sees its open, and nothing else of it has happened."""
        self._events += 1
        told = self._begin(bar)
        return self._moved(told, bar.start_at) if told else ()

    def on_bar(self, bar: Bar) -> tuple[VenueMessage, ...]:
        """A bar has closed: what rests may fill."""
        self._events += 1
        told = self._trade(bar)
        return self._moved(told, bar.end_at) if told else ()

    def close_session(self, at: int) -> tuple[VenueMessage, ...]:
        """The exchange has closed: day orders expire."""
        self._events += 1
        return self._moved(self._close(at), at)

    def record_in(self, log: RequestLog) -> None:
        """From now on this is where requests go on record."""
        self._log = log

    def forget_untold(self) -> None:
        """Whoever was still to be told something is gone. An honest venue keeps nothing back."""

    def _moved(self, messages: tuple[VenueMessage, ...], at: int) -> tuple[VenueMessage, ...]:
        if messages:
            reached("venue.market.before")
            # What somebody was told must still be so after a restart.
            self._log.write(
                MarketMoved(
                    at=at,
                    wall_ns=self._wall_clock(),
                    events=self._events,
                    executions=self._engine.executions,
                )
            )
            reached("venue.market.logged")
        return messages

    def _answer(self, request: Request, at: int) -> tuple[VenueMessage, ...]:
        match request:
            case Submit(order=order) | Replace(order=order):
                return self._take(order, at)
            case Cancel(client_order_id=name):
                return self._cancel(name, at)
            case LookUp(client_order_id=name):
                return (self._look_up(name, at),)
            case TakeSnapshot(number=number, since=since):
                return (self._snapshot(number, since, at),)
            case _:
                assert_never(request)

    def _new_engine(self, terms: VenueTerms) -> MatchingEngine:
        return MatchingEngine(terms)

    def _take(self, order: Order, at: int) -> tuple[VenueMessage, ...]:
        return self._engine.submit(order, at)

    def _cancel(self, client_order_id: str, at: int) -> tuple[VenueMessage, ...]:
        return self._engine.cancel(client_order_id, at)

    def _look_up(self, client_order_id: str, at: int) -> OrderFound | OrderNotFound:
        return self._engine.look_up(client_order_id, at)

    def _snapshot(self, number: int, since: int, at: int) -> SnapshotTaken | SnapshotFailed:
        return SnapshotTaken(number=number, snapshot=self._engine.snapshot(at, since))

    def _begin(self, bar: Bar) -> tuple[VenueMessage, ...]:
        return self._engine.begin_bar(bar)

    def _trade(self, bar: Bar) -> tuple[VenueMessage, ...]:
        return self._engine.on_bar(bar)

    def _close(self, at: int) -> tuple[VenueMessage, ...]:
        return self._engine.close_session(at)
