"""By which rules a position is closed whose bot does not look after it any more.

They are the bot's own, as it is configured. Without them, or for what they do not cover (a short
position), there is one rule: it is closed as soon as its market is open.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal

import msgspec

from hydra.trading.bars import Bar
from hydra.trading.coin_orders import CoinTerms
from hydra.trading.exit_rules import ExitRules, exit_reason
from hydra.trading.hit_stops import BOTS_STOP
from hydra.trading.inventory import FifoInventory
from hydra.trading.protection import ProtectionTerms
from hydra.trading.sessions import SessionTable, Window, hours_of

NO_RULES = "no rules of its bot are known"
NOT_LONG = "no rules of its bot are for a short position"


class ExitPlan(msgspec.Struct, frozen=True, kw_only=True):
    """One bot's rules. `symbols` are what they are for.

    `flat_before_close`: so long before its market closes (ns) nothing is held; None: it does not.
    """

    bot: str
    symbols: tuple[str, ...]
    rules: ExitRules
    manage_window: Window
    flat_before_close: int | None


class ExitTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What the exit bot is held to. Durations are ns; all numbers are over zero.

    `bots` are those that run; `plans` may be of others as well. `reading_loops_max`: so many loops
    ago what the venue shows may have been read. `confirm_within` is how long something may be
    unprotected before entries stop, `repair_within` before that is latched, in machine time.
    `guard_age_max` is market time: a guard must have looked since, at a price that is no older.
    """

    sessions: SessionTable
    bots: frozenset[str]
    plans: tuple[ExitPlan, ...]
    coins: Mapping[str, CoinTerms]
    guard_age_max: int
    reading_loops_max: int
    confirm_within: int
    repair_within: int
    option_calendar: SessionTable | None = None
    """The exchange's sessions up to the last expiration; None: no contracts are held here."""

    @property
    def protection(self) -> ProtectionTerms:
        """The same for `exit_coverage`; how old the reading is, is judged here."""
        return ProtectionTerms(
            sessions=self.option_calendar or self.sessions,
            snapshot_age_ns_max=1,
            guard_age_ns_max=self.guard_age_max,
            price_age_ns_max=self.guard_age_max,
            expiring_ns=self.guard_age_max,
        )


def reason_to_close(
    plan: ExitPlan | None,
    inventory: FifoInventory,
    bars: Iterable[Bar],
    sessions: SessionTable,
    at: int,
    stop_price: Decimal | None = None,
) -> str | None:
    """Why what is held is to be closed now (market time `at`); None: nothing says so.

    `bars` are those that its bot has not looked at, in order; without any, time alone decides.
    `stop_price`: where its bot would have closed it, by what it said before them (`Guard`).
    """
    average = inventory.average_price
    if plan is None or inventory.symbol not in plan.symbols:
        return NO_RULES
    if average is None or inventory.position <= 0:
        return NOT_LONG
    if _is_over(plan, inventory.symbol, sessions, at):
        return "session_end"
    opened_at = inventory.lots[0].opened_at
    for bar in bars:
        reason = exit_reason(
            plan.rules,
            entry_price=average,
            opened_at=opened_at,
            bar=bar,
            at=bar.end_at,
            manage_until_passed=False,
        )
        if reason is not None:
            return reason.value
        if bar.end_at > opened_at:
            if stop_price is not None and Decimal(repr(bar.low)) <= stop_price:
                return BOTS_STOP
            stop_price = trailed(plan.rules, stop_price, bar)
    return "time_stop" if at - opened_at >= plan.rules.time_stop_ns else None


def risen(
    rules: ExitRules, opened_at: int, bars: Iterable[Bar], stop_price: Decimal | None
) -> Decimal | None:
    """The highest price by which these bars have raised a trailing stop from `stop_price`."""
    highest = None
    for bar in bars:
        if bar.end_at > opened_at and (level := trailed(rules, stop_price, bar)) != stop_price:
            stop_price, highest = level, Decimal(repr(bar.high))
    return highest


def trailed(rules: ExitRules, stop_price: Decimal | None, bar: Bar) -> Decimal | None:
    """Where the stop is after this bar: a trailing one follows its high, and never goes back."""
    level = rules.trailing_price(Decimal(repr(bar.high)))
    if level is None or (stop_price is not None and stop_price >= level):
        return stop_price
    return level


def _is_over(plan: ExitPlan, symbol: str, sessions: SessionTable, at: int) -> bool:
    """No position is to be held any more: past `manage_until`, or just before a real close."""
    if not plan.manage_window.contains(at):
        return True
    session = hours_of(symbol, sessions).at(at)
    lead = plan.flat_before_close
    return session is not None and lead is not None and at >= session.close_at - lead
