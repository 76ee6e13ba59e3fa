"""The plan of what a venue does wrong: which faults, where they strike, how often.

A plan is a value, given to the venue by its constructor in tests and drills and nowhere else: no
setting and no option leads here. The same plan over the same requests and market strikes the same,
also when the venue is rebuilt.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterator
from typing import TypeVar

import msgspec

from hydra.trading.orders import Side
from hydra.venues.simulated.faults import Family, Fault

F = TypeVar("F", bound=Family)

REQUESTS = frozenset({"submit", "replace", "cancel", "look_up", "snapshot"})
MESSAGES = frozenset(
    {
        "OrderAccepted",
        "OrderRejected",
        "OrderFilled",
        "OrderCanceled",
        "OrderExpired",
        "OrderReplaced",
        "SnapshotTaken",
        "SnapshotFailed",
        "OrderFound",
        "OrderNotFound",
    }
)


class Subject(msgspec.Struct, frozen=True):
    """What a fault could strike: a request, an order, an execution, a message or a moment.

    A moment just before a bar has the bar's symbol.
    """

    what: str = ""
    client_order_id: str | None = None
    symbol: str | None = None
    side: Side | None = None


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """Which of all that a fault could strike are meant; what is None does not matter.

    `what` is a kind of request or of message; `leg` is how the order's name ends. Nothing is
    struck before market event `from_event` (the first is 1). Such events are the ends of bars and
    the closes of sessions.
    """

    what: str | None = None
    client_order_id: str | None = None
    leg: str | None = None
    symbol: str | None = None
    side: Side | None = None
    from_event: int = 0
    until_event: int | None = None
    """And nothing after this one; None: there is no end."""

    def __post_init__(self) -> None:
        if self.what is not None and self.what not in REQUESTS | MESSAGES:
            wanted = ", ".join(sorted(REQUESTS | MESSAGES))
            raise ValueError(f"what is {self.what!r}, wanted one of {wanted}")

    def has(self, subject: Subject, event: int) -> bool:
        """Whether the subject, at that market event, is meant."""
        name = subject.client_order_id
        return (
            event >= self.from_event
            and (self.until_event is None or event <= self.until_event)
            and self.what in (None, subject.what)
            and self.client_order_id in (None, name)
            and self.symbol in (None, subject.symbol)
            and self.side in (None, subject.side)
            and (self.leg is None or (name is not None and name.endswith(self.leg)))
        )


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A fault, what it strikes, and how often: `times` None is always.

    `rate` is the share of those that it strikes, over 0 and at most 1, drawn with the plan's seed.
    """

    fault: Fault
    match: Match = Match()
    times: int | None = 1
    rate: float = 1.0


class Misbehaviour(msgspec.Struct, frozen=True, kw_only=True):
    """Rules in the order of asking: of two for one thing the first that applies strikes."""

    rules: tuple[Rule, ...] = ()
    seed: int = 0

    @property
    def digest(self) -> str:
        """Names the plan; "" if there are no rules."""
        if not self.rules:
            return ""
        return hashlib.blake2b(msgspec.json.encode(self), digest_size=8).hexdigest()


class Strikes:
    """Where the plan strikes, one question after the other; it counts what is used up."""

    def __init__(self, plan: Misbehaviour) -> None:
        self.struck: Callable[[Fault], None] = lambda _: None
        """Told of each strike."""
        self._rules = [
            _Counted(rule, random.Random(f"misbehaviour|{plan.seed}|{number}"))
            for number, rule in enumerate(plan.rules)
        ]

    def on(self, kind: type[F], subject: Subject, event: int) -> F | None:
        """The fault of this kind that strikes the subject now, if one does."""
        return next(self.all_on(kind, subject, event), None)

    def all_on(self, kind: type[F], subject: Subject, event: int) -> Iterator[F]:
        """All that strike it, in the order of the plan."""
        for rule in self._rules:
            fault = rule.fault
            if isinstance(fault, kind) and rule.strikes(subject, event):
                self.struck(fault)
                yield fault


class _Counted:
    """A rule, and how often it may still strike."""

    def __init__(self, rule: Rule, dice: random.Random) -> None:
        self.fault = rule.fault
        self._rule = rule
        self._left = rule.times
        self._dice = dice

    def strikes(self, subject: Subject, event: int) -> bool:
        rule = self._rule
        if self._left == 0 or not rule.match.has(subject, event):
            return False
        if rule.rate < 1.0 and self._dice.random() >= rule.rate:
            return False
        if self._left is not None:
            self._left -= 1
        return True
