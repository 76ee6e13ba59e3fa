"""The stop order that rests at the venue for a long position: when it comes, and when it goes.

It is there in case nobody of ours is. So as much of the position as a stop order can be for (whole
shares) is under one, from the moment that the entry is filled. Nothing is sold beside it: an exit
waits until it is over, so that what is sold is never more than what is held. A venue takes no order
beside one of the other side, which it could trade with: so a stop waits until the entry is over, or
has it taken out.

What the exit rules of the engine see they see all the same; they are the second line.
"""

from collections.abc import Sequence
from contextlib import suppress
from decimal import ROUND_CEILING, Context, Decimal
from typing import TypeAlias

import msgspec

from hydra.trading.bars import Bar
from hydra.trading.durations import MINUTE
from hydra.trading.exact import multiply, percent_of, subtract
from hydra.trading.order_checks import (
    no_order_opposes,
    price_is_fresh,
    price_is_known,
    session_is_open,
    trading_is_open,
)
from hydra.trading.orders import DecisionKey, Role
from hydra.trading.situation import PriceStep
from hydra.trading.symbol_book import SymbolBook, Working

BEFORE = -1
"""The look of an earlier life."""
TRIES = 3
"""So many stops in a row may come to nothing; then the engine-side guard is alone for a while."""
TRY_AGAIN_AFTER = 15 * MINUTE
WHOLE = Decimal(1)
FOR_A_WHILE = frozenset(
    check.__name__
    for check in (
        trading_is_open,
        session_is_open,
        price_is_known,
        price_is_fresh,
        no_order_opposes,
    )
)
"""Checks that deny one wherever it would rest, until a halt or a night is over, a price comes, or
the entry of another bot is out of the way.
"""
MOVED_BY_LEAST = Decimal("0.1")
"""A stop is moved up if that takes a tenth off its distance: in between it stays at the venue."""


class Hold(msgspec.Struct, frozen=True):
    """Nothing is to be done for the position; `why`, for people."""

    why: str


class Leave(msgspec.Struct, frozen=True):
    """Nothing is in the way: send the exit."""


class TakeOut(msgspec.Struct, frozen=True):
    """Ask for the end of these orders, and wait until they are over."""

    orders: tuple[DecisionKey, ...]
    why: str


class Place(msgspec.Struct, frozen=True):
    """Have a stop order rest for so much at this price."""

    quantity: Decimal
    price: Decimal


Step: TypeAlias = Hold | Leave | TakeOut | Place


class Wanted(msgspec.Struct, frozen=True):
    """What the bot wants for what it holds. `level` None: no stop order rests for it.

    `level` is a price that the venue can have, `highest` the best price since the entry.
    `waits_for_entry`: the entry works on, and has not had the time that it gets. `collar_pct`: so
    far from the market's `price` one may rest, in percent of it; None: wherever.
    """

    wants_out: bool
    level: Decimal | None
    highest: Decimal
    may_place: bool = True
    waits_for_entry: bool = False
    price: Decimal | None = None
    collar_pct: Decimal | None = None

    def may_rest(self, level: Decimal) -> bool:
        """Whether one at this level would be let pass: else nothing goes for its sake."""
        if self.price is None or self.collar_pct is None:
            return True
        return subtract(self.price, level) <= percent_of(self.price, self.collar_pct)


def next_step(book: SymbolBook, wanted: Wanted) -> Step:
    """What is to be done next, by what is booked and by what works."""
    held = book.sellable
    stops, resting = book.working_as(Role.PROTECT), book.resting
    if held <= 0:
        return _take_out(resting, "nothing is held") if resting else Hold("")
    if book.is_leaving:
        return Hold("an order is working")
    if wanted.wants_out:
        in_the_way = (*resting, *book.working_as(Role.ENTRY))
        return _take_out(in_the_way, "an exit comes in its place") if in_the_way else Leave()
    level = wanted.level
    if level is None:
        return _take_out(stops, "no stop is to rest") if stops else Hold("")
    missing = held // WHOLE
    for each in resting:
        missing = subtract(missing, each.left)
    if missing < 0:
        return _take_out(stops or resting, "more would be sold than is held")
    is_raised = any(is_moved_up(stop.stop_price, level, wanted.highest) for stop in stops)
    if is_raised and wanted.may_rest(level):
        return _take_out(stops, f"it is moved up to {level:f}")
    if missing == 0 or not wanted.may_place:
        return Hold("")
    entries = book.working_as(Role.ENTRY)
    if not entries:
        return Place(missing, level)
    if wanted.waits_for_entry:
        return Hold("an order is working")
    return _take_out(entries, "what is filled of it is to be protected")


class RestingStop:
    """What is remembered between looks: how often it came to nothing, and what should have filled.

    Where bars are all that is seen, a stop that a bar has touched is given until the next bar to be
    reported filled: from then on it counts as not executed, and the position is left at the market.
    """

    def __init__(self) -> None:
        self.failures = 0
        """Stops in a row that came to nothing."""
        self._pause_until = 0
        self._held_off_until = 0
        self._touched_at: int | None = None
        """The look at which it first should have been executed."""
        self._asked: dict[DecisionKey, int] = {}
        """Whose end was asked for, by the look at which that was."""
        self._on_record: frozenset[DecisionKey] = frozenset()
        """Whose end was asked for by the record, or by what is on its way there."""
        self._of_before: frozenset[DecisionKey] | None = None
        """What rested when this began to remember: who asked for the end of these may not be known.
        """

    def found(self, resting: Sequence[Working], asked_out: str) -> None:
        """What works by the record, and whose end was asked for by it (`to_record`). The first time
        it is from an earlier life of the bot.
        """
        if self._of_before is None:
            self._of_before = frozenset(each.decision for each in resting)
            self._on_record = _asked_out(asked_out)
            for decision in self._of_before & self._on_record:
                self._asked.setdefault(decision, BEFORE)

    def to_record(self) -> str | None:
        """Whose end is being asked for, if not all of it is on record; None: nothing is news.

        Without it a stop that goes after a crash would be told as lost, though it was our wish.
        """
        if self._on_record.issuperset(self._asked):
            return None
        self._on_record = frozenset(self._asked)
        return msgspec.json.encode(tuple(self._asked)).decode()

    def may_place(self, at: int) -> bool:
        """Whether another one may be tried at this look (its market time)."""
        return at >= max(self._pause_until, self._held_off_until)

    def is_asked(self, decision: DecisionKey, at: int) -> bool:
        """Whether its end was asked for at this look already; it counts as asked from now on."""
        was_asked = self._asked.get(decision) == at
        self._asked[decision] = at
        return was_asked

    def denied(self, at: int) -> None:
        """The guardian refused one, which counts: at its price, say, none may rest at all."""
        self._came_to_nothing(at)

    def held_off(self, at: int) -> None:
        """Nothing may pass now, wherever it would rest: the next may be tried at the next look."""
        self._held_off_until = at + 1

    def way_may_be_free(self) -> None:
        """What held it off may be gone: the next may be tried at this look."""
        self._held_off_until = 0

    def ended(self, decision: DecisionKey, at: int) -> bool:
        """A stop is over and did not fill. True if that was not our wish, which counts."""
        if self._asked.pop(decision, None) is not None:
            return False
        self._came_to_nothing(at)
        if self._of_before is not None and decision in self._of_before:
            self._pause_until = 0  # it may have been our wish of before: the next comes at once
        return True

    def _came_to_nothing(self, at: int) -> None:
        self.failures += 1
        # Not at once: whoever took it out may have something in mind.
        self._pause_until = at + (TRY_AGAIN_AFTER if self.failures % TRIES == 0 else 1)

    def nothing_is_held(self) -> None:
        """The position is over."""
        self.failures, self._pause_until, self._touched_at = 0, 0, None
        self._held_off_until = 0
        self._asked.clear()

    def is_overdue(self, at: int) -> bool:
        """Whether an earlier look saw that the venue should have executed it."""
        return self._touched_at is not None and at > self._touched_at

    def has_still_to_fill(self, stops: Sequence[Working], bar: Bar, at: int) -> bool:
        """Whether the bar executed the stops, so that the word of it is on its way.

        Only stops that were at the venue before the bar was over, and until the next look (`at`).
        """
        low = Decimal(repr(bar.low))
        for stop in stops:
            is_live = stop.accepted_at is not None and stop.accepted_at < bar.end_at
            if not is_live or stop.stop_price is None or low > stop.stop_price:
                return False
        if not stops:
            return False
        if self._touched_at is None:
            self._touched_at = at
        return at <= self._touched_at


def asked_out_key(bot: str) -> str:
    """Under this key the ledger keeps whose end a bot asked for."""
    return f"asked_out:{bot}"


def _asked_out(text: str) -> frozenset[DecisionKey]:
    """None where it cannot be read: then a stop that goes is told as lost, and that is all."""
    with suppress(msgspec.MsgspecError):
        return frozenset(msgspec.json.decode(text, type=tuple[DecisionKey, ...]))
    return frozenset()


def stop_on_step(level: Decimal, steps: Sequence[PriceStep]) -> Decimal | None:
    """The price at which a sell stop rests: rounded up, which is toward less risk (I35).

    None if there is no such price.
    """
    step = None
    for each in steps:
        if each.from_price <= level:
            step = each.step
    if step is None or level <= 0:
        return None
    return multiply(_EXACT.divide(level, step).to_integral_value(ROUND_CEILING), step)


_EXACT = Context(prec=100)


def is_moved_up(stop_price: Decimal | None, level: Decimal, highest: Decimal) -> bool:
    """Whether it is worth to take the stop at this price out of the market for a higher one."""
    if stop_price is None or level <= stop_price:
        return False
    distance = subtract(highest, stop_price)
    return subtract(level, stop_price) >= multiply(distance, MOVED_BY_LEAST)


def _take_out(orders: Sequence[Working], why: str) -> TakeOut | Hold:
    """Of what the venue does not have yet, nobody can ask the end."""
    at_venue = tuple(order.decision for order in orders if order.accepted_at is not None)
    return TakeOut(at_venue, why) if at_venue else Hold("an order is on its way")
