"""One face of a venue, as the contract sees it: the port, the gate before it, what was told.

What the faces have in common is in the tests. In what they rightly differ each says as data, in its
`Traits`, and there alone.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from decimal import Decimal
from time import monotonic, sleep
from typing import Any, TypeVar

import msgspec

from hydra.ports import GateKey, Permit, PermitClass, Venue
from hydra.runtime.gate import UNLIMITED_LEASE, Gate
from hydra.trading.orders import Fill, Order, Role
from hydra.trading.trading_state import Cause, CauseClass, TradingState
from hydra.trading.venue_view import VenueSnapshot
from messages.orders import (
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrderReplaced,
    OrderUnknown,
    OrderWithheld,
    Outcome,
    client_order_id_of,
)
from messages.reconciliation import OrderFound, OrderNotFound, SnapshotFailed, SnapshotTaken
from tests.contracts.venues.scene import ENTRY, approval
from tests.venues.server.kit import PATIENCE_S

KEY = GateKey("/gateway", 1)

M = TypeVar("M")

OUTCOMES = (
    OrderWithheld,
    OrderAccepted,
    OrderRejected,
    OrderFilled,
    OrderCanceled,
    OrderExpired,
    OrderReplaced,
    OrderUnknown,
)


class Traits(msgspec.Struct, frozen=True, kw_only=True):
    """In what this face differs from others, and may."""

    has_stream: bool
    """Outcomes are told on a stream, besides by answers: so some are told twice."""
    tells_replacements: bool
    """The broker's word for it names ids of its own, so the adapter has the account compared."""
    looks_when_a_cancel_is_refused: bool
    """Over a network a cancel may cross an end on its way; the order itself says which."""
    replaces_what_has_traded: bool
    """The broker counts the quantity of a whole chain of replacements, we that of each order: they
    agree only as long as nothing has traded, so over there nothing else is asked for.
    """


class FaceTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What a test may want of a venue."""

    max_participation: Decimal | None = None
    shorts_allowed: bool = False
    starting_cash: Decimal = Decimal(100_000)
    coin_fee_bps: Decimal = Decimal(25)
    """What the venue keeps of what a coin's execution brings."""


class Booked(msgspec.Struct, frozen=True):
    """An order on the venue's own books."""

    name: str
    is_open: bool
    filled: Decimal


class Books(msgspec.Struct, frozen=True, kw_only=True):
    """What the venue itself has: the judge of all that is told."""

    orders: tuple[Booked, ...]
    """Those that were taken, in that order."""
    positions: dict[str, Decimal]
    cash: Decimal
    executions: tuple[str, ...]


class WatchedGate(Gate):
    """An open gate that notes who passed, and can be shut at any instant of a call's way."""

    def __init__(self) -> None:
        super().__init__(lambda: 0)
        self.classes: list[tuple[str, PermitClass]] = []
        self.before_passing: Callable[[int], None] = lambda _: None
        """Called with the number, from 0, of the passage that is about to be tried."""
        self.tries = 0
        self.register(KEY)
        self.renew_lease(UNLIMITED_LEASE)
        self.arm((), "a test", self.epoch)

    def enter(self, order_id: str, epoch: int, key: GateKey, permit_class: PermitClass) -> Permit:
        self.tries += 1
        self.before_passing(self.tries - 1)
        permit = super().enter(order_id, epoch, key, permit_class)
        self.classes.append((order_id, permit_class))
        return permit


def cause(state: TradingState = TradingState.HALTED) -> Cause:
    """Why trading is so."""
    return Cause(
        code="test", cause_class=CauseClass.INTEGRITY, state=state, since=0, detail="a test"
    )


class Face(ABC):
    """A venue behind an open gate, at the beginning of the common market."""

    traits: Traits
    venue: Venue

    def __init__(self) -> None:
        self.gate = WatchedGate()
        self.told: list[Any] = []
        self._snapshots = 0

    # What the engine does

    def submit(
        self, order: Order, role: Role = ENTRY, epoch: int | None = None, key: GateKey = KEY
    ) -> str:
        """Ask for it through the port; gives its name."""
        self.venue.submit(approval(order, role, self.gate.epoch if epoch is None else epoch), key)
        return order.client_order_id

    def take(self, order: Order, role: Role = ENTRY) -> str:
        """The same, and wait until the venue has said what it makes of it."""
        name = self.submit(order, role)
        self.until(lambda: bool(self.outcomes(name)), name)
        self.settle()
        return name

    def snapshot(self, since: int = 0) -> VenueSnapshot:
        """Take one, and wait for it."""
        answer = self.try_snapshot(since)
        assert isinstance(answer, SnapshotTaken), answer
        return answer.snapshot

    def try_snapshot(self, since: int = 0) -> SnapshotTaken | SnapshotFailed:
        """The same, where it may fail: it must not while nothing trades."""
        self._snapshots += 1
        number = self._snapshots
        self.venue.take_snapshot(number, since, KEY)
        self.until(lambda: number in self._answers(), f"snapshot {number}")
        return self._answers()[number]

    def look_up(self, name: str) -> OrderFound | OrderNotFound:
        """Look for it, and wait for what is found."""
        before = len(self.looks(name))
        self.venue.look_up(name, KEY)
        self.until(lambda: len(self.looks(name)) > before, f"a look for {name}")
        return self.looks(name)[before]

    def cancel(self, name: str, key: GateKey = KEY) -> None:
        """Ask for its end."""
        self.venue.cancel(name, key)

    # What was told

    def of(self, kind: type[M]) -> list[M]:
        """All messages of a kind, so far."""
        return [each for each in tuple(self.told) if isinstance(each, kind)]

    def looks(self, name: str) -> list[OrderFound | OrderNotFound]:
        """What looks for this order have found."""
        found = self.of(OrderFound) + self.of(OrderNotFound)
        return [each for each in found if each.client_order_id == name]

    def outcomes(self, name: str) -> list[Outcome]:
        """All reports of one order, so far."""
        return [
            each
            for each in tuple(self.told)
            if isinstance(each, OUTCOMES) and client_order_id_of(each) == name
        ]

    def story(self, name: str) -> list[str]:
        """What was told of one order, in short words: each thing once, when it was first told."""
        return list(dict.fromkeys(_words(each) for each in self.outcomes(name)))

    def fills(self, name: str) -> list[Fill]:
        """The executions that were told of one order, each once."""
        told = {
            each.fill.execution_id: each.fill
            for each in self.outcomes(name)
            if isinstance(each, OrderFilled)
        }
        return list(told.values())

    def until_story(self, name: str, *words: str) -> None:
        """Wait for the last of these to be told; then these are all that is told of the order."""
        self.until(lambda: words[-1] in self.story(name), f"{name}: {words[-1]}")
        self.settle()
        assert self.story(name) == list(words)

    # The world around it

    @abstractmethod
    def go_to(self, at: int) -> None:
        """Let the market happen up to this time."""

    @abstractmethod
    def books(self) -> Books:
        """What the venue itself has."""

    @abstractmethod
    def order_requests(self) -> tuple[str, ...]:
        """The names of all orders that were ever asked for, by the venue's own log."""

    def until(self, holds: Callable[[], bool], what: str) -> None:
        """Wait for this; fails if it does not come in good time."""
        deadline = monotonic() + PATIENCE_S
        while not holds():
            assert monotonic() < deadline, f"never: {what}; told: {self.told}"
            sleep(0.001)

    @abstractmethod
    def settle(self) -> None:
        """Wait until everything that was asked is answered, and what the venue said has come."""

    @abstractmethod
    def cut_stream(self) -> None:
        """The stream, if there is one, ends, and nothing is told on it before that was noticed."""

    @abstractmethod
    def close(self) -> None:
        """The end of it."""

    def _answers(self) -> dict[int, SnapshotTaken | SnapshotFailed]:
        return {each.number: each for each in self.of(SnapshotTaken) + self.of(SnapshotFailed)}


def _words(report: Outcome) -> str:
    match report:
        case OrderFilled(fill=fill):
            return f"{plain(fill.quantity)} at {plain(fill.price)}"
        case OrderReplaced():
            return f"replaced by {report.by}"
        case _:
            return type(report).__name__.removeprefix("Order").lower()


def plain(value: Decimal) -> str:
    """A number without zeros that say nothing."""
    return f"{value.normalize():f}"
