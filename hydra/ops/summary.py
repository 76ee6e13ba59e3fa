"""A session as people read it: trades as they close, then what is held and what was refused."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from decimal import Context, Decimal

from hydra.trading.exact import subtract, total
from messages.summary import SessionSummary, Trade

_CENT = Decimal("0.01")
_FOUR_DIGITS = Context(prec=4)

HEADING = (
    f"{'bot':<18} {'symbol':<7} {'qty':>6} {'opened (UTC)':<17} {'at':>10} "
    f"{'closed':<6} {'at':>10} {'P&L':>9}  why"
)


def trade_line(trade: Trade) -> str:
    """One closed trade under `HEADING`; times are UTC."""
    opened, closed = _utc(trade.opened_at), _utc(trade.closed_at)
    return (
        f"{trade.bot:<18} {trade.symbol:<7} {trade.quantity:>6} {opened:%Y-%m-%d %H:%M}  "
        f"{_price(trade.entry_price):>10} {closed:%H:%M}  "
        f"{_price(trade.exit_price):>10} {trade.realised:>+9.2f}  "
        f"{' -> '.join(reason for reason in (trade.entry_reason, trade.exit_reason) if reason)}"
    )


def total_lines(summary: SessionSummary) -> Iterator[str]:
    """What is still held, each bot's result, the whole, and what the guardian refused."""
    for held in summary.held:
        unrealised = "unknown" if held.unrealised is None else f"{held.unrealised:+.2f}"
        yield (
            f"{held.bot:<18} {held.symbol:<7} {held.quantity:>6} still held, bought at "
            f"{_average(held.average_price)}, unrealised {unrealised}"
        )
    bots = {trade.bot for trade in summary.trades} | {fee.bot for fee in summary.fees}
    for bot in sorted(bots):
        own = [trade.realised for trade in summary.trades if trade.bot == bot]
        won = sum(realised > 0 for realised in own)
        made = _made(own, (fee.usd for fee in summary.fees if fee.bot == bot))
        yield f"{bot:<18} {len(own)} trades, {won} won, {made}"
    made = _made((trade.realised for trade in summary.trades), (fee.usd for fee in summary.fees))
    yield f"{summary.bars} bars, {summary.orders} orders, {len(summary.trades)} trades, {made}"
    if summary.denials:
        refused = ", ".join(f"{check} {count}" for check, count in summary.denials)
        yield f"refused by the guardian: {refused}"


def _price(price: Decimal) -> str:
    """To the cent; one of less than a cent by its first four digits."""
    return f"{price.quantize(_CENT) if price >= _CENT else _FOUR_DIGITS.plus(price):f}"


def _average(price: Decimal) -> str:
    return f"{price:.4f}" if price >= _CENT else _price(price)


def _made(realised: Iterable[Decimal], fees: Iterable[Decimal]) -> str:
    """What was realised, less what the venue kept of it, if it kept anything."""
    paid = total(fees)
    net = subtract(total(realised), paid)
    return f"realised {net:+.2f} USD" + (f" after fees of {paid:.2f} USD" if paid else "")


def progress_line(summary: SessionSummary, state: str, at: int) -> str:
    """Where a session stands, for somebody who waits for it."""
    held = ", ".join(f"{lot.bot} {lot.quantity} {lot.symbol}" for lot in summary.held) or "nothing"
    return f"... {_utc(at):%Y-%m-%d %H:%M} UTC, {state}, {summary.bars} bars, holding {held}"


def _utc(at: int) -> datetime:
    return datetime.fromtimestamp(at / 1e9, UTC)
