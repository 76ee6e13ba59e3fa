"""A bridge as a page for people: a line for each part of the way, and what is left."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal

from hydra.trading.durations import SECOND
from hydra.trading.equity_bridge import EquityBridge, Section
from hydra.trading.exact import plain

_CENT = Decimal("0.01")
_WORDS = {
    Section.REALISED: "realised by {}, before fees",
    Section.UNREALISED: "change of unrealised, {}",
    Section.FEES: "fees: {}",
    Section.ACTIVITIES: "{}",
    Section.OPTIONS: "{}",
    Section.FOREIGN: "not Hydra's: {}",
    Section.ROUNDING: "rounding of {}",
}


def page_of(bridge: EquityBridge) -> Iterator[str]:
    """Its lines. Amounts are in whole cents, what is unexplained in all its digits."""
    rows = list(_rows(bridge))
    names = max(len(name) for name, _ in rows)
    amounts = max(len(amount) for _, amount in rows)
    yield f"equity bridge, USD, since {bridge.since}"
    yield from (f"  {name:<{names}}  {amount:>{amounts}}" for name, amount in rows)
    for difference in bridge.differences:
        yield f"DIFFERENCE, {_exact(difference.amount)} USD: {difference.what}"
    yield from (f"note: {note}" for note in bridge.notes)
    if bridge.unexplained is None:
        yield f"NOT KNOWN, and so not zero: {bridge.unknown}"
    elif not bridge.is_zero:
        what = f"{_exact(bridge.unexplained)} USD are unexplained"
        yield f"NOT ZERO: {what if bridge.unexplained else 'what differs is worth nothing now'}"
        yield from (f"it could be: {hint}" for hint in bridge.hints)


def _rows(bridge: EquityBridge) -> Iterator[tuple[str, str]]:
    if bridge.began is not None:
        yield (f"equity at {_at(bridge.began_at)}", f"{_cents(bridge.began):,f}")
    for line in bridge.lines:
        yield (_WORDS[line.section].format(line.of), f"{_cents(line.amount):+,f}")
    yield (f"equity at {_at(bridge.ended_at)}", f"{_cents(bridge.ended):,f}")
    if bridge.unexplained is None:
        yield ("unexplained", "not known")
    else:
        yield ("unexplained", _exact(bridge.unexplained))


def _exact(amount: Decimal) -> str:
    """All its digits, and cents at least."""
    cents = _cents(amount)
    return f"{cents:,f}" if cents == amount else f"{plain(amount):,f}"


def _cents(amount: Decimal) -> Decimal:
    cents = amount.quantize(_CENT, ROUND_HALF_EVEN)
    return cents or abs(cents)


def _at(at: int) -> str:
    return f"{datetime.fromtimestamp(at // SECOND, UTC):%Y-%m-%d %H:%M} UTC"
