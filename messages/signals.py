"""Signals of an outside strategy on their way to the signal bot, and what it says of each."""

from decimal import Decimal
from enum import Enum

import msgspec

from hydra.trading.trade_signals import TradeSignal
from messages.message import Message


class SignalRead(Message, frozen=True, kw_only=True):
    """The bridge has read a signal whose end is not on record. It may have been told before."""

    signal: TradeSignal


class SignalsDue(Message, frozen=True, kw_only=True):
    """The signal bot's word to itself: see which waiting signals have become too old."""


class SignalDone(Enum):
    """What was done with a signal. All but the first two are its end."""

    WANTED = "wanted"
    """An order was intended: the guardian judges it."""
    FILLED = "filled"
    """The order was executed, or a part of it."""
    REFUSED = "refused"
    """The bridge did not act on it, and never will."""
    DENIED = "denied"
    """The guardian denied the order."""
    REPEATED = "repeated"
    """It was acted on before: its decision is on record."""
    COMPLETE = "complete"
    """The order was executed whole."""
    ENDED = "ended"
    """The order is over, with what was executed of it by then."""

    @property
    def is_final(self) -> bool:
        """Nothing more will be said of the signal."""
        return self not in (SignalDone.WANTED, SignalDone.FILLED)


class SignalNote(msgspec.Struct, frozen=True, kw_only=True):
    """One line of `orders.jsonl`. `at` is market time (UTC ns); quantities are shares."""

    id: str
    at: int
    done: SignalDone
    symbol: str = ""
    action: str = ""
    reason: str = ""
    client_order_id: str | None = None
    quantity: Decimal | None = None
    price: Decimal | None = None
