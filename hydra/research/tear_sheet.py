"""A replay on one page for people: a file that needs nothing else, no script and no network.

The charts are drawn in this process: a replay has ended when they are, so nobody waits who trades,
which is what the plots of a session have a process of their own for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from html import escape

import numpy as np

from hydra.research import charts
from hydra.research.charts import GAIN, LINES_MAX, LOSS, Marks
from hydra.research.metrics import Measured, Metrics
from hydra.research.performance import FEW_DAYS, Statistics, monthly_returns
from hydra.research.regret import GuardRegret
from hydra.research.sheet_parts import (
    NOTHING,
    coloured,
    count_of,
    figure,
    minute,
    pairs_of,
    pct,
    price_of,
    ratio,
    signed,
    some_of,
    table,
    usd,
)
from hydra.research.sheet_style import STYLE
from hydra.store.journal_line import timestamp
from messages.summary import Trade

SYMBOLS_MAX = 6
"""So many symbols at most have a chart, those with the most trades."""
TRADES_AT_EACH_END = 25
BOTS_MAX = 60
MONTHS_FROM = 3
"""Fewer months than this need no table."""

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def tear_sheet(measured: Measured) -> bytes:
    """The page, in UTF-8: the same bytes for the same replay."""
    metrics = measured.metrics
    title = f"Replay {metrics.label}" if metrics.label else "Replay"
    body = "\n".join(_parts(measured, title))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n"
        f"<body>\n{body}\n</body>\n</html>\n"
    ).encode()


def _parts(measured: Measured, title: str) -> Iterator[str]:
    metrics = measured.metrics
    yield _head(metrics, title)
    yield _cards(metrics)
    yield from _equity(measured)
    yield _figures(metrics)
    yield from _months(measured)
    yield from _bots(measured)
    yield from _prices(measured)
    yield _denials(metrics)
    yield from _regret(measured.facts.regret)
    yield from _trades(measured)
    yield _provenance(metrics)


def _head(metrics: Metrics, title: str) -> str:
    window, ended = metrics.window, metrics.terms.get("ended")
    return (
        f"<header><h1>{escape(title)}: {escape(some_of(metrics.symbols))}</h1>"
        f"<p>{minute(window.start_utc)} to {minute(window.end_utc)} UTC, the end left out"
        f' <span class="soft">(given in {escape(metrics.timezone_label)})</span></p>'
        f'<p class="soft">Seed {metrics.seed} · configuration'
        f" {escape(metrics.configuration_digest[:16])} · {escape(metrics.origin)}</p></header>"
        '<p class="simulated">Simulated: not real money, not real fills.'
        f"{f' It was {escape(ended)}.' if ended else ''}</p>"
    )


def _cards(metrics: Metrics) -> str:
    found = metrics.statistics
    cards = (
        (f"{metrics.final_equity:,.2f}", f"final equity, USD, from {metrics.starting_cash:,.2f}"),
        (signed(metrics.pnl), f"P&L, USD, after fees of {metrics.fees:,.2f}"),
        (pct(found.total_return_pct), "total return"),
        (pct(found.max_drawdown_pct), "deepest drawdown"),
        (ratio(found.sharpe), f"Sharpe ratio, {count_of(found.days, 'day')}"),
        (ratio(found.profit_factor), "profit factor"),
        (pct(found.hit_rate_pct, 1), "of trades won, before fees"),
        (f"{metrics.trades:,}", f"trades closed, {count_of(metrics.fills, 'fill')}"),
    )
    return '<div class="cards">' + "".join(_card(*card) for card in cards) + "</div>"


def _card(value: str, about: str) -> str:
    return f'<div class="card"><b>{coloured(value)}</b><span>{escape(about)}</span></div>'


def _equity(measured: Measured) -> Iterator[str]:
    curve = measured.curve
    yield "<h2>Equity and drawdown</h2>"
    if len(curve.at) < 2:
        yield "<p>Too few bars for a chart.</p>"
        return
    start = float(curve.starting_cash)
    drawing = charts.equity_chart(curve.at, curve.equity, curve.drawdown_pct, start)
    about = (
        f"{len(curve.at):,} points, one for each end of a bar; the grey line is the starting cash."
        " Times are UTC; nights and weekends without bars take no room."
    )
    yield figure(drawing, about, "Equity and drawdown over time")


def _figures(metrics: Metrics) -> str:
    found = metrics.statistics
    pairs = [*_of_returns(found), *_of_trades(found)]
    pairs += [("bars", f"{metrics.bars:,}"), ("orders", f"{metrics.orders:,}")]
    note = f"A year is {found.days_per_year} days. Trades are closed lots, before fees."
    if 2 <= found.days < FEW_DAYS:
        note += f" {found.days} days are few: what is annualised says little."
    return f'<h2>Figures</h2><div class="pairs">{pairs_of(pairs)}</div><p class="soft">{note}</p>'


def _of_returns(found: Statistics) -> Iterator[tuple[str, str]]:
    yield "days", f"{found.days:,}"
    yield "total return", pct(found.total_return_pct)
    yield "CAGR", pct(found.cagr_pct)
    yield "volatility, annualised", pct(found.volatility_pct)
    yield "Sharpe", ratio(found.sharpe)
    yield "Sortino", ratio(found.sortino)
    yield "Calmar", ratio(found.calmar)
    yield "deepest drawdown", pct(found.max_drawdown_pct)
    yield "from", minute(found.max_drawdown_from)
    yield "deepest", minute(found.max_drawdown_to)
    fell = found.max_drawdown_from is not None
    is_open = fell and found.max_drawdown_until is None
    yield "recovered", "not yet" if is_open else minute(found.max_drawdown_until)


def _of_trades(found: Statistics) -> Iterator[tuple[str, str]]:
    yield "time in the market", pct(found.exposure_pct, 1)
    yield "turnover, times the equity", ratio(found.turnover)
    yield "trades", f"{found.trades:,}"
    yield "trades a day", ratio(found.trades_per_day)
    yield "hit rate", pct(found.hit_rate_pct, 1)
    yield "average win, USD", usd(found.average_win)
    yield "average loss, USD", usd(found.average_loss)
    yield "profit factor", ratio(found.profit_factor)
    streak = found.longest_losing_streak
    yield "longest losing streak", NOTHING if streak is None else count_of(streak, "trade")


def _months(measured: Measured) -> Iterator[str]:
    months = dict(monthly_returns(measured.curve, measured.days))
    if len(months) < MONTHS_FROM:
        return
    rows = []
    for year in sorted({month[:4] for month in months}):
        cells = (f"{year}-{number:02d}" for number in range(1, 13))
        rows.append((year, *(pct(months[cell]) if cell in months else "" for cell in cells)))
    heads = ("year", *_MONTHS)
    yield "<h2>Returns by month</h2>" + table(heads, rows, text=(0,))


def _bots(measured: Measured) -> Iterator[str]:
    metrics, curve = measured.metrics, measured.curve
    if not metrics.bots:
        return
    yield "<h2>P&amp;L by bot</h2>"
    ranked = sorted(metrics.bots, key=lambda bot: (-abs(metrics.bots[bot].pnl), bot))
    drawn = sorted(bot for bot in ranked[:LINES_MAX] if metrics.bots[bot].fills)
    if drawn and len(curve.at) > 1:
        drawing = charts.bots_chart(curve.at, [curve.pnl_of(bot) for bot in drawn])
        legend = "".join(
            f'<span class="swatch" style="background: var(--bot-{number})"></span>{escape(bot)}'
            for number, bot in enumerate(drawn)
        )
        yield figure(drawing, "", "P&L of bots over time") + f"<p>{legend}</p>"
    heads = (
        "bot", "P&L USD", "fees USD", "fills", "trades", "won", "Sharpe", "drawdown",
        "in the market",
    )  # fmt: skip
    rows = [_bot_row(metrics, bot) for bot in ranked[:BOTS_MAX]]
    yield table(heads, rows, text=(0,))
    left = len(ranked) - len(rows)
    if left:
        yield f"<p>{count_of(left, 'bot')} with less are in metrics.json.</p>"
    yield '<p class="soft">After fees; what is still held counts at its newest price.</p>'


def _bot_row(metrics: Metrics, bot: str) -> tuple[str, ...]:
    own = metrics.bots[bot]
    found = own.statistics
    return (
        bot,
        signed(own.pnl),
        f"{own.fees:,.2f}",
        f"{own.fills:,}",
        f"{found.trades:,}",
        pct(found.hit_rate_pct, 1),
        ratio(found.sharpe),
        pct(found.max_drawdown_pct),
        pct(found.exposure_pct, 1),
    )


def _prices(measured: Measured) -> Iterator[str]:
    counts: Counter[str] = Counter()
    for each in measured.traded.trades:
        counts[each.trade.symbol] += 1
    held = Counter(symbol for _, symbol, _ in measured.traded.held)
    ranked = sorted({*counts, *held}, key=lambda symbol: (-counts[symbol] - held[symbol], symbol))
    if not ranked:
        return
    yield "<h2>Trades on price</h2>"
    yield (
        '<p class="soft">▲ bought to open, ▼ sold short to open, <span class="gain">●</span>'
        ' closed with a gain, <span class="loss">✕</span> closed without one. Where trades'
        " crowd, one mark stands for those of its kind beside it.</p>"
    )
    for number, symbol in enumerate(ranked[:SYMBOLS_MAX]):
        at, closes = measured.curve.price_series(symbol)
        if len(at) < 2:
            yield f"<h3>{escape(symbol)}</h3><p>There are no bars to draw it on.</p>"
            continue
        drawing = charts.price_chart(f"price{number}", at, closes, tuple(_marks(measured, symbol)))
        about = f"{count_of(counts[symbol], 'trade')} closed on {count_of(len(at), 'bar')}"
        if held[symbol]:
            about += f", {count_of(held[symbol], 'lot')} still held"
        yield f"<h3>{escape(symbol)}</h3>" + figure(drawing, about, f"Trades in {symbol}")
    left = len(ranked) - SYMBOLS_MAX
    if left > 0:
        names = ", ".join(ranked[SYMBOLS_MAX:][:20])
        yield f"<p>Not drawn: {count_of(left, 'symbol')} with fewer trades ({escape(names)}).</p>"


def _marks(measured: Measured, symbol: str) -> Iterator[Marks]:
    """Of each kind those that there are."""
    opened: list[tuple[str, int, Decimal]] = []
    closed: list[tuple[bool, int, Decimal]] = []
    for each in measured.traded.trades:
        trade = each.trade
        if trade.symbol == symbol:
            opened.append((trade.side, trade.opened_at, trade.entry_price))
            closed.append((trade.realised > 0, trade.closed_at, trade.exit_price))
    for _, held, lot in measured.traded.held:
        if held == symbol:
            opened.append((lot.side.value, lot.opened_at, lot.price))
    kinds = (
        ("^", charts.INK, [each[1:] for each in opened if each[0] == "buy"]),
        ("v", charts.INK, [each[1:] for each in opened if each[0] != "buy"]),
        ("o", GAIN, [each[1:] for each in closed if each[0]]),
        ("x", LOSS, [each[1:] for each in closed if not each[0]]),
    )
    for shape, colour, places in kinds:
        if places:
            at = np.array([at for at, _ in places], np.int64)
            prices = np.array([float(price) for _, price in places])
            yield Marks(shape, colour, at, prices)


def _denials(metrics: Metrics) -> str:
    if not metrics.denials:
        return "<h2>Denials</h2><p>The risk guardian denied nothing.</p>"
    ranked = sorted(metrics.denials.items(), key=lambda pair: (-pair[1], pair[0]))
    most = max(1, ranked[0][1])
    bars = "".join(
        f'<span>{escape(check)}</span><i style="width: {100 * count / most:.1f}%"></i>'
        f"<b>{count:,}</b>"
        for check, count in ranked
    )
    told = count_of(sum(metrics.denials.values()), "intent")
    return (
        f"<h2>Denials by reason</h2><p>The risk guardian denied {told}.</p>"
        f'<div class="bars">{bars}</div>'
    )


def _regret(guards: Sequence[GuardRegret]) -> Iterator[str]:
    if not guards:
        return
    yield "<h2>What the refused entries would have made</h2>"
    heads = ("guard", "refused", "trades", "won", "lost", "later", "untold", "USD")
    rows = [
        (
            each.check,
            *(f"{count:,}" for count in (each.refusals, each.trades, each.won, each.lost)),
            *(f"{count:,}" for count in (each.later, each.untold)),
            signed(each.made),
        )
        for each in guards
    ]
    yield table(heads, rows, text=(0,))
    yield (
        '<p class="soft">After fees; each by itself, bought and managed on these bars as its bot'
        " would have. What is below zero the guard saved; what came later was let through while its"
        " trade would have lasted, and counts as none. Each trade is in guard_regret.csv.</p>"
    )


def _trades(measured: Measured) -> Iterator[str]:
    trades = measured.traded.trades
    yield "<h2>Trades</h2>"
    if not trades:
        yield "<p>No trade was closed.</p>"
        return
    heads = (
        "symbol", "side", "P&L USD", "quantity", "in at", "out at", "opened (UTC)", "closed (UTC)",
        "bot", "why",
    )  # fmt: skip
    left_out = len(trades) - 2 * TRADES_AT_EACH_END
    first, last = (
        (trades, ())
        if left_out <= 0
        else (
            trades[:TRADES_AT_EACH_END],
            trades[-TRADES_AT_EACH_END:],
        )
    )
    rows = [_trade_row(each.trade) for each in first]
    if last:
        rows.append((f"{count_of(left_out, 'trade')} left out here: trades.csv has them all",))
    rows += [_trade_row(each.trade) for each in last]
    yield table(heads, rows, text=(0, 1, 6, 7, 8, 9))
    held = len(measured.traded.held)
    if held:
        yield f"<p>{count_of(held, 'lot')} still held at the end; not in the table.</p>"


def _trade_row(trade: Trade) -> tuple[str, ...]:
    return (
        trade.symbol,
        "long" if trade.side == "buy" else "short",
        signed(trade.realised),
        f"{trade.quantity:,f}",
        price_of(trade.entry_price),
        price_of(trade.exit_price),
        minute(timestamp(trade.opened_at)),
        minute(timestamp(trade.closed_at)),
        trade.bot,
        " → ".join(part for part in (trade.entry_reason, trade.exit_reason) if part),
    )


def _provenance(metrics: Metrics) -> str:
    rows = [
        ("label", metrics.label),
        ("window, UTC", f"[{metrics.window.start_utc}, {metrics.window.end_utc})"),
        ("given in", metrics.timezone_label),
        ("seed", str(metrics.seed)),
        ("configuration", metrics.configuration_digest),
        ("code", f"Hydra {metrics.code_version}"),
        *(metrics.terms.items()),
        ("data", metrics.origin),
        *((f"digest of {name}", digest) for name, digest in metrics.data_digests.items()),
    ]
    return f'<h2>Provenance</h2><div class="pairs one">{pairs_of(rows)}</div>'
