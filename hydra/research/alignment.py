"""Which trades of a session are those of its replay, and which have no counterpart.

The same bars do not give the same trades to the tick: live, an order gets the price of the moment
at which it arrives; in a replay, the open of the bar that begins then. And what is counted from
then on, a time stop say, may come a bar later. So two trades are one if bot, symbol and side are
the same and they were opened, and closed, within a tolerance of one another; they must agree in
quantity, and in their prices (and of a coin in the quantity that these give for an amount of money)
as far as a second tolerance goes. What agrees with nothing is a residual.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import TypeAlias

import msgspec

from hydra.store.journal_line import timestamp
from hydra.trading.exact import multiply, plain, subtract, total
from hydra.trading.instruments import is_crypto

BPS = Decimal(10_000)

TradeRow: TypeAlias = Mapping[str, str]
"""A row of `trades.csv`."""
OrderRow: TypeAlias = Mapping[str, str]
"""A row of `orders.csv`."""


class Tolerance(msgspec.Struct, frozen=True, kw_only=True):
    """How far two trades may be apart: in ns of market time, and of price in basis points."""

    time: int
    price_bps: Decimal


class OneTrade(msgspec.Struct, frozen=True, kw_only=True):
    """One trade as a whole: what one order opened and another closed, in however many parts.

    Prices are the averages over the parts. `decision` names the entry's (session and signal), as
    far as its order is known.
    """

    bot: str
    symbol: str
    side: str
    quantity: Decimal
    entry_price: Decimal
    exit_price: Decimal
    opened_at: int
    closed_at: int
    realised: Decimal
    entry_reason: str
    exit_reason: str
    decision: str

    @property
    def told(self) -> str:
        """In one line."""
        return (
            f"{self.bot} {self.side} {self.quantity} {self.symbol}"
            f" {_minute(self.opened_at)} at {self.entry_price} ({self.entry_reason or '?'})"
            f" to {_minute(self.closed_at)} at {self.exit_price} ({self.exit_reason or '?'}),"
            f" {self.realised:+f} USD"
        )


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """One trade, as it was live and as it is in the replay; `differs` says in what beyond the
    tolerance."""

    live: OneTrade
    replayed: OneTrade
    differs: tuple[str, ...] = ()


class Residual(msgspec.Struct, frozen=True, kw_only=True):
    """A trade that only one side has. `other_side` is what that one has around it: its orders and
    refused intents of the same bot and symbol."""

    trade: OneTrade
    other_side: tuple[str, ...]


class Alignment(msgspec.Struct, frozen=True, kw_only=True):
    """All trades that either side closed in the window, [start, end) in ns of market time."""

    start: int
    end: int
    pairs: tuple[Pair, ...]
    live_only: tuple[Residual, ...]
    replayed_only: tuple[Residual, ...]

    @property
    def live_trades(self) -> int:
        """How many of the session's trades were closed in the window."""
        inside = sum(self.start <= pair.live.closed_at < self.end for pair in self.pairs)
        return inside + len(self.live_only)

    @property
    def differing(self) -> tuple[Pair, ...]:
        """Pairs that do not agree."""
        return tuple(pair for pair in self.pairs if pair.differs)

    @property
    def residuals(self) -> int:
        """Trades that one side alone has."""
        return len(self.live_only) + len(self.replayed_only)


class Side(msgspec.Struct, frozen=True):
    """The tables of one bundle."""

    trades: Sequence[TradeRow]
    orders: Sequence[OrderRow]


def aligned(live: Side, replayed: Side, tolerance: Tolerance, start: int, end: int) -> Alignment:
    """Hold the trades of a session against those of its replay.

    All trades are paired, so that one at the window's edge finds its counterpart beyond it; told
    are those that were closed in the window [start, end) on one side at least. Raises `ValueError`
    for rows that are none of ours.
    """
    ones, others = _trades(live), _trades(replayed)
    pairs, live_left, replayed_left = _paired(ones, others, tolerance.time)

    def inside(*trades: OneTrade) -> bool:
        return any(start <= trade.closed_at < end for trade in trades)

    return Alignment(
        start=start,
        end=end,
        pairs=tuple(
            Pair(live=one, replayed=other, differs=_differences(one, other, tolerance))
            for one, other in pairs
            if inside(one, other)
        ),
        live_only=tuple(
            Residual(trade=one, other_side=_around(one, replayed.orders, tolerance.time))
            for one in live_left
            if inside(one)
        ),
        replayed_only=tuple(
            Residual(trade=other, other_side=_around(other, live.orders, tolerance.time))
            for other in replayed_left
            if inside(other)
        ),
    )


def _trades(side: Side) -> list[OneTrade]:
    """The trades of a table, each as a whole, in the order of their opening."""
    decisions = {
        row["client_order_id"]: f"{row['session']} {row['signal']}"
        for row in side.orders
        if row["client_order_id"]
    }
    parts: dict[tuple[str, ...], list[TradeRow]] = defaultdict(list)
    for number, row in enumerate(side.trades):
        orders = (row["entry_order"], row["exit_order"])
        # Parts of which the orders are not told cannot be told to be of one trade.
        apart = "" if all(orders) else str(number)
        parts[(row["bot"], row["symbol"], row["side"], *orders, apart)].append(row)
    trades = [_whole(rows, decisions) for rows in parts.values()]
    return sorted(trades, key=lambda each: (each.opened_at, each.closed_at, each.bot, each.symbol))


def _whole(rows: Sequence[TradeRow], decisions: Mapping[str, str]) -> OneTrade:
    first = rows[0]
    quantities = [Decimal(row["quantity"]) for row in rows]
    quantity = total(quantities)

    def average(column: str) -> Decimal:
        if len(rows) == 1:
            return Decimal(first[column])
        values = (
            multiply(each, Decimal(row[column])) for each, row in zip(quantities, rows, strict=True)
        )
        return total(values) / quantity

    return OneTrade(
        bot=first["bot"],
        symbol=first["symbol"],
        side=first["side"],
        quantity=plain(quantity),
        entry_price=plain(average("entry_price")),
        exit_price=plain(average("exit_price")),
        opened_at=min(int(row["opened_at_ns"]) for row in rows),
        closed_at=max(int(row["closed_at_ns"]) for row in rows),
        realised=plain(total(Decimal(row["realised"]) for row in rows)),
        entry_reason=first["entry_reason"],
        exit_reason=first["exit_reason"],
        decision=decisions.get(first["entry_order"], ""),
    )


def _paired(
    ones: Sequence[OneTrade], others: Sequence[OneTrade], tolerance: int
) -> tuple[list[tuple[OneTrade, OneTrade]], list[OneTrade], list[OneTrade]]:
    """As many pairs as there can be of trades that are near enough, and what is left on each side.

    Each takes the nearest; if that has one already, the other looks for its next best (augmenting
    paths), so that no order of looking leaves two alone that could have been a pair.
    """
    by_kind: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for number, other in enumerate(others):
        by_kind[_kind(other)].append(number)
    near = [
        sorted(
            (each for each in by_kind[_kind(one)] if _are_near(one, others[each], tolerance)),
            key=partial(_distance, one, others),
        )
        for one in ones
    ]
    taken: dict[int, int] = {}

    def find(one: int, asked: set[int]) -> bool:
        for other in near[one]:
            if other not in asked:
                asked.add(other)
                if other not in taken or find(taken[other], asked):
                    taken[other] = one
                    return True
        return False

    for number in range(len(ones)):
        find(number, set())
    pairs = sorted((one, other) for other, one in taken.items())
    paired = {one for one, _ in pairs}
    return (
        [(ones[one], others[other]) for one, other in pairs],
        [one for number, one in enumerate(ones) if number not in paired],
        [other for number, other in enumerate(others) if number not in taken],
    )


def _distance(one: OneTrade, others: Sequence[OneTrade], number: int) -> int:
    other = others[number]
    return abs(one.opened_at - other.opened_at) + abs(one.closed_at - other.closed_at)


def _kind(trade: OneTrade) -> tuple[str, str, str]:
    return trade.bot, trade.symbol, trade.side


def _are_near(one: OneTrade, other: OneTrade, tolerance: int) -> bool:
    return (
        abs(one.opened_at - other.opened_at) <= tolerance
        and abs(one.closed_at - other.closed_at) <= tolerance
    )


def _differences(one: OneTrade, other: OneTrade, tolerance: Tolerance) -> tuple[str, ...]:
    found = []
    if not _quantities_agree(one, other, tolerance):
        found.append(f"quantity {one.quantity} live, {other.quantity} in the replay")
    for what, here, there in (
        ("entry price", one.entry_price, other.entry_price),
        ("exit price", one.exit_price, other.exit_price),
    ):
        apart = abs(subtract(here, there))
        if multiply(apart, BPS) > multiply(tolerance.price_bps, abs(there)):
            found.append(
                f"{what} {here} live, {there} in the replay:"
                f" {apart / abs(there) * BPS:.1f} bps apart, at most {tolerance.price_bps} allowed"
                if there
                else f"{what} {here} live, {there} in the replay"
            )
    return tuple(found)


def _quantities_agree(one: OneTrade, other: OneTrade, tolerance: Tolerance) -> bool:
    """Of shares to the last one. Of a coin as far as prices may be apart: an amount of money buys
    another quantity at another price.
    """
    if not is_crypto(one.symbol):
        return one.quantity == other.quantity
    apart = abs(subtract(one.quantity, other.quantity))
    return multiply(apart, BPS) <= multiply(tolerance.price_bps, abs(other.quantity))


def _around(trade: OneTrade, orders: Iterable[OrderRow], tolerance: int) -> tuple[str, ...]:
    """What the other side decided for this bot and symbol while the trade was open."""
    return tuple(
        f"{row['decided_at'][:16]} {row['role']} {row['side']} {row['quantity']}: {row['status']}"
        f"{' (' + row['status_reason'] + ')' if row['status_reason'] else ''}"
        for row in orders
        if (row["bot"], row["symbol"]) == (trade.bot, trade.symbol)
        and trade.opened_at - tolerance <= int(row["decided_at_ns"]) <= trade.closed_at + tolerance
    )


def _minute(at: int) -> str:
    return timestamp(at)[:19]
