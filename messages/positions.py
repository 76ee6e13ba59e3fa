"""What is on record for a bot: asked for at every start, because a crash forgets everything."""

from decimal import Decimal

import msgspec

from hydra.trading.orders import DecisionKey, Fill, Order
from messages.message import Message


class RecordedOrder(msgspec.Struct, frozen=True, kw_only=True):
    """One order as the ledger has it. `is_open`: it is, or may be, live at the venue."""

    decision: DecisionKey
    order: Order
    is_open: bool
    filled_quantity: Decimal


class RecoverBook(Message, frozen=True, kw_only=True):
    """Ask what is on record: of one bot, or (None) of all.

    A bot asks through the guardian, behind the intents it told it before: so the answer has them.
    `reply_to` is the path that is told the answer, `asked_by` the incarnation that asked; without
    them it is the reply to the question.
    """

    bot: str | None = None
    reply_to: str | None = None
    asked_by: int = 0


class BookRecovered(Message, frozen=True, kw_only=True):
    """Every order in the order they were stored, and every fill in the order it was booked."""

    orders: tuple[RecordedOrder, ...]
    fills: tuple[Fill, ...]
    asked_by: int = 0


class RecoveryOverdue(Message, frozen=True, kw_only=True):
    """A bot's word to itself: the answer should have come."""
