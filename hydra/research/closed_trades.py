"""The trades of a replay: what was bought (or sold short) and closed again, first in, first out."""

from collections import defaultdict
from collections.abc import Iterable

import msgspec

from hydra.ops.artefacts.book import trade_row
from hydra.ops.artefacts.rows import TRADES, as_rows, header
from hydra.research.replaying import BotFill
from hydra.trading.inventory import ClosedLot, FillBook, Lot
from messages.summary import Trade


class ClosedTrade(msgspec.Struct, frozen=True, kw_only=True):
    """One closed lot, and the orders that opened and closed it. Fees are not in what it made."""

    trade: Trade
    entry_order: str
    exit_order: str


class Traded(msgspec.Struct, frozen=True, kw_only=True):
    """All trades in the order in which they were closed, and what is still held, by bot."""

    trades: tuple[ClosedTrade, ...]
    held: tuple[tuple[str, str, Lot], ...]
    """Bot, symbol and lot."""


def traded(fills: Iterable[BotFill], told: Iterable[Trade] = ()) -> Traded:
    """What came of the fills, in their order.

    `told` are the engine's own words on the same trades: what it says of the reasons is taken, and
    a trade that it does not name has none. Raises BadFill.
    """
    reasons: dict[object, list[Trade]] = defaultdict(list)
    for trade in told:
        reasons[_name(trade)].append(trade)
    books: dict[tuple[str, str], FillBook] = {}
    orders: dict[str, str] = {}
    trades: list[ClosedTrade] = []
    for each in fills:
        fill = each.fill
        book = books.setdefault((each.bot, fill.symbol), FillBook(fill.symbol))
        orders[fill.execution_id] = fill.client_order_id
        for lot in book.book(fill, each.fee):
            trade = _trade(each.bot, fill.symbol, lot)
            same = reasons[_name(trade)]
            trades.append(
                ClosedTrade(
                    trade=same.pop(0) if same else trade,
                    entry_order=orders.get(lot.entry_execution_id, ""),
                    exit_order=fill.client_order_id,
                )
            )
    held = ((*place, lot) for place, book in sorted(books.items()) for lot in book.inventory.lots)
    return Traded(trades=tuple(trades), held=tuple(held))


def trades_csv(trades: Iterable[ClosedTrade]) -> bytes:
    """`trades.csv`, with the columns that the bundle of a session has."""
    rows = (trade_row(each.trade, each.entry_order, each.exit_order) for each in trades)
    return header(TRADES) + as_rows(rows)


def _trade(bot: str, symbol: str, lot: ClosedLot) -> Trade:
    return Trade(
        bot=bot,
        symbol=symbol,
        side=lot.side.value,
        quantity=lot.quantity,
        entry_price=lot.entry_price,
        exit_price=lot.exit_price,
        opened_at=lot.opened_at,
        closed_at=lot.closed_at,
        entry_reason="",
        exit_reason="",
        realised=lot.realised,
    )


def _name(trade: Trade) -> Trade:
    """The trade without its reasons."""
    return msgspec.structs.replace(trade, entry_reason="", exit_reason="")
