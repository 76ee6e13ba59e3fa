"""Settings that are allowed and probably not what was meant: each is told once, at the start."""

from collections.abc import Iterator
from decimal import ROUND_DOWN, ROUND_UP, Decimal

from hydra.settings.bot_parts import ProtectiveOrder, TradingWindow
from hydra.settings.entries import Entry, entries_of
from hydra.settings.guard_traps import guard_warnings_of
from hydra.settings.kinds import ZONES_OF_ABBREVIATIONS
from hydra.settings.stretch import DAY_MINUTES, Stretch
from hydra.settings.whole import Settings, content_of
from hydra.trading.coin_orders import ENTRY_BAND_PCT, CoinTerms
from hydra.trading.fees import ALPACA_FEES

ZONES_WITHOUT_SUMMER = ("EST", "MST")
"""Zones of one offset all year, by the names that people use for clocks that have a summer."""
_BUCKETS = "portfoliobot.buckets"
_MAX = "portfoliobot.guardrails.per_bot_max_pct_of_daily_risk"
_MIN = "portfoliobot.guardrails.per_bot_min_pct_of_daily_risk"


def warnings_of(settings: Settings) -> tuple[str, ...]:
    """One line each: the key, which setting binds instead, and what to do. Nothing is refused."""
    return (
        *_on_zone(settings),
        *_on_switches(settings),
        *_on_cool_offs(settings),
        *_on_buckets(settings),
        *_on_time_stops(settings),
        *_on_positions(settings),
        *_on_coins(settings),
        *guard_warnings_of(settings),
    )


def _on_zone(settings: Settings) -> Iterator[str]:
    zone = settings.system.timezone
    if zone in ZONES_WITHOUT_SUMMER:
        meant = ZONES_OF_ABBREVIATIONS[zone]
        yield (
            f"system.timezone: {zone}, which has no summer time: from March to November all times "
            f"in bots.yaml are an hour later than on the clocks of {meant}; write that, or leave "
            "it if that is meant"
        )


def _on_switches(settings: Settings) -> Iterator[str]:
    for name in ("exitbot", "portfoliobot"):
        if not getattr(settings, name).enabled:
            yield (
                f"{name}.enabled: false, so no bot enters at all; "
                "set it to true, or leave it if that is meant"
            )
    are_on = [bot.enabled for bot in settings.momentum_bots]
    are_on += [bot.enabled for bot in settings.plugin_bots]
    are_on += [settings.optionsbot.enabled, settings.signalbot.enabled, settings.cryptobot.enabled]
    if not any(are_on):
        yield (
            "momentum_bots, optionsbot, signalbot, plugin_bots, cryptobot: none is enabled, so "
            "nothing trades; set enabled: true for one"
        )
    conditions = settings.exitbot.kill_conditions
    for name in type(conditions).model_fields:
        if not getattr(conditions, name):
            yield (
                f"exitbot.kill_conditions.{name}: false, so this condition only alarms and does "
                "not halt; set it to true (live refuses false)"
            )
    if settings.safety.allow_budget_fallback:
        least = content_of(settings.portfoliobot.guardrails.per_bot_min_pct_of_daily_risk)
        yield (
            f"safety.allow_budget_fallback: true, so a bot without a budget still enters, with "
            f"{least} percent of the day's risk budget ({_MIN}); set it to false (live refuses "
            "true)"
        )


def _on_cool_offs(settings: Settings) -> Iterator[str]:
    own, least = settings.exitbot.cooloff_minutes, settings.safety.global_cooldown_minutes
    if own < least:
        yield (
            f"exitbot.cooloff_minutes: {own} minutes, but the longer one binds: "
            f"safety.global_cooldown_minutes is {least}; lower that one, or raise this one to it"
        )


def _on_buckets(settings: Settings) -> Iterator[str]:
    buckets, rails = settings.portfoliobot.buckets, settings.portfoliobot.guardrails
    least, most = rails.per_bot_min_pct_of_daily_risk, rails.per_bot_max_pct_of_daily_risk
    enabled = {
        "momentum": sum(bot.enabled for bot in settings.momentum_bots) + settings.signalbot.enabled,
        "options": int(settings.optionsbot.enabled),
        "crypto": int(settings.cryptobot.enabled),
    }
    for bot in settings.plugin_bots:
        enabled[bot.bucket.value] += bot.enabled
    shares = {kind: getattr(buckets, f"{kind}_bucket_pct_of_daily_risk") for kind in enabled}
    for kind, bots in enabled.items():
        share = shares[kind]
        key = f"{_BUCKETS}.{kind}_bucket_pct_of_daily_risk: {content_of(share)} percent"
        its_bots = "its one enabled bot gets" if bots == 1 else f"its {bots} enabled bots get"
        if 0 < bots * most < share:
            yield (
                f"{key}, but {its_bots} at most {content_of(bots * most)}: the lower limit binds, "
                f"{_MAX} is {content_of(most)}; lower the bucket to {content_of(bots * most)}, or "
                "raise that limit"
            )
        if bots * least > share:
            yield (
                f"{key}, which is too little for {bots} enabled bots with at least "
                f"{content_of(least)} each ({_MIN}): only {share // least} can get a budget, the "
                "others do not enter; raise the bucket, lower the minimum or disable bots"
            )
    total = sum(shares.values())
    if total < 100:
        yield (
            f"{_BUCKETS}: {content_of(total)} percent in all, so {content_of(100 - total)} percent "
            "of the day's risk budget goes to no bot; raise a bucket, or leave it if that is meant"
        )


def _on_time_stops(settings: Settings) -> Iterator[str]:
    by_key = {entry.key: entry for entry in entries_of(settings)}
    for key, until in by_key.items():
        bot = key.removesuffix(".session.manage_until")
        # A bot that was brought along has its own exits.
        if bot != key and f"{bot}.exits.time_stop_minutes" in by_key:
            yield from _on_time_stop(by_key, bot, until)


def _on_time_stop(by_key: dict[str, Entry], bot: str, until: Entry) -> Iterator[str]:
    window, stop = until.section, by_key[f"{bot}.exits.time_stop_minutes"]
    assert isinstance(window, TradingWindow) and isinstance(stop.value, int)
    held = Stretch.of(window.trade_start, window.manage_until).length
    if held < DAY_MINUTES and stop.value >= held:
        yield (
            f"{stop.key}: {stop.text} minutes, but the earlier one binds: from trade_start to "
            f"manage_until ({until.text}) are {held}, and then the position is closed; lower it"
        )


def _on_positions(settings: Settings) -> Iterator[str]:
    for bot in settings.momentum_bots:
        most = bot.risk.max_concurrent_positions
        rests = bot.execution.protective_order is ProtectiveOrder.RESTING
        if bot.enabled and rests and most > 1:
            name = f"momentum_bots[{bot.bot_id}]"
            yield (
                f"{name}.risk.max_concurrent_positions: {most}, but it holds one at a time: beside "
                f"its stop that rests at the venue ({name}.execution.protective_order) nothing is "
                "bought; set it to 1, or protective_order to engine"
            )


def _on_coins(settings: Settings) -> Iterator[str]:
    """As `hydra.trading.coin_orders.entry_of`: nothing is bought that could not be sold again."""
    bot = settings.cryptobot
    if not bot.enabled:
        return
    least, notional = CoinTerms().least_value_usd, bot.execution.default_notional_usd
    kept_pct = ALPACA_FEES.coin_share(0) * 100
    lost = 100 - (100 - kept_pct) * (100 - bot.exits.stop_loss_pct) / 100
    wanted = least * 100 / (100 - lost)
    if bot.execution.use_notional:
        wanted *= 1 + ENTRY_BAND_PCT / 100
    if notional < wanted:
        enough = wanted.quantize(Decimal("0.01"), ROUND_UP)
        yield (
            f"cryptobot.execution.default_notional_usd: {content_of(notional)} USD, but less than "
            f"{enough} would be worth under {least} at its stop, after the fee, and the broker "
            f"takes no order of so little: this bot never enters; raise it to {enough} or more"
        )
    most = CoinTerms().most_value_usd
    if not bot.execution.use_notional:
        most = (most * 100 / (100 + ENTRY_BAND_PCT)).quantize(Decimal("0.01"), ROUND_DOWN)
    if notional > most:
        yield (
            f"cryptobot.execution.default_notional_usd: {content_of(notional)} USD, but the broker "
            f"takes no order of coins that may cost more than {CoinTerms().most_value_usd}: this "
            f"bot never enters; lower it to {most} or less"
        )
