"""Bots that the guards would never let enter, and guards that another one makes idle.

Each alone is allowed, and may be on its way to something sensible (a limit is quickly lowered), so
nothing of it is refused; but an engine that never trades, or stops for a person every day, would
otherwise say why only in its denials.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from hydra.settings.bot_parts import ProtectiveOrder
from hydra.settings.bot_sections import MomentumBotSettings
from hydra.settings.entries import entries_of
from hydra.settings.whole import Settings, content_of

ORDINARY_EQUITY_USD = Decimal(100_000)
"""What an account for trials has, and what the guards are shipped for. The equity itself is not
known here; a bot that needs no more than this is not told of."""

_IDLE_ABOVE = {
    "guards.pace.max_entries_per_minute_per_symbol": ("risk.max_orders_per_minute",),
    "risk.max_order_notional_usd": (
        "guards.exposure.max_symbol_usd",
        "guards.exposure.max_bot_usd",
        "guards.pace.max_notional_per_window_usd",
        "guards.pace.max_notional_per_day_usd",
    ),
    "guards.pace.max_notional_per_window_usd": ("guards.pace.max_notional_per_day_usd",),
    "guards.exposure.max_open_risk_pct": ("risk.global_max_daily_loss_pct",),
}
"""A limit does nothing where it is above any of these others."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """What one enabled bot's entry is, as far as the settings tell. `bucket`: of its kind."""

    bot: str
    notional_usd: Decimal
    stop_loss_pct: Decimal
    bucket: str
    resting_pct: tuple[tuple[str, Decimal], ...] = ()
    """How far from the market its stop orders would rest, in percent of it, by setting."""


def guard_warnings_of(settings: Settings) -> Iterator[str]:
    """One line each, as `traps.warnings_of`."""
    for entry in _entries(settings):
        yield from _on_notional(entry, settings)
        yield from _on_gross_exposure(entry, settings)
        yield from _on_loss_at_stop(entry, settings)
        yield from _on_collar(entry, settings)
    yield from _on_round_trips(settings)
    yield from _on_idle_limits(settings)


def _entries(settings: Settings) -> Iterator[_Entry]:
    for bot in settings.momentum_bots:
        if bot.enabled:
            yield _Entry(
                bot=f"momentum_bots[{bot.bot_id}]",
                notional_usd=bot.execution.default_notional_usd,
                stop_loss_pct=bot.exits.stop_loss_pct,
                bucket="momentum_bucket_pct_of_daily_risk",
                resting_pct=tuple(_resting_pct(bot)),
            )
    crypto = settings.cryptobot
    if crypto.enabled:
        yield _Entry(
            bot="cryptobot",
            notional_usd=crypto.execution.default_notional_usd,
            stop_loss_pct=crypto.exits.stop_loss_pct,
            bucket="crypto_bucket_pct_of_daily_risk",
        )


def _resting_pct(bot: MomentumBotSettings) -> Iterator[tuple[str, Decimal]]:
    if bot.execution.protective_order is ProtectiveOrder.RESTING:
        yield "stop_loss_pct", bot.exits.stop_loss_pct
        if bot.exits.trailing_stop_pct is not None:
            yield "trailing_stop_pct", bot.exits.trailing_stop_pct


def _on_notional(entry: _Entry, settings: Settings) -> Iterator[str]:
    exposure, pace = settings.guards.exposure, settings.guards.pace
    limits = {
        "guards.exposure.max_symbol_usd": exposure.max_symbol_usd,
        "guards.exposure.max_bot_usd": exposure.max_bot_usd,
        "guards.pace.max_notional_per_window_usd": pace.max_notional_per_window_usd,
        "guards.pace.max_notional_per_day_usd": pace.max_notional_per_day_usd,
    }
    key, lowest = min(limits.items(), key=lambda limit: limit[1])
    if entry.notional_usd > lowest:
        yield (
            f"{entry.bot}.execution.default_notional_usd: {content_of(entry.notional_usd)} USD, "
            f"but {key} is {content_of(lowest)}, so this bot never enters; lower the one or raise "
            "the other"
        )


def _on_gross_exposure(entry: _Entry, settings: Settings) -> Iterator[str]:
    gross_pct = settings.guards.exposure.max_gross_pct
    yield from _on_needed_equity(
        f"{entry.bot}.execution.default_notional_usd: {content_of(entry.notional_usd)} USD",
        entry.notional_usd,
        gross_pct,
        "guards.exposure.max_gross_pct",
    )


def _on_loss_at_stop(entry: _Entry, settings: Settings) -> Iterator[str]:
    exposure, portfolio = settings.guards.exposure, settings.portfoliobot
    share_pct: Decimal = min(
        getattr(portfolio.buckets, entry.bucket),
        portfolio.guardrails.per_bot_max_pct_of_daily_risk,
    )
    share = f"its {content_of(share_pct)} percent of the day's risk budget"
    allowed_pct, limit = min(
        (exposure.max_open_risk_pct, "guards.exposure.max_open_risk_pct"),
        (settings.risk.global_max_daily_loss_pct * share_pct / 100, share),
    )
    loss_usd = entry.notional_usd * entry.stop_loss_pct / 100 * exposure.gap_factor
    yield from _on_needed_equity(
        f"{entry.bot}.exits.stop_loss_pct: with guards.exposure.gap_factor an entry loses "
        f"{content_of(loss_usd)} USD at its stop",
        loss_usd,
        allowed_pct,
        limit,
    )


def _on_needed_equity(
    what: str, amount_usd: Decimal, allowed_pct: Decimal, limit: str
) -> Iterator[str]:
    """A limit in percent of equity, turned round: how much of it this amount needs."""
    equity_usd = amount_usd / allowed_pct * 100
    if equity_usd > ORDINARY_EQUITY_USD:
        yield (
            f"{what}, which {limit} allows from {_rounded_up(equity_usd)} USD of equity on; with "
            "less this bot never enters"
        )


def _rounded_up(amount_usd: Decimal) -> str:
    return f"{amount_usd.to_integral_value(ROUND_CEILING):f}"


def _on_collar(entry: _Entry, settings: Settings) -> Iterator[str]:
    collar_pct = settings.guards.order.price_collar_pct
    for name, pct in entry.resting_pct:
        if pct > collar_pct:
            yield (
                f"{entry.bot}.exits.{name}: {content_of(pct)} percent, but an order's price may "
                f"lie {content_of(collar_pct)} percent from the market "
                "(guards.order.price_collar_pct), so a stop order there is denied; lower the one "
                "or raise the other"
            )


def _on_round_trips(settings: Settings) -> Iterator[str]:
    most = settings.guards.pace.max_round_trips_per_bot_per_day
    trades_a_day = {
        f"momentum_bots[{bot.bot_id}].risk.max_trades_per_day": bot.risk.max_trades_per_day
        for bot in settings.momentum_bots
        if bot.enabled
    }
    for name in ("optionsbot", "cryptobot"):
        bot = getattr(settings, name)
        if bot.enabled:
            trades_a_day[f"{name}.risk.max_trades_per_day"] = bot.risk.max_trades_per_day
    bridge = settings.signalbot
    if bridge.enabled:
        trades_a_day["signalbot.limits.max_orders_per_day"] = bridge.limits.max_orders_per_day
    for key, trades in trades_a_day.items():
        if trades >= most:
            yield (
                f"{key}: {trades}, but after {most} round trips in a day "
                "(guards.pace.max_round_trips_per_bot_per_day) the bot waits for a person; lower "
                "the one or raise the other"
            )


def _on_idle_limits(settings: Settings) -> Iterator[str]:
    limits = {
        entry.key: entry.value
        for entry in entries_of(settings)
        if isinstance(entry.value, int | Decimal)
    }
    for idle, others in _IDLE_ABOVE.items():
        binding = min(others, key=limits.__getitem__)
        if limits[idle] > limits[binding]:
            yield (
                f"{idle}: {content_of(limits[idle])}, but the lower limit binds: {binding} is "
                f"{content_of(limits[binding])}; lower the first, or raise that limit"
            )
