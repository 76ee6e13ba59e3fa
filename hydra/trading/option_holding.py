"""One contract that a bot holds, buys or sells, and what is to be done about it now.

An exit never waits for a good quote. It is a limit at the bid as long as there is one of late, so
that a wide market takes no more than it shows; if that is not filled in time, or is denied for its
price, or if there is no such quote, it is a market order. The exchange has to be open, and nothing
else.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import TypeAlias

import msgspec

from hydra.trading.durations import SECOND
from hydra.trading.exit_rules import EXIT_AGAIN_AFTER, ExitReason
from hydra.trading.exposure import is_price
from hydra.trading.hit_stops import HitStop, hit_among, hit_now
from hydra.trading.option_entry import AGAINST, WANTING
from hydra.trading.option_exits import OpenOption, PremiumExits, option_exit_reason
from hydra.trading.option_expiry import flat_by
from hydra.trading.option_prices import COARSE_STEPS, price_below
from hydra.trading.option_rules import printed
from hydra.trading.option_symbols import OptionSymbol
from hydra.trading.order_checks import session_is_open, trading_is_open
from hydra.trading.orders import DecisionKey, OrderType, Role
from hydra.trading.quotes import Quote
from hydra.trading.sessions import ExchangeSession, SessionTable
from hydra.trading.situation import PriceStep
from hydra.trading.strategies.strategy import Signal
from hydra.trading.strategy_feed import StrategyFeed
from hydra.trading.symbol_book import SymbolBook

EXIT_LIMIT_LASTS = 30 * SECOND
"""Market time within which an exit at the bid has to be filled."""

_DENY_ANY_ORDER = (trading_is_open.__name__, session_is_open.__name__)
"""Checks that an order at the market does not pass either, until a halt or a night is over."""


class HoldingTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What all contracts of a bot are held to. `calendar` reaches their expirations."""

    exits: PremiumExits
    calendar: SessionTable
    quote_age_ns_max: int
    entry_lasts: int
    """Market time (ns) within which an entry has to be filled."""


class Now(msgspec.Struct, frozen=True, kw_only=True):
    """The moment of a look, in market time. `session` None: the exchange is closed."""

    at: int
    session: ExchangeSession | None
    manage_until_passed: bool


class Sell(msgspec.Struct, frozen=True):
    """Close so much, at this limit; None: at the market."""

    quantity: Decimal
    limit_price: Decimal | None
    reason: str


class TakeOut(msgspec.Struct, frozen=True):
    """An order of ours that is to go."""

    decision: DecisionKey
    reason: str


Wish: TypeAlias = Sell | TakeOut | None


class OptionHolding:
    """See the module. `quote` is the newest that was told, of our time."""

    def __init__(self, book: SymbolBook, option: OptionSymbol, terms: HoldingTerms) -> None:
        self.book = book
        self.option = option
        self.quote: Quote | None = None
        self.is_turned = False
        """The strategy said the contrary of what is held, or is being bought, and has not wanted it
        again since.
        """
        self.steps: tuple[PriceStep, ...] = COARSE_STEPS
        """In which it is priced: the coarse ones are right where its listing was not seen."""
        self.hit: HitStop | None = None
        """A stop of what is held was hit: it is sold wherever the bid goes; None: none was."""
        self._terms = terms
        self._since: dict[DecisionKey, int] = {}
        """Since when each working order is known (market time)."""
        self._at_market = False
        """A limit did not get it out: from now on only the market does."""
        self._limit_exits: set[DecisionKey] = set()
        """Those of this life. What else rests was adopted, or left by an earlier one."""
        self._again_at = 0

    @property
    def position(self) -> Decimal:
        """In contracts."""
        return self.book.inventory.position

    @property
    def is_taken(self) -> bool:
        """Something is held, or may come to be."""
        return bool(self.position or self.book.working)

    def usable_quote(self, at: int) -> Quote | None:
        """The newest, if it is of late. The feed tells only of those with two sides."""
        quote = self.quote
        if quote is None or not 0 <= at - quote.at <= self._terms.quote_age_ns_max:
            return None
        return quote

    def hear(self, signal: Signal | None) -> None:
        """What the strategy says now."""
        if signal in AGAINST[self.option.right]:
            self.is_turned = self.is_taken
        elif signal in WANTING[self.option.right]:
            self.is_turned = False

    def recall(self, strategy: StrategyFeed, since: int) -> None:
        """What the strategy said of bars after `since` (market time), be it of history or while
        nothing was known of this: what is held is held to the last of it since it was opened.
        """
        lots, right = self.book.inventory.lots, self.option.right
        if lots:
            words = (*AGAINST[right], *WANTING[right])
            self.hear(strategy.last_said(words, max(since, lots[0].opened_at)))

    def recall_hits(self, hits: Iterable[HitStop]) -> None:
        """What is on record of stops that were hit."""
        found = hit_among(hits, self.book.bot, self.book.inventory)
        self.hit = self.hit if found is None else found

    def sold(self, decision: DecisionKey, limit_price: Decimal | None) -> None:
        """The order to sell is on its way to the guardian."""
        if limit_price is not None:
            self._limit_exits.add(decision)

    def denied(self, decision: DecisionKey, order_type: OrderType, check: str, at: int) -> None:
        """The guardian let it not pass, by this check: after a limit the market is next, unless it
        would have met the same. That is not tried again at once.
        """
        self.book.denied(decision)
        if decision.role is not Role.EXIT:
            return
        if order_type is OrderType.LIMIT and check not in _DENY_ANY_ORDER:
            self._at_market = True
        else:
            self._again_at = at + EXIT_AGAIN_AFTER

    def wish(self, now: Now) -> Wish:
        """What to do now; None: nothing."""
        self._since = {key: self._since.get(key, now.at) for key in self.book.working}
        if self.position <= 0:
            self._at_market = False
            self.is_turned = self.is_turned and bool(self.book.working)
        reason = self._reason_to_leave(now)
        late = self._late_order(now, is_leaving=reason is not None)
        if late is not None:
            return late
        if reason is None or self.book.working or now.session is None or now.at < self._again_at:
            return None
        quote = None if self._at_market else self.usable_quote(now.at)
        limit = None if quote is None else price_below(printed(quote.bid), self.steps)
        return Sell(self.position, limit, reason)

    def _late_order(self, now: Now, *, is_leaving: bool) -> TakeOut | None:
        for working in self.book.working.values():
            decision, age = working.decision, now.at - self._since[working.decision]
            match decision.role:
                case Role.ENTRY if is_leaving or now.manage_until_passed or self.is_turned:
                    return TakeOut(decision, "it is to be closed")
                case Role.ENTRY if age >= self._terms.entry_lasts:
                    return TakeOut(decision, "it was not filled in time")
                case Role.EXIT if decision in self._limit_exits:
                    if age >= EXIT_LIMIT_LASTS:
                        self._at_market = True
                        return TakeOut(decision, "it was not filled in time: the market is next")
                case Role.PROTECT | Role.EXIT if is_leaving and working.rests:
                    return TakeOut(decision, "an exit comes in its place")
                case _:
                    pass
        return None

    def _reason_to_leave(self, now: Now) -> str | None:
        premium = self.book.inventory.average_price
        if self.position <= 0 or premium is None:
            return None
        if not is_price(premium):  # it was assigned as got for nothing: any price is a gain
            return ExitReason.TAKE_PROFIT.value
        quote = self.usable_quote(now.at)
        rule = option_exit_reason(
            OpenOption(
                exits=self._terms.exits,
                premium=premium,
                opened_at=self.book.inventory.lots[0].opened_at,
                bid=None if quote is None else printed(quote.bid),
                at=now.at,
                close_at=None if now.session is None else now.session.close_at,
                flat_by=flat_by(self.option.expiration, self._terms.calendar),
                manage_until_passed=now.manage_until_passed,
            )
        )
        reason = None if rule is None else rule.value
        self.hit = hit_now(self.hit, reason, self.book.bot, self.book.inventory)
        if self.hit is not None:
            return self.hit.reason
        if reason is not None:
            return reason
        return "signal" if self.is_turned else None
