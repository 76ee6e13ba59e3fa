"""The broker's words, as they stand on the wire. Each enum is closed: what it lacks is refused."""

from enum import Enum


class OrderType(Enum):
    """How an order finds its price."""

    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"
    STOP_LIMIT = "stop_limit"
    TRAILING_STOP = "trailing_stop"


class TimeInForce(Enum):
    """How long an order works, and in which of the day's auctions."""

    DAY = "day"
    GTC = "gtc"
    OPG = "opg"
    CLS = "cls"
    IOC = "ioc"
    FOK = "fok"


class OrderClass(Enum):
    """Which orders belong together."""

    SIMPLE = "simple"
    BRACKET = "bracket"
    OCO = "oco"
    OTO = "oto"
    MLEG = "mleg"


class PositionIntent(Enum):
    """What an order is to do to the position."""

    BUY_TO_OPEN = "buy_to_open"
    BUY_TO_CLOSE = "buy_to_close"
    SELL_TO_OPEN = "sell_to_open"
    SELL_TO_CLOSE = "sell_to_close"


class AssetClass(Enum):
    """What kind of thing is traded."""

    EQUITY = "us_equity"
    OPTION = "us_option"
    CRYPTO = "crypto"


class Status(Enum):
    """Where an order stands."""

    PENDING_NEW = "pending_new"
    ACCEPTED = "accepted"
    NEW = "new"
    HELD = "held"
    PARTIALLY_FILLED = "partially_filled"
    PENDING_CANCEL = "pending_cancel"
    PENDING_REPLACE = "pending_replace"
    DONE_FOR_DAY = "done_for_day"
    SUSPENDED = "suspended"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REJECTED = "rejected"
    REPLACED = "replaced"

    @property
    def is_terminal(self) -> bool:
        """Whether nothing will happen to the order any more, busts and corrections apart."""
        return self in _TERMINAL


_TERMINAL = frozenset(
    {Status.FILLED, Status.CANCELED, Status.EXPIRED, Status.REJECTED, Status.REPLACED}
)


class UpdateEvent(Enum):
    """What an update of the trading stream tells."""

    PENDING_NEW = "pending_new"
    ACCEPTED = "accepted"
    NEW = "new"
    PARTIAL_FILL = "partial_fill"
    FILL = "fill"
    CANCELED = "canceled"
    EXPIRED = "expired"
    DONE_FOR_DAY = "done_for_day"
    REJECTED = "rejected"
    HELD = "held"
    PENDING_CANCEL = "pending_cancel"
    PENDING_REPLACE = "pending_replace"
    REPLACED = "replaced"
    CANCEL_REJECTED = "order_cancel_rejected"
    REPLACE_REJECTED = "order_replace_rejected"
    SUSPENDED = "suspended"
    TRADE_BUST = "trade_bust"
    TRADE_CORRECT = "trade_correct"
