"""What an operator decides about the record, as events: with a reason and a name, or not at all.

Whether it fits what is on record, the ledger knows; here is what must be true of it alone.
"""

from decimal import Decimal

from hydra.ports import RecordRefused
from hydra.store.events import (
    CashAdjusted,
    DifferenceExcluded,
    OrderAdopted,
    PositionAssigned,
)
from hydra.trading.differences import DifferenceKind, advice, remedies
from hydra.trading.exact import multiply
from hydra.trading.orders import Fill, Order, Side
from hydra.trading.sub_ledgers import UNATTRIBUTED
from messages.orders import OrderIntent


class ActRefused(RecordRefused):
    """An operator's act cannot be recorded as it is; nothing was written."""


def cash_adjusted(amount: Decimal, reason: str, operator: str) -> CashAdjusted:
    """So much more (less) cash is accepted, for no bot. Raises ActRefused."""
    _require_words("a cash adjustment", reason=reason, operator=operator)
    _require(amount.is_finite() and amount != 0, f"cash by {amount}", "a number other than zero")
    return CashAdjusted(amount=amount, reason=reason, operator=operator)


def position_assigned(
    bot: str, symbol: str, quantity: Decimal, price: Decimal, reason: str, operator: str
) -> PositionAssigned:
    """So much (signed) of a symbol is attributed to a bot at this price. Raises ActRefused."""
    _require_words("an assignment", bot=bot, symbol=symbol, reason=reason, operator=operator)
    what = f"assigning {quantity} {symbol} at {price} to {bot}"
    _require(bot != UNATTRIBUTED, what, "a bot, which that is not")
    _require(quantity.is_finite() and quantity != 0, what, "a quantity other than zero")
    _require(price.is_finite() and price >= 0, what, "a price of zero or more")
    return PositionAssigned(
        bot=bot, symbol=symbol, quantity=quantity, price=price, reason=reason, operator=operator
    )


def as_if_executed(assigned: PositionAssigned, seq: int, at: int) -> Fill:
    """What the ledger's event `seq` does to the bot's lots and money; no fill of the venue's."""
    side = Side.BUY if assigned.quantity > 0 else Side.SELL
    return Fill(
        execution_id=f"assigned:{seq}",
        client_order_id="",
        symbol=assigned.symbol,
        side=side,
        quantity=multiply(assigned.quantity, Decimal(side.sign)),
        price=assigned.price,
        at=at,
    )


def difference_excluded(
    kind: DifferenceKind, subject: str, quantity: Decimal | None, reason: str, operator: str
) -> DifferenceExcluded:
    """A difference is left alone by name, or no more. Raises ActRefused."""
    _require_words("an exclusion", subject=subject, reason=reason, operator=operator)
    what = f"excluding {kind.value} {subject}"
    _require("exclude" in remedies(kind), what, advice(kind))
    if kind is DifferenceKind.POSITION:
        is_fine = quantity is None or quantity.is_finite()
        _require(is_fine, f"{what} by {quantity}", "a signed quantity, or none to take it back")
    else:
        is_fine = quantity is None or quantity == 0
        _require(is_fine, f"{what} by {quantity}", "no quantity, or zero to take it back")
    return DifferenceExcluded(
        kind=kind, subject=subject, quantity=quantity, reason=reason, operator=operator
    )


def order_adopted(intent: OrderIntent, order: Order, reason: str, operator: str) -> OrderAdopted:
    """An order at the venue is taken over for the intent's bot. Raises ActRefused."""
    name, decision = order.client_order_id, intent.decision
    _require_words("an adoption", order=name, bot=decision.bot, reason=reason, operator=operator)
    _require(
        (decision.symbol, intent.side, intent.quantity)
        == (order.symbol, order.side, order.quantity),
        f"adopting {name}, {order.side.value} {order.quantity} {order.symbol}, as"
        f" {intent.side.value} {intent.quantity} {decision.symbol}",
        "the same side, quantity and symbol",
    )
    _require(decision.bot != UNATTRIBUTED, f"adopting {name} for {decision.bot}", "a bot")
    return OrderAdopted(intent=intent, order=order, reason=reason, operator=operator)


def _require_words(act: str, **words: str) -> None:
    for name, word in words.items():
        _require(bool(word.strip()), f"{act} without any {name}", "one")


def _require(is_fine: bool, found: str, wanted: str) -> None:
    if not is_fine:
        raise ActRefused(f"found {found}; wanted {wanted}; nothing was recorded")
