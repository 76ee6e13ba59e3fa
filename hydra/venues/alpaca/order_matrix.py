"""Which orders the broker takes, as dated data: what is checked before the wire, and probed daily.

By what is traded, in whole units or not, and by type: the times in force that it takes. Whatever is
not named here is refused, and is not sent. `hydra-trader canary` holds these against the broker.
"""

from collections.abc import Mapping
from enum import Enum

import msgspec

from hydra.trading.orders import OrderType, TimeInForce

AS_OF = "2026-11-23"
"""The day on which all of this was last held against what the broker documents (ISO)."""


class AssetKind(Enum):
    """What a symbol names: the broker's rules differ by it."""

    EQUITY = "us_equity"
    OPTION = "us_option"
    CRYPTO = "crypto"


class Portion(Enum):
    """Whether a quantity is of whole shares, contracts or coins."""

    WHOLE = "whole"
    FRACTION = "fraction"


class Hours(Enum):
    """When a rule can be seen: orders for this very moment wait for no open."""

    ANY = "at any time"
    REGULAR = "in regular hours"


class Answer(msgspec.Struct, frozen=True):
    """How the broker refuses: by status and code alone, as in `outcomes`."""

    status: int
    code: int | None


MALFORMED = Answer(422, 40010001)
"""By which it also says that a name was used before: never proof that there is no order (I18)."""
NOT_TOGETHER = Answer(422, 42210000)
FORBIDDEN = Answer(403, 40310000)

_DAY = frozenset({TimeInForce.DAY})
_LASTING = frozenset({TimeInForce.DAY, TimeInForce.GTC})
_ANY = frozenset(TimeInForce)
_COINS = frozenset({TimeInForce.GTC, TimeInForce.IOC})

TAKEN: Mapping[tuple[AssetKind, Portion], Mapping[OrderType, frozenset[TimeInForce]]] = {
    (AssetKind.EQUITY, Portion.WHOLE): {
        OrderType.MARKET: _ANY,
        OrderType.LIMIT: _ANY,
        OrderType.STOP: _LASTING,
    },
    (AssetKind.EQUITY, Portion.FRACTION): {
        OrderType.MARKET: _DAY,
        OrderType.LIMIT: _DAY,
        OrderType.STOP: _DAY,
    },
    (AssetKind.OPTION, Portion.WHOLE): {
        OrderType.MARKET: _DAY,
        OrderType.LIMIT: _DAY,
        OrderType.STOP: _DAY,
    },
    (AssetKind.CRYPTO, Portion.WHOLE): {OrderType.MARKET: _COINS, OrderType.LIMIT: _COINS},
    (AssetKind.CRYPTO, Portion.FRACTION): {OrderType.MARKET: _COINS, OrderType.LIMIT: _COINS},
}


def times_in_force(
    kind: AssetKind, portion: Portion, order_type: OrderType
) -> frozenset[TimeInForce]:
    """Those that the broker takes; none: it has no such orders."""
    return TAKEN.get((kind, portion), {}).get(order_type, frozenset())


class Extra(Enum):
    """What a probe has besides kind, type and time in force."""

    NONE = "nothing"
    EXTENDED_HOURS = "for the extended hours"
    BETWEEN_PRICES = "a price between two steps"
    LONG_NAME = "a name of 129 characters"
    NAME_AGAIN = "a name that was used before"
    NO_SUCH_SYMBOL = "a symbol that there is not"
    UNDER_THE_FLOOR = "worth less than the broker takes"


class OrderRule(msgspec.Struct, frozen=True, kw_only=True):
    """One rule that can be probed by a limit to buy far below the market.

    `refused` is how it is refused, None: it is taken. `hours`: when that can be seen. `name` is
    short and in the names of its orders.
    """

    name: str
    kind: AssetKind
    time_in_force: TimeInForce
    portion: Portion = Portion.WHOLE
    extra: Extra = Extra.NONE
    refused: Answer | None = None
    hours: Hours = Hours.ANY


def _of_the_matrix(kind: AssetKind, portion: Portion, called: str) -> tuple[OrderRule, ...]:
    taken = times_in_force(kind, portion, OrderType.LIMIT)
    return tuple(
        OrderRule(
            name=f"{called}-{each.value}",
            kind=kind,
            time_in_force=each,
            portion=portion,
            refused=None if each in taken else NOT_TOGETHER,
            hours=_hours_of(kind, each),
        )
        for each in TimeInForce
    )


def _hours_of(kind: AssetKind, time_in_force: TimeInForce) -> Hours:
    is_for_now = kind is AssetKind.EQUITY and time_in_force is TimeInForce.IOC
    return Hours.REGULAR if is_for_now else Hours.ANY


_EXTENDED, _EQUITY, _COIN = Extra.EXTENDED_HOURS, AssetKind.EQUITY, AssetKind.CRYPTO
_TODAY, _NOW, _KEPT = TimeInForce.DAY, TimeInForce.IOC, TimeInForce.GTC

PROBED: tuple[OrderRule, ...] = (
    *_of_the_matrix(AssetKind.EQUITY, Portion.WHOLE, "share"),
    *_of_the_matrix(AssetKind.EQUITY, Portion.FRACTION, "fraction"),
    *_of_the_matrix(AssetKind.CRYPTO, Portion.FRACTION, "coin"),
    OrderRule(name="extended-day", kind=_EQUITY, time_in_force=_TODAY, extra=_EXTENDED),
    OrderRule(
        name="extended-ioc",
        kind=_EQUITY,
        time_in_force=_NOW,
        extra=_EXTENDED,
        refused=NOT_TOGETHER,
    ),
    OrderRule(
        name="between-prices",
        kind=_EQUITY,
        time_in_force=_TODAY,
        extra=Extra.BETWEEN_PRICES,
        refused=NOT_TOGETHER,
    ),
    OrderRule(
        name="long-name",
        kind=_EQUITY,
        time_in_force=_TODAY,
        extra=Extra.LONG_NAME,
        refused=MALFORMED,
    ),
    OrderRule(
        name="name-again",
        kind=_EQUITY,
        time_in_force=_TODAY,
        extra=Extra.NAME_AGAIN,
        refused=MALFORMED,
    ),
    OrderRule(
        name="no-such-symbol",
        kind=_EQUITY,
        time_in_force=_TODAY,
        extra=Extra.NO_SUCH_SYMBOL,
        refused=NOT_TOGETHER,
    ),
    OrderRule(
        name="under-the-floor",
        kind=_COIN,
        time_in_force=_KEPT,
        portion=Portion.FRACTION,
        extra=Extra.UNDER_THE_FLOOR,
        refused=FORBIDDEN,
    ),
)
"""Those that `canary` asks the broker for, in this order. What is at the market, a stop, or in
contracts is never probed: it could trade.
"""
