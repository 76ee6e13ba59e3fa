"""`metrics.json`: what was replayed, and what came of it; the same replay gives the same bytes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal

import msgspec

from hydra.research.closed_trades import Traded, traded
from hydra.research.equity import EquityCurve
from hydra.research.facts import ReplayFacts
from hydra.research.performance import Statistics, Track, statistics_of
from hydra.research.replaying import BotFill
from hydra.research.session_days import SessionDays
from hydra.trading.exact import add, multiply, plain, subtract, total
from hydra.trading.fees import USD
from hydra.trading.instruments import value_of

FORMAT = 1
"""Of the file; a change that would break a reader makes it one more."""


class WindowUtc(msgspec.Struct, frozen=True, kw_only=True):
    """[start, end), ISO 8601 in UTC."""

    start_utc: str
    end_utc: str


class BotMetrics(msgspec.Struct, frozen=True, kw_only=True):
    """One bot's part. `pnl` is after fees, and what it still holds is in it; `fees` as of fills."""

    fills: int
    pnl: Decimal
    fees: Decimal
    statistics: Statistics


class Metrics(msgspec.Struct, frozen=True, kw_only=True):
    """The file as a value. Money is exact, in USD; `code_version` is Hydra's own."""

    format: int = FORMAT
    label: str
    seed: int
    window: WindowUtc
    timezone_label: str
    configuration_digest: str
    data_digests: Mapping[str, str]
    code_version: str
    origin: str
    terms: Mapping[str, str]
    symbols: tuple[str, ...]
    bars: int
    orders: int
    fills: int
    trades: int
    denials: Mapping[str, int]
    starting_cash: Decimal
    final_equity: Decimal
    pnl: Decimal
    fees: Decimal
    statistics: Statistics
    bots: Mapping[str, BotMetrics]


class Measured(msgspec.Struct, frozen=True):
    """A replay with its curve, its days, its trades and its figures."""

    facts: ReplayFacts
    curve: EquityCurve
    days: SessionDays
    traded: Traded
    metrics: Metrics


def measured(facts: ReplayFacts) -> Measured:
    """Reckon everything. Raises BadFill, and ValueError where the bars are not in order."""
    curve = EquityCurve(facts.bars, facts.fills, facts.starting_cash)
    days = SessionDays(facts.bars, curve.at)
    closed = traded(facts.fills, facts.told)
    return Measured(facts, curve, days, closed, _metrics(facts, curve, days, closed))


def as_json(metrics: Metrics) -> bytes:
    """With its keys in order; money is a string, a ratio a number of six decimals at most."""
    content = msgspec.json.encode(metrics, order="sorted")
    return msgspec.json.format(content, indent=2) + b"\n"


def _metrics(facts: ReplayFacts, curve: EquityCurve, days: SessionDays, closed: Traded) -> Metrics:
    by_bot: dict[str, list[BotFill]] = defaultdict(list)
    for each in facts.fills:
        by_bot[each.bot].append(each)
    realised = [each.trade.realised for each in closed.trades]
    account = Track.of_account(curve, realised, _volume(facts.fills))
    return Metrics(
        label=facts.label,
        seed=facts.seed,
        window=WindowUtc(start_utc=facts.window.start_utc, end_utc=facts.window.end_utc),
        timezone_label=facts.window.timezone_label,
        configuration_digest=facts.configuration,
        data_digests=dict(facts.data),
        code_version=facts.version,
        origin=facts.origin,
        terms=dict(facts.terms),
        symbols=facts.symbols,
        bars=len(facts.bars),
        orders=facts.orders,
        fills=len(facts.fills),
        trades=len(closed.trades),
        denials=dict(facts.denials),
        starting_cash=plain(facts.starting_cash),
        final_equity=plain(curve.final_equity),
        pnl=plain(subtract(curve.final_equity, facts.starting_cash)),
        fees=_fees(facts.fills),
        statistics=statistics_of(account, days),
        bots={
            bot: _of_bot(bot, by_bot.get(bot, []), curve, days, closed) for bot in facts.bot_names
        },
    )


def _of_bot(
    bot: str, fills: Sequence[BotFill], curve: EquityCurve, days: SessionDays, closed: Traded
) -> BotMetrics:
    realised = [each.trade.realised for each in closed.trades if each.trade.bot == bot]
    track = Track.of_bot(curve, bot, realised, _volume(fills))
    return BotMetrics(
        fills=len(fills),
        pnl=plain(curve.final_pnl(bot)),
        fees=_fees(fills),
        statistics=statistics_of(track, days),
    )


def _volume(fills: Sequence[BotFill]) -> Decimal:
    return total(value_of(each.fill.symbol, each.fill.quantity, each.fill.price) for each in fills)


def _fees(fills: Sequence[BotFill]) -> Decimal:
    """In USD; a coin counts at the price at which it was traded."""
    fees = Decimal(0)
    for each in fills:
        if each.fee is not None:
            is_usd = each.fee.asset == USD
            one = Decimal(1) if is_usd else each.fill.price
            fees = add(fees, multiply(each.fee.amount, one))
    return plain(fees)
