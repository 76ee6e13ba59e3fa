"""What an order is, and how it is named."""

import hashlib
from decimal import Decimal
from enum import Enum

import msgspec


class Side(Enum):
    """Which way an order trades."""

    BUY = "buy"
    SELL = "sell"

    @property
    def sign(self) -> int:
        """+1 for a buy, -1 for a sell."""
        return 1 if self is Side.BUY else -1

    @property
    def opposite(self) -> "Side":
        """The side that closes what this one opened."""
        return Side.SELL if self is Side.BUY else Side.BUY


class OrderType(Enum):
    """How an order finds its price."""

    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"


class TimeInForce(Enum):
    """How long an order stays in the market."""

    DAY = "day"
    GTC = "gtc"
    IOC = "ioc"


class Role(Enum):
    """What an order is for. Only an entry may create or enlarge exposure."""

    ENTRY = "entry"
    EXIT = "exit"
    PROTECT = "protect"
    """A stop order that rests at the venue and closes a position where it would be given up."""
    FLATTEN = "flatten"
    """An operator's system close. It passes in every trading state, and only reduces."""

    @property
    def reduces(self) -> bool:
        """Whether such an order must never create or enlarge exposure."""
        return self is not Role.ENTRY


class DecisionKey(msgspec.Struct, frozen=True):
    """Names one wish to trade of one bot, for ever: a repeated signal is the same decision.

    `session` is the trading session's date (ISO), `signal` counts the bot's signals in it.
    """

    bot: str
    symbol: str
    session: str
    signal: int
    role: Role


class Denial(msgspec.Struct, frozen=True):
    """Which check said no, what it found, and what was allowed."""

    check: str
    reason: str


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """The content of one order, exactly as it goes to the venue."""

    client_order_id: str
    symbol: str
    side: Side
    quantity: Decimal
    order_type: OrderType
    time_in_force: TimeInForce
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    replaces: str | None = None
    """The name of the order that it takes the place of: from then on that one is over."""


class RecordedOrder(msgspec.Struct, frozen=True, kw_only=True):
    """One order as the ledger has it. `is_open`: it is, or may be, live at the venue.

    `protective_stop`: where its bot meant to give up what it buys, if it said so;
    `is_withheld`: it was never sent, and never will be; `is_absent`: it was sent, and could not be
    found for so long that it was given up.
    """

    decision: DecisionKey
    order: Order
    is_open: bool
    filled_quantity: Decimal
    protective_stop: Decimal | None = None
    is_withheld: bool = False
    is_absent: bool = False
    reason: str = ""
    """Why it was wanted, in its bot's words."""


class Fill(msgspec.Struct, frozen=True, kw_only=True):
    """One execution. `execution_id` is the venue's and names it; `at` is market time (UTC ns)."""

    execution_id: str
    client_order_id: str
    symbol: str
    side: Side
    quantity: Decimal
    price: Decimal
    at: int


OUR_PREFIX = "hy1-"
"""How the name of every order of our making begins."""


def client_order_id(account: str, decision: DecisionKey) -> str:
    """Derive the order's name from the decision: the same wish always has the same name.

    Shape `hy1-<yyyymmdd>-<16 hex digits>-<leg>`, at most 48 characters of `[A-Za-z0-9-]`.
    """
    words = [account, decision.bot, decision.symbol, decision.session, str(decision.signal)]
    words.append(decision.role.value)
    digest = hashlib.blake2b("\x1f".join(words).encode(), digest_size=8).hexdigest()
    leg = _LEGS[decision.role]
    return f"{OUR_PREFIX}{decision.session.replace('-', '')}-{digest}-{leg}"


_LEGS = {Role.ENTRY: "e", Role.EXIT: "x", Role.PROTECT: "p", Role.FLATTEN: "f"}
