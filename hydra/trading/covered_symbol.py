"""One symbol of the covered account: all that is told of it, and what is found of it by that."""

from collections.abc import Iterable
from decimal import Decimal
from typing import TypeAlias

from hydra.trading.account_picture import Execution, KnownOrder, as_of
from hydra.trading.coin_orders import CoinTerms
from hydra.trading.coverage import NOTHING, Attribution, matched
from hydra.trading.coverage_times import (
    NEVER,
    all_protect,
    holds_until,
    looks_hold_until,
    oldest_looks_end,
)
from hydra.trading.exact import add, subtract
from hydra.trading.inventory import FillBook
from hydra.trading.protection import Guard, ProtectionTerms
from hydra.trading.trading_state import Cause, TradingState, state_for
from hydra.trading.venue_clock import SKEW
from hydra.trading.venue_view import VenueSnapshot

Place: TypeAlias = tuple[str, str]
"""A bot, and a symbol."""

ZERO = Decimal(0)
NOTHING_FOUND = NOTHING.coverage


class CoveredSymbol:
    """Whoever tells it something that may change what is found sets `is_told`. Where only what the
    account shows of it may be otherwise, `is_redrawn` will do: it is looked at first whether it is.

    What was found holds over [`since`, `until`) of market time then, if nothing is told.
    """

    def __init__(self, symbol: str, coin: CoinTerms | None, reading: VenueSnapshot | None) -> None:
        self.symbol = symbol
        self.reading = reading
        """What the venue showed of it last; None: it showed nothing of anything."""
        self.books: dict[str, FillBook] = {}
        """By bot."""
        self.places: list[Place] = []
        """Those of the books."""
        self.orders: dict[str, KnownOrder] = {}
        """Those on record, by name."""
        self.executions: list[Execution] = []
        self.excluded: Decimal | None = None
        self.excluded_orders: frozenset[str] = frozenset()
        """Those of all symbols, by the venue's names."""
        self.positions: dict[Place, Decimal] = {}
        """What each bot holds that can be sold, signed."""
        self.price: Decimal | None = None
        self.is_told = True
        self.is_redrawn = False
        self.coverage = NOTHING_FOUND
        """That very one if there is nothing to protect, and nothing wrong."""
        self.since, self.until = NEVER, 0
        self._coin = coin
        self._dust: Decimal | None = None
        self._guards: dict[str, dict[str, Guard]] = {}
        """By bot, then by the guard's name."""
        self._own_guards: tuple[Guard, ...] = ()
        self._ends = 0
        """As `until`, if all guards went on looking."""
        self._is_guarded = False
        """Every guard was found to protect."""
        self._seen: object = None
        """What was matched, but for guards."""

    # What is told

    def show(self, reading: VenueSnapshot) -> bool:
        """The venue has shown this of it. Gives whether another picture than before may follow.

        What was executed before has to be told again if the venue did not show that yet.
        """
        before, is_rolled_on = self.reading, bool(self.orders or self.executions)
        self.reading, self.executions = reading, []
        if (
            is_rolled_on
            or before is None
            or before.positions != reading.positions
            or before.orders != reading.orders
        ):
            self.is_redrawn = True
        return self.is_redrawn

    def weigh(self) -> None:
        """A book has changed, or the price: see what can be sold, and what is dust."""
        before = (self.positions, self._dust)
        self.positions, self._dust = {}, None
        for bot, book in self.books.items():
            sellable = self.sellable(book.position)
            if sellable:
                self.positions[(bot, self.symbol)] = sellable
            left = subtract(book.position, sellable)
            if left:
                self._dust = add(ZERO if self._dust is None else self._dust, left)
        if (self.positions, self._dust) != before:
            self.is_told = True

    def sellable(self, position: Decimal) -> Decimal:
        """Of a coin, without dust; a share and a contract can always be sold."""
        return position if self._coin is None else self._coin.sellable(position, self.price)

    def looked(self, guard: Guard) -> bool:
        """A guard has looked. Gives whether it is for another quantity than before."""
        guards = self._guards.setdefault(guard.bot, {})
        before = guards.get(guard.name)
        if guard.quantity:
            guards[guard.name] = guard
        else:
            guards.pop(guard.name, None)
        if before is None:
            self.is_told = True
            return True
        self._look_again(before, guard)
        return before.quantity != guard.quantity

    def forget_guards(self, bot: str) -> None:
        """They are no more."""
        if self._guards.pop(bot, None):
            self.is_told = True

    def watched(self, guards: tuple[Guard, ...]) -> None:
        """So it is watched from here now, one guard a bot at most, whatever was before."""
        before = self._own_guards
        self._own_guards = guards
        if [each.bot for each in before] != [each.bot for each in guards]:
            self.is_told = True
            return
        for one, other in zip(before, guards, strict=True):
            self._look_again(one, other)

    def _look_again(self, before: Guard, guard: Guard) -> None:
        """It matters only if the rule is another one, or did not protect, or if its clock is odd.

        It moves `until` away; that is seen to when the time has come.
        """
        if not self._is_guarded or not _is_later(guard, before):
            self.is_told = True
        else:
            assert guard.looked_at is not None and guard.price_at is not None, "it is later"
            self.since = max(self.since, guard.looked_at - SKEW, guard.price_at - SKEW)

    # What is known

    def guards_of(self, bot: str) -> Iterable[Guard]:
        """Its guards, as they last looked."""
        guards = self._guards.get(bot)
        return () if guards is None else guards.values()

    @property
    def guards(self) -> list[Guard]:
        """All of them, those from here at the end."""
        told = [guard for guards in self._guards.values() for guard in guards.values()]
        return [*told, *self._own_guards]

    @property
    def dust(self) -> Decimal | None:
        """What is held and cannot be sold; None: nothing."""
        return self._dust

    def match(self, at: int, terms: ProtectionTerms, causes: tuple[Cause, ...]) -> bool:
        """See what is covered at `at`. Gives whether that may be another coverage than before."""
        assert self.reading is not None, "without a reading there is nothing to match"
        if not self.is_told and not self.is_redrawn and self._holds_on(at, terms):
            return False
        picture = as_of(at, self.reading, self.orders, self.executions)
        whose = self._attribution(picture)
        seen = (picture.positions, picture.orders, whose)
        self.is_redrawn = False
        if not self.is_told and seen == self._seen and self._holds_on(at, terms):
            return False
        guards = self.guards
        halted = halted_places(guards, causes)
        found = matched(picture, guards, whose, terms, at, halted=halted)
        before = self.coverage
        self.coverage = NOTHING_FOUND if found.coverage == NOTHING_FOUND else found.coverage
        self._seen, self.is_told = seen, False
        self._is_guarded = all_protect(found.lines)
        self._ends = holds_until(found.lines, terms, at)
        self.since, self.until = at, min(self._ends, looks_hold_until(guards, terms, at))
        return self.coverage is not before

    def _holds_on(self, at: int, terms: ProtectionTerms) -> bool:
        """Whether what was found of this picture holds yet; its guards may have looked again."""
        until = oldest_looks_end(self.guards, terms) if self._is_guarded else self.until
        if not self.since <= at < min(self._ends, until):
            return False
        self.until = min(self._ends, until)
        return True

    def _attribution(self, picture: VenueSnapshot) -> Attribution:
        """Whose is what, as far as the picture shows it."""
        excluded = self.excluded
        if self._dust is not None:
            excluded = add(ZERO if excluded is None else excluded, self._dust)
        names = [each.order.client_order_id for each in picture.orders]
        return Attribution(
            positions=self.positions,
            decisions={name: self.orders[name].decision for name in names if name in self.orders},
            excluded={} if excluded is None else {self.symbol: excluded},
            excluded_orders=self.excluded_orders,
        )


def _is_later(guard: Guard, before: Guard) -> bool:
    """The same rule has looked, not before it had."""
    return (
        guard.quantity == before.quantity
        and guard.since == before.since
        and guard.until == before.until
        and _is_not_before(guard.looked_at, before.looked_at)
        and _is_not_before(guard.price_at, before.price_at)
    )


def _is_not_before(then: int | None, before: int | None) -> bool:
    return then is not None and before is not None and then >= before


def halted_places(guards: Iterable[Guard], causes: tuple[Cause, ...]) -> set[Place]:
    """Of which bot and symbol no order passes, as far as there are guards."""
    if not causes:
        return set()
    return {
        (guard.bot, guard.symbol)
        for guard in guards
        if state_for(causes, guard.bot, guard.symbol) is TradingState.HALTED
    }
