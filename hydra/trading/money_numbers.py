"""What the checks of what an entry puts at stake, and of how much there was, look at.

See `explaining`.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal

from hydra.trading import money_checks, rate_checks
from hydra.trading.check_numbers import (
    Look,
    Number,
    count,
    of_entries,
    share,
    since,
    usd,
)
from hydra.trading.durations import in_seconds
from hydra.trading.exact import percent_of, subtract
from hydra.trading.money_checks import order_value
from hydra.trading.orders import Role
from hydra.trading.risk_checks import Check
from hydra.trading.situation import Situation


def _quantity(s: Situation) -> tuple[Number, ...]:
    unit = s.proposal.symbol
    return (
        Number("quantity", s.proposal.quantity, unit),
        Number("at most", s.limits.order_quantity_max, unit),
    )


def _value(s: Situation) -> tuple[Number, ...]:
    value = order_value(s.proposal, s.market.price)
    return (usd("order value", value), usd("at most", s.limits.order_notional_usd_max))


def _symbol_exposure(s: Situation) -> tuple[Number, ...]:
    return (
        usd("exposure in the symbol after it", s.book.symbol_exposure_after),
        usd("at most", s.limits.symbol_exposure_usd_max),
    )


def _bot_exposure(s: Situation) -> tuple[Number, ...]:
    return (
        usd("exposure of the bot after it", s.book.bot_exposure_after),
        usd("at most", s.limits.bot_exposure_usd_max),
    )


def _equity(s: Situation) -> tuple[Number, ...]:
    return (
        usd("equity", s.equity.equity),
        usd("when the day began", s.equity.day_start),
        usd("at its peak", s.equity.peak),
        Number("each above", 0, "USD"),
    )


def _gross_exposure(s: Situation) -> tuple[Number, ...]:
    found, pct = s.book.gross_exposure_after, s.limits.gross_exposure_pct_max
    return share("gross exposure after it", found, "equity", s.equity.equity, pct)


def _cash_reserve(s: Situation) -> tuple[Number, ...]:
    cash, buying, equity = s.equity.cash, s.book.buying_after, s.equity.equity
    shorts, pct = s.book.shorts_after, s.limits.cash_reserve_pct
    left = None
    if cash is not None and buying is not None and shorts is not None:
        left = subtract(subtract(cash, buying), shorts)
    return (
        usd("cash", cash),
        usd("working buys and this one", buying),
        *(() if shorts == 0 else (usd("to buy back what is short", shorts),)),
        usd("cash after it", left),
        usd("at least", None if equity is None else percent_of(equity, pct)),
        Number("that is", pct, "%"),
        usd("equity", equity),
    )


def _heat(s: Situation) -> tuple[Number, ...]:
    found, pct = s.book.heat_after, s.limits.heat_pct_max
    return share("open risk after it", found, "equity", s.equity.equity, pct)


def _daily_loss(s: Situation) -> tuple[Number, ...]:
    start, now, pct = s.equity.day_start, s.equity.equity, s.limits.daily_loss_pct_max
    shares = share("loss today", _fall(start, now), "equity when the day began", start, pct)
    return (*shares, usd("equity now", now))


def _drawdown(s: Situation) -> tuple[Number, ...]:
    peak, now, pct = s.equity.peak, s.equity.equity, s.limits.drawdown_pct_max
    shares = share("drawdown", _fall(peak, now), "equity at its peak", peak, pct)
    return (*shares, usd("equity now", now))


def _budget_of(whose: str, left_of: Callable[[Situation], Decimal | None]) -> Look:
    def look(s: Situation) -> tuple[Number, ...]:
        return (
            usd("loss at its stop", s.book.loss_at_stop),
            usd(f"budget left for the {whose}", left_of(s)),
        )

    return look


def _rejections(s: Situation) -> tuple[Number, ...]:
    found, allowed = s.rates.rejections_in_a_row, s.limits.rejections_in_a_row_max
    return count("rejections in a row", found, allowed)


def _entry_rate(s: Situation) -> tuple[Number, ...]:
    found, allowed = s.rates.entries_last_minute, s.limits.entries_per_minute_max
    return count("entries in the last minute", found, allowed)


def _symbol_entry_rate(s: Situation) -> tuple[Number, ...]:
    found, allowed = s.rates.entries_last_minute_symbol, s.limits.entries_per_minute_symbol_max
    return count(f"entries in {s.proposal.symbol} in the last minute", found, allowed)


def _exit_rate(s: Situation) -> tuple[Number, ...] | None:
    if not s.proposal.reduces:
        return None
    found, allowed = s.rates.exits_last_minute, s.limits.exits_per_minute_max
    return count("exits in the last minute", found, allowed)


def _entries_today(s: Situation) -> tuple[Number, ...]:
    of_all, own_max = s.limits.entries_per_day_max, s.limits.bot_entries_per_day_max
    return (
        *count("entries today", s.rates.entries_today, of_all),
        # Where the limit of all is reached before, there is none of the bot.
        *(count("of the bot", s.rates.bot_entries_today, own_max) if own_max < of_all else ()),
    )


def _round_trips(s: Situation) -> tuple[Number, ...]:
    found, allowed = s.rates.round_trips_today, s.limits.round_trips_per_day_max
    return count("round trips of the bot today", found, allowed)


def _window_notional(s: Situation) -> tuple[Number, ...]:
    what = f"entries of the last {in_seconds(s.limits.notional_window_ns):f} s"
    return _and_this(what, s.rates.notional_in_window, s.limits.notional_per_window_usd_max, s)


def _notional_today(s: Situation) -> tuple[Number, ...]:
    return _and_this("entries today", s.rates.notional_today, s.limits.notional_per_day_usd_max, s)


def _entry_gap(s: Situation) -> tuple[Number, ...]:
    return since("bot's last entry", s.rates.last_entry_at, s.limits.entry_gap_ns_min, s)


def _similar(s: Situation) -> tuple[Number, ...] | None:
    order, is_leaving = s.proposal, s.book.bot_reducing_live != 0
    last = since("last order like it", s.rates.last_similar_at, s.limits.similar_order_ns, s)
    if not order.reduces or (is_leaving and order.replaces is None):
        return last
    if order.replaces is not None or order.role is Role.FLATTEN:
        return None
    rejected, most = s.rates.rejections_in_a_row, s.limits.rejections_in_a_row_max
    return (*count("rejected in a row", rejected, most), *last)


def _and_this(what: str, found: Decimal, allowed: Decimal, s: Situation) -> tuple[Number, ...]:
    value = order_value(s.proposal, s.market.price)
    return (usd(what, found), usd("this one", value), usd("together at most", allowed))


def _fall(since: Decimal | None, now: Decimal | None) -> Decimal | None:
    return None if since is None or now is None else subtract(since, now)


MONEY_LOOKS: Mapping[Check, Look] = {
    money_checks.order_quantity_is_within_limit: of_entries(_quantity),
    money_checks.order_value_is_within_limit: of_entries(_value),
    money_checks.symbol_exposure_is_within_limit: of_entries(_symbol_exposure),
    money_checks.bot_exposure_is_within_limit: of_entries(_bot_exposure),
    money_checks.equity_is_known: of_entries(_equity),
    money_checks.gross_exposure_is_within_limit: of_entries(_gross_exposure),
    money_checks.cash_reserve_is_kept: of_entries(_cash_reserve),
    money_checks.heat_is_within_limit: of_entries(_heat),
    money_checks.daily_loss_is_within_limit: of_entries(_daily_loss),
    money_checks.drawdown_is_within_limit: of_entries(_drawdown),
    money_checks.bot_budget_covers_loss: of_entries(_budget_of("bot", lambda s: s.budget.bot_left)),
    money_checks.bucket_budget_covers_loss: of_entries(
        _budget_of("bucket", lambda s: s.budget.bucket_left)
    ),
    money_checks.day_budget_covers_loss: of_entries(_budget_of("day", lambda s: s.budget.day_left)),
    rate_checks.rejections_are_within_limit: of_entries(_rejections),
    rate_checks.order_is_not_repeated: _similar,
    rate_checks.entry_gap_is_kept: of_entries(_entry_gap),
    rate_checks.symbol_entry_rate_is_within_limit: of_entries(_symbol_entry_rate),
    rate_checks.entry_rate_is_within_limit: of_entries(_entry_rate),
    rate_checks.exit_rate_is_within_limit: _exit_rate,
    rate_checks.window_notional_is_within_limit: of_entries(_window_notional),
    rate_checks.entries_today_are_within_limit: of_entries(_entries_today),
    rate_checks.notional_today_is_within_limit: of_entries(_notional_today),
    rate_checks.round_trips_are_within_limit: of_entries(_round_trips),
}
