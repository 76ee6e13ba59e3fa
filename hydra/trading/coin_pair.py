"""What the crypto bot wants in one pair: decided from the last bar, its signal, and what is booked.

Pure. `at` is market time (UTC ns): the end of the last bar, or later where no bar comes.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import TypeAlias

import msgspec

from hydra.trading.bars import Bar, late_after
from hydra.trading.coin_orders import CoinEntry, CoinTerms, EntryTerms, entry_of
from hydra.trading.denied_entries import DeniedEntries
from hydra.trading.exit_rules import ExitRules, exit_reason
from hydra.trading.fees import FeeSchedule
from hydra.trading.hit_stops import HitStop, hit_among, hit_now
from hydra.trading.orders import DecisionKey, Role
from hydra.trading.sessions import Window
from hydra.trading.strategies.strategy import Signal
from hydra.trading.strategy_feed import StrategyFeed
from hydra.trading.symbol_book import SymbolBook


class PairRules(msgspec.Struct, frozen=True, kw_only=True):
    """What holds in every pair. Durations are ns of market time.

    `manage_window` runs from trade_start to manage_until. `entry_lasts`: how long an entry may work
    after the bar that it was decided on; then its signal is history.
    """

    trade_window: Window
    manage_window: Window
    entry: EntryTerms
    entry_lasts: int
    entry_gap: int
    """Between two entries of the bot, in whatever pairs."""
    exits: ExitRules
    fees: FeeSchedule
    max_trades_per_day: int
    max_positions: int


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """What the bot has in all its pairs together, this one too: entries of the day, positions.

    `too_soon`: its last entry was less than the least gap between two ago. A signal waits for that.
    """

    entries: int
    positions: int
    too_soon: bool = False


class Enter(msgspec.Struct, frozen=True):
    """Buy."""

    entry: CoinEntry


class Leave(msgspec.Struct, frozen=True):
    """Sell so much, at whatever the market is."""

    quantity: Decimal
    reason: str


class TakeOut(msgspec.Struct, frozen=True):
    """Have an order of before canceled."""

    decision: DecisionKey
    reason: str


class Nothing(msgspec.Struct, frozen=True):
    """And why."""

    reason: str


Wish: TypeAlias = Enter | Leave | TakeOut | Nothing


class CoinPair:
    """One pair of the bot's: its book, its strategy, the last bar."""

    def __init__(self, book: SymbolBook, strategy: StrategyFeed, coin: CoinTerms) -> None:
        self.book = book
        self.strategy = strategy
        self.coin = coin
        self.bar: Bar | None = None
        """The newest that is news; None: since the start, or since bars were missed, none is."""
        self.hit: HitStop | None = None
        """A stop of what is held was hit: it is sold wherever the price goes; None: none was."""
        self._entered_at: dict[DecisionKey, int] = {}
        self._denials = DeniedEntries()

    @property
    def symbol(self) -> str:
        """The pair's name."""
        return self.book.symbol

    def at(self, now: int) -> int | None:
        """What time it is for a decision: the last bar's end, as long as bars come; else `now`."""
        if self.bar is None:
            return None
        late = late_after(self.bar.end_at - self.bar.start_at)
        return now if now - self.bar.end_at > late else self.bar.end_at

    @property
    def price(self) -> Decimal | None:
        """The last bar's close; None: there is none."""
        return None if self.bar is None else Decimal(repr(self.bar.close))

    @property
    def is_taken(self) -> bool:
        """Whether it counts as a position: something is held that can be sold, or an order works.

        What is owed counts too.
        """
        return bool(self.book.working) or self._holds

    @property
    def _holds(self) -> bool:
        position, price = self.book.inventory.position, self.price
        if price is None or position < 0:
            return bool(self.book.sellable)
        return not self.coin.is_dust(position, price)

    def entered(self, decision: DecisionKey, at: int) -> None:
        """An entry was decided on at this time."""
        self._entered_at = {key: since for key, since in self._entered_at.items() if self._has(key)}
        self._entered_at[decision] = at

    def denied(self, decision: DecisionKey, at: int) -> None:
        """The guardian refused what was decided at this time."""
        self.book.denied(decision)
        if decision.role is Role.ENTRY:
            self._denials.denied(at)

    def heard_of(self, decision: DecisionKey) -> None:
        """There is a report of an order, so that it was not denied."""
        if decision.role is Role.ENTRY:
            self._denials.passed()

    def recall(self, hits: Iterable[HitStop]) -> None:
        """What is on record of stops that were hit."""
        found = hit_among(hits, self.book.bot, self.book.inventory)
        self.hit = self.hit if found is None else found

    def wish(self, at: int, rules: PairRules, totals: Totals) -> Wish:
        """What is to be done now."""
        assert self.bar is not None, "nobody decides before the first bar"
        entry = next(iter(self.book.working_as(Role.ENTRY)), None)
        is_over = not rules.manage_window.contains(at)
        if self._holds and self.book.sellable > 0 and not self.book.is_leaving:
            # Also while the rest of the entry works: what is filled of it is guarded (I30).
            reason = self._reason_to_leave(self.bar, at, is_over, rules.exits)
            if reason is not None and entry is not None:
                return TakeOut(entry.decision, f"what it bought is to be sold: {reason}")
            if reason is not None and self.book.resting:
                return TakeOut(self.book.resting[0].decision, f"it is to be sold now: {reason}")
            if reason is not None:
                return Leave(self.coin.part_to_sell(self.book.sellable, self.price), reason)
        if entry is not None:
            # One of an earlier life was decided on nobody knows when.
            since = self._entered_at.get(entry.decision)
            if since is None or not 0 <= at - since < rules.entry_lasts:
                return TakeOut(entry.decision, "its signal is history")
            if not rules.trade_window.contains(at):
                return TakeOut(entry.decision, "the trade window is over")
        if self.book.working:
            return Nothing("an order is working")
        if self._holds:
            return Nothing(
                "it is short"
                if self.book.inventory.position < 0
                else "it holds a position, and nothing says to close it"
            )
        self.strategy.is_out()
        self.hit = None
        reason = self._reason_not_to_enter(at, rules, totals)
        return Nothing(reason) if reason else self._entry(self.bar, at, rules)

    def _reason_to_leave(self, bar: Bar, at: int, is_over: bool, exits: ExitRules) -> str | None:
        position = self.coin.without_dust(self.book.inventory, Decimal(repr(bar.close)))
        average = position.average_price
        assert average is not None, "there is a position"
        rule = exit_reason(
            exits,
            entry_price=average,
            opened_at=position.lots[0].opened_at,
            bar=bar,
            at=at,
            manage_until_passed=is_over,
        )
        reason = None if rule is None else rule.value
        self.hit = hit_now(self.hit, reason, self.book.bot, position)
        if self.hit is not None:
            return self.hit.reason
        if reason is not None:
            return reason
        return "signal" if self.strategy.wants_out(position.lots[0].opened_at) else None

    def _reason_not_to_enter(self, at: int, rules: PairRules, totals: Totals) -> str:
        if not self.strategy.has_history:
            return "the bars of before its start are not here yet"
        if self.bar is None or at != self.bar.end_at:
            return "no bar has come for too long"
        if not (rules.trade_window.contains(at) and rules.manage_window.contains(at)):
            return "it is outside its trade window"
        if totals.entries >= rules.max_trades_per_day:
            return f"it has made its {totals.entries} entries of the day"
        if denied := self._denials.why_not(at):
            return denied
        if self.strategy.entry(self.book.entered_at) is not Signal.ENTER_LONG:
            return "the strategy gives no signal"
        if totals.positions >= rules.max_positions:
            return f"it has {totals.positions} positions, of at most {rules.max_positions}"
        return "its last entry was just now" if totals.too_soon else ""

    def _entry(self, bar: Bar, at: int, rules: PairRules) -> Enter | Nothing:
        price = Decimal(repr(bar.close))
        share = rules.fees.coin_share(at)
        found = entry_of(price, rules.entry, self.coin, rules.exits, share)
        return Nothing(found) if isinstance(found, str) else Enter(found)

    def _has(self, decision: DecisionKey) -> bool:
        return decision in self.book.working
