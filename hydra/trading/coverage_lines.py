"""One line of the exit coverage: what a bot holds in a symbol, held against what protects it."""

from collections.abc import Iterable, Sequence
from decimal import ROUND_FLOOR, Context, Decimal
from enum import Enum
from typing import TypeAlias

import msgspec

from hydra.trading.amounts import is_amount
from hydra.trading.exact import add, subtract, total
from hydra.trading.orders import Side
from hydra.trading.protection import ZERO, Fault, Guard, Term, bounds_loss, closing_side
from hydra.trading.venue_view import VenueOrder

WHOLE = Decimal(100)
HUNDREDTH = Decimal("0.01")
DOWN = Context(prec=60, rounding=ROUND_FLOOR)


class MismatchKind(Enum):
    """What is wrong with a line, and so what is to be done about it. The value is for people."""

    UNCOVERED = "nothing protects it: protect it or close it"
    EXPIRING = "its protection ends soon: renew it or close it"
    OVER_COVERED = "orders close more than is held: cancel the excess"
    WRONG_SIDE = "it would enlarge the position: cancel it"
    DEAD_ORDER = "this order protects nothing: look at it, replace it"
    STALE_GUARD = "this guard protects nothing: restart it, or place an order"
    HELD_BACK = "unprotected while halted, for its guard can send nothing: resume, or close it"
    UNKNOWN_ACCOUNT = "the account cannot be seen: have the venue read"


class Mismatch(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to repair. `side` is that of the order to place, or of those to cancel.

    `subject` names the order or guard it is about; "" if none, since it is about the whole line.
    """

    kind: MismatchKind
    symbol: str
    bot: str
    quantity: Decimal
    side: Side | None = None
    subject: str = ""
    detail: str = ""

    @property
    def words(self) -> str:
        """One line for an operator."""
        side = "" if self.side is None else f"{self.side.value} "
        what = f"{self.bot} {self.symbol}, {side}{self.quantity:f}"
        found = f"; {self.subject}" if self.subject else ""
        why = f" ({self.detail})" if self.detail else ""
        return f"{what}{found}: {self.kind.value}{why}"


class CoverageLine(msgspec.Struct, frozen=True, kw_only=True):
    """What one bot holds in one symbol, and what protects it."""

    symbol: str
    bot: str
    position: Decimal
    by_orders: Decimal
    by_guards: Decimal
    uncovered: Decimal
    held_back: Decimal = ZERO
    """So much of what is uncovered has a guard, which closes nothing while trading is halted."""

    @property
    def is_held_back(self) -> bool:
        """Whether all that is missing is that a halt ends."""
        return self.uncovered > 0 and self.uncovered == self.held_back

    @property
    def pct(self) -> Decimal:
        """Percent of it that is covered, rounded down to a hundredth; 100 only if all is."""
        if not self.uncovered:
            return WHOLE
        covered = add(self.by_orders, self.by_guards)
        share = DOWN.divide(covered, self.position.copy_abs())
        return DOWN.multiply(share, WHOLE).quantize(HUNDREDTH, context=DOWN)

    @property
    def words(self) -> str:
        """What protects it, for an operator; what has no quantity protects all of it."""
        parts = ((self.by_orders, "an order at the venue"), (self.by_guards, "its bot's guard"))
        found = [(amount, what) for amount, what in parts if amount]
        if not self.uncovered and len(found) == 1:
            return f"by {found[0][1]}"
        rows = [f"{amount:f} by {what}" for amount, what in found]
        if self.uncovered:
            halted = f" ({self.held_back:f} while halted)" if self.held_back else ""
            return ", ".join([f"NOT protected: {self.uncovered:f}{halted}", *rows])
        return ", ".join(rows)


class Leg(msgspec.Struct, frozen=True, kw_only=True):
    """One open order that may close something."""

    order: VenueOrder
    remaining: Decimal
    """What it may close at least; at most it may close all that it has not traded."""
    group: str
    chain: str
    is_exit: bool
    """It is known to be one, or nothing else can be meant."""
    waits: bool
    term: Term

    @property
    def side(self) -> Side:
        """Which way it trades."""
        return self.order.order.side

    @property
    def name(self) -> str:
        """Ours of it, or the venue's if it has none of ours."""
        return self.order.order.client_order_id or self.order.venue_order_id

    @property
    def at_most(self) -> Decimal:
        """Only of a leg whose numbers are some."""
        return subtract(self.order.order.quantity, self.order.filled_quantity)

    @property
    def may_trade(self) -> bool:
        """Now, as far as it can be read."""
        return self.term.fault is not Fault.UNREADABLE and not self.waits

    def protects_at(self, at: int) -> bool:
        """Whether it bounds the loss of what it closes at that instant."""
        return bounds_loss(self.order) and not self.waits and self.term.holds_at(at)


class Watch(msgspec.Struct, frozen=True):
    """One guard, and how long it protects. `is_held_back`: it sends nothing for a halt."""

    guard: Guard
    term: Term
    is_held_back: bool = False


Place: TypeAlias = tuple[str, str]
"""A symbol, and the bot that holds it."""


class Line:
    """One line, with all that there is for it."""

    def __init__(
        self,
        place: Place,
        position: Decimal,
        legs: Sequence[Leg],
        watches: Sequence[Watch],
    ) -> None:
        self._symbol, self._bot = place
        self._position = position
        self._held = position.copy_abs()
        self._side = closing_side(position) if position else None
        self.legs = legs
        self.watches = watches
        terms = [*[leg.term for leg in legs], *[watch.term for watch in watches]]
        self.ends = [term.until for term in terms if term.until is not None]
        """When what protects it ends, as far as it does; in no order."""

    @property
    def is_held(self) -> bool:
        """Whether there is anything to protect."""
        return bool(self._position)

    def covered_at(self, at: int) -> CoverageLine:
        """The line as what is there now covers it at this instant."""
        by_orders, by_guards, uncovered = self._parts_at(at)
        return CoverageLine(
            symbol=self._symbol,
            bot=self._bot,
            position=self._position,
            by_orders=by_orders,
            by_guards=by_guards,
            uncovered=uncovered,
            held_back=min(uncovered, self._guarded(at, held_back=True)) if uncovered else ZERO,
        )

    def mismatches(self, now: CoverageLine, soon: int) -> Iterable[Mismatch]:
        """All that is wrong with it as it is now, and will be at that instant; the worst first."""
        if now.uncovered:
            yield self._of_line(MismatchKind.UNCOVERED, now.uncovered)
        if self._ends_by(soon):
            _, _, uncovered = self._parts_at(soon)
            if uncovered > now.uncovered:
                ending = subtract(uncovered, now.uncovered)
                yield self._of_line(MismatchKind.EXPIRING, ending)
        if self.legs:
            yield from self._excess()
            yield from self._dead_orders()
        yield from self._bad_guards()

    def _parts_at(self, at: int) -> tuple[Decimal, Decimal, Decimal]:
        """What orders cover then by what is there now, what guards cover, and what nothing does."""
        by_orders = min(self._held, self._protected_by_orders(at))
        left = subtract(self._held, by_orders)
        if not left:
            return by_orders, left, left
        by_guards = min(left, self._guarded(at, held_back=False))
        return by_orders, by_guards, subtract(left, by_guards)

    def _ends_by(self, at: int) -> bool:
        """Whether anything that protects it ends until then."""
        return bool(self.ends) and min(self.ends) <= at

    def _of_line(self, kind: MismatchKind, quantity: Decimal) -> Mismatch:
        return Mismatch(
            kind=kind, symbol=self._symbol, bot=self._bot, quantity=quantity, side=self._side
        )

    def _protected_by_orders(self, at: int) -> Decimal:
        """Of a group one order trades; of a chain one lives, and it may be the smallest."""
        if not self.legs:
            return ZERO
        chains: dict[tuple[str, str], Decimal] = {}
        for leg in self.legs:
            if leg.side is self._side and leg.protects_at(at):
                key = (leg.group, leg.chain)
                chains[key] = min(chains.get(key, leg.remaining), leg.remaining)
        groups: dict[str, Decimal] = {}
        for (group, _), quantity in chains.items():
            groups[group] = max(groups.get(group, ZERO), quantity)
        return total(groups.values())

    def _guarded(self, at: int, *, held_back: bool) -> Decimal:
        guarded = ZERO
        for watch in self.watches:
            if (
                watch.is_held_back is held_back
                and watch.term.holds_at(at)
                and self._is_for_this(watch.guard)
            ):
                guarded = add(guarded, watch.guard.quantity.copy_abs())
        return guarded

    def _is_for_this(self, guard: Guard) -> bool:
        return bool(guard.quantity) and closing_side(guard.quantity) is self._side

    def _excess(self) -> Iterable[Mismatch]:
        """Orders on the closing side are more than is held; exits on the other close nothing.

        Where nothing is held, an exit on either side is too much.
        """
        for side in Side:
            legs = [leg for leg in self.legs if leg.side is side and leg.may_trade]
            if side is self._side:
                yield from self._more_than(self._held, legs)
                continue
            exits = [leg for leg in legs if leg.is_exit]
            if self._side is None:
                yield from self._more_than(ZERO, exits)
            else:
                for leg in exits:
                    yield self._of_leg(MismatchKind.WRONG_SIDE, leg, leg.at_most)

    def _more_than(self, held: Decimal, legs: Sequence[Leg]) -> Iterable[Mismatch]:
        """Of a group one order trades; it may be the largest."""
        groups: dict[str, Decimal] = {}
        for leg in legs:
            groups[leg.group] = max(groups.get(leg.group, ZERO), leg.at_most)
        closing = total(groups.values())
        if closing > held:
            yield Mismatch(
                kind=MismatchKind.OVER_COVERED,
                symbol=self._symbol,
                bot=self._bot,
                quantity=subtract(closing, held),
                side=legs[0].side,
            )

    def _dead_orders(self) -> Iterable[Mismatch]:
        """What should protect and does not. One that cannot be read is shown whatever it is."""
        for leg in self.legs:
            fault = Fault.NOT_LIVE if leg.waits and leg.term.fault is None else leg.term.fault
            if fault is None:
                continue
            if fault is Fault.UNREADABLE or (bounds_loss(leg.order) and leg.side is self._side):
                yield self._of_leg(MismatchKind.DEAD_ORDER, leg, leg.remaining, fault.value)

    def _bad_guards(self) -> Iterable[Mismatch]:
        for watch in self.watches:
            guard, fault = watch.guard, watch.term.fault
            if self._side is None:
                continue
            is_sound = fault is None and self._is_for_this(guard)
            if is_sound and not watch.is_held_back:
                continue
            kind = MismatchKind.WRONG_SIDE if fault is None else MismatchKind.STALE_GUARD
            kind = MismatchKind.HELD_BACK if is_sound else kind
            is_some = is_amount(guard.quantity)
            yield Mismatch(
                kind=kind,
                symbol=self._symbol,
                bot=self._bot,
                quantity=guard.quantity.copy_abs() if is_some else ZERO,
                subject=f"guard {guard.name} of {guard.bot}",
                detail="" if fault is None else fault.value,
            )

    def _of_leg(
        self, kind: MismatchKind, leg: Leg, quantity: Decimal, detail: str = ""
    ) -> Mismatch:
        return Mismatch(
            kind=kind,
            symbol=self._symbol,
            bot=self._bot,
            quantity=quantity,
            side=leg.side,
            subject=leg.name,
            detail=detail,
        )
