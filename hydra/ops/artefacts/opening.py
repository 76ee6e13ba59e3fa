"""What stood in the ledger when a session began: what the story of the session goes on from."""

from collections.abc import Iterator
from decimal import Decimal

import msgspec

from hydra.ops.artefacts.story import OPENED, Line, as_line, said
from hydra.store.ledger import Ledger
from hydra.trading.exact import add, total
from hydra.trading.fees import Fee, FeeBasis
from hydra.trading.order_life import OrderState
from hydra.trading.sub_ledgers import BotInventory, SubLedger
from hydra.trading.trading_state import Cause
from messages.orders import OrderIntent
from messages.positions import BookRecovered


class OpenOrder(msgspec.Struct, frozen=True):
    """An order of an earlier session that may still be at the venue."""

    intent: OrderIntent
    state: OrderState


class Entered(msgspec.Struct, frozen=True, kw_only=True):
    """What a lot of an earlier session came from: which order, and why that was wanted."""

    execution_id: str
    client_order_id: str
    reason: str


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """Of which ledger, by the number and name of its last event, and what stood in it.

    `cash` is the account's on record; None: it was not known yet. `journal_seq` is the first line
    of the journal that belongs to the session.
    """

    ledger_seq: int
    ledger_chain: str
    journal_seq: int
    cash: Decimal | None = None
    money: tuple[SubLedger, ...] = ()
    held: tuple[BotInventory, ...] = ()
    entered: tuple[Entered, ...] = ()
    orders: tuple[OpenOrder, ...] = ()
    fees: tuple[Fee, ...] = ()
    standing: tuple[Cause, ...] = ()

    @property
    def realised(self) -> dict[str, Decimal]:
        """What each bot had made before, by bot."""
        return {each.bot: each.realised for each in self.money}


NOTHING_KNOWN = Opening(ledger_seq=0, ledger_chain="", journal_seq=0)


def opening_of(ledger: Ledger, journal_seq: int) -> Opening:
    """What stands in the ledger now."""
    mark, opened_with, money = ledger.mark, ledger.opening_cash, ledger.sub_ledgers()
    booked = total(each.cash for each in money)
    book = ledger.book(None)
    return Opening(
        ledger_seq=mark.seq,
        ledger_chain=mark.chain,
        journal_seq=journal_seq,
        cash=None if opened_with is None else add(opened_with, booked),
        money=money,
        held=book.held,
        entered=tuple(_entered(book)),
        orders=tuple(OpenOrder(each.intent, each.state) for each in ledger.open_orders()),
        fees=tuple(fee for fee in ledger.fees() if fee.basis is not FeeBasis.BOOKED),
        standing=ledger.halts(),
    )


def _entered(book: BookRecovered) -> Iterator[Entered]:
    reasons = {each.order.client_order_id: each.reason for each in book.orders}
    lots = {lot.execution_id for each in book.held for lot in each.inventory.lots}
    for fill in book.fills:
        if fill.execution_id in lots:
            name = fill.client_order_id
            yield Entered(
                execution_id=fill.execution_id, client_order_id=name, reason=reasons.get(name, "")
            )


def first_line(opening: Opening, at: int) -> Line:
    """With which the story begins; `at` is market time."""
    return as_line(at, said(OPENED, opening=opening))


def opening_in(lines: list[Line]) -> Opening:
    """What the story goes on from; nothing is known of one that was cut off before its first line.

    The cash of an account that was new is known later, and was the same from the beginning. Raises
    msgspec.ValidationError if the first line is not one of ours.
    """
    if not lines or lines[0]["event"] != OPENED:
        return NOTHING_KNOWN
    opening = msgspec.convert(lines[0].get("opening"), Opening)
    if opening.cash is None:
        for line in lines:
            if line["event"] == "account_opened":
                cash = add(Decimal(line["cash"]), total(each.cash for each in opening.money))
                return msgspec.structs.replace(opening, cash=cash)
    return opening
