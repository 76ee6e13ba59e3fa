"""Checks of how much was attempted lately. Attempts count, whatever became of them (I36).

Entries and exits are counted apart, so that no bot that enters like mad keeps one from leaving.
"""

from decimal import Decimal

from hydra.trading.durations import in_ms
from hydra.trading.exact import add
from hydra.trading.money_checks import order_value
from hydra.trading.orders import Role
from hydra.trading.situation import Situation


def rejections_are_within_limit(s: Situation) -> str | None:
    """What the venue refused again and again in this symbol it will not take now."""
    if s.proposal.reduces:
        return None
    found, allowed = s.rates.rejections_in_a_row, s.limits.rejections_in_a_row_max
    return _one_more(f"rejections in a row in {s.proposal.symbol}", found, allowed)


def entry_rate_is_within_limit(s: Situation) -> str | None:
    """All bots together."""
    if s.proposal.reduces:
        return None
    found, allowed = s.rates.entries_last_minute, s.limits.entries_per_minute_max
    return _one_more("entries in the last minute", found, allowed)


def symbol_entry_rate_is_within_limit(s: Situation) -> str | None:
    """All bots in this symbol."""
    if s.proposal.reduces:
        return None
    found, allowed = s.rates.entries_last_minute_symbol, s.limits.entries_per_minute_symbol_max
    return _one_more(f"entries in {s.proposal.symbol} in the last minute", found, allowed)


def exit_rate_is_within_limit(s: Situation) -> str | None:
    """What leaves has its own allowance: wide, but no loop may use up all that the broker takes."""
    if not s.proposal.reduces:
        return None
    found, allowed = s.rates.exits_last_minute, s.limits.exits_per_minute_max
    return _one_more("exits in the last minute", found, allowed)


def entry_gap_is_kept(s: Situation) -> str | None:
    """A bot waits between two entries. One that lies in the future is not long enough ago."""
    if s.proposal.reduces:
        return None
    last, gap_ns = s.rates.last_entry_at, s.limits.entry_gap_ns_min
    if last is None or s.at - last >= gap_ns:
        return None
    return f"the bot's last entry was {_ago(s.at - last)}, at least {in_ms(gap_ns):f} ms wanted"


def window_notional_is_within_limit(s: Situation) -> str | None:
    """All entries of the last minutes, and this one."""
    if s.proposal.reduces:
        return None
    found, allowed = s.rates.notional_in_window, s.limits.notional_per_window_usd_max
    return _and_this("entries within the window", found, allowed, s)


def entries_today_are_within_limit(s: Situation) -> str | None:
    """All bots together, since the session began, and this one."""
    if s.proposal.reduces:
        return None
    found, allowed = s.rates.entries_today, s.limits.entries_per_day_max
    own, own_max = s.rates.bot_entries_today, s.limits.bot_entries_per_day_max
    return _one_more("entries today", found, allowed) or _one_more(
        "entries of the bot today", own, own_max
    )


def notional_today_is_within_limit(s: Situation) -> str | None:
    """All entries since the session began, and this one."""
    if s.proposal.reduces:
        return None
    found, allowed = s.rates.notional_today, s.limits.notional_per_day_usd_max
    return _and_this("entries today", found, allowed, s)


def order_is_not_repeated(s: Situation) -> str | None:
    """Two orders alike within a few seconds are one mistake, whatever they are called (I16)."""
    last = s.rates.last_similar_at
    if is_no_repetition(s) or last is None or s.at - last >= s.limits.similar_order_ns:
        return None
    return (
        f"an order like it was sent {_ago(s.at - last)}, "
        f"at least {in_ms(s.limits.similar_order_ns):f} ms wanted"
    )


def is_no_repetition(s: Situation) -> bool:
    """Whether the order may be like the last one, however soon.

    An exit is a mistake only while something of the bot's is still closing the position: once all
    that has ended, what is left is proven by fills, and to keep it open would be the greater risk.
    One that takes the place of its like cannot double it. But what the venue refuses again and
    again is not asked for in a loop: that would use up what all bots have to leave with.
    """
    order = s.proposal
    is_over = s.book.bot_reducing_live == 0 and (
        order.role is Role.FLATTEN or s.rates.rejections_in_a_row < s.limits.rejections_in_a_row_max
    )
    return order.reduces and (is_over or order.replaces is not None)


def round_trips_are_within_limit(s: Situation) -> str | None:
    """A bot that goes in and out in a loop is stopped until a person has looked (I39)."""
    if s.proposal.reduces:
        return None
    found, allowed = s.rates.round_trips_today, s.limits.round_trips_per_day_max
    return _one_more("round trips of the bot today", found, allowed)


def _one_more(what: str, found: int, allowed: int) -> str | None:
    """Whether there is room for one more."""
    return None if found < allowed else f"{found} {what}, at most {allowed} allowed"


def _and_this(what: str, found: Decimal, allowed: Decimal, s: Situation) -> str | None:
    value = order_value(s.proposal, s.market.price)
    if value is None:
        return f"no price for {s.proposal.symbol}"
    if add(found, value) <= allowed:
        return None
    return f"{what} are worth {found:f} USD, {value:f} USD more make more than {allowed:f} USD"


def _ago(duration_ns: int) -> str:
    if duration_ns < 0:
        return f"{in_ms(-duration_ns):f} ms from now (market time went backwards)"
    return f"{in_ms(duration_ns):f} ms ago"
