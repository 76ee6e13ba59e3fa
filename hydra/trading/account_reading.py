"""An account as its venue shows it at one moment, and the venue's own record of what changed it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from hydra.trading.exact import add, subtract, total
from hydra.trading.instruments import value_of

ZERO = Decimal(0)
FILL = "FILL"
COUNTS = frozenset({"", "executed", "correct"})
"""The states of an activity that has changed the account; a word that is new is none of them."""
_HALF, _CENTS = Decimal("0.5"), -2


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """A position as the venue shows it: its `value` in USD, signed as its `quantity` (a short is
    below zero), and the `price` of one share, coin, or share of a contract.
    """

    symbol: str
    quantity: Decimal
    value: Decimal
    price: Decimal


class AccountReading(msgspec.Struct, frozen=True, kw_only=True):
    """The account as the venue showed it at market time `at` (UTC ns), in USD.

    `equity` is its own figure; None: prices moved while it was read, and what the account is worth
    is cash and positions as they were listed. `counted`: the ids of recent activities that had
    changed the account by then. `life` names the record beside which it was read, "" if none did.
    """

    account: str
    at: int
    cash: Decimal
    equity: Decimal | None
    marks: tuple[Mark, ...]
    counted: tuple[str, ...] = ()
    life: str = ""

    @property
    def listed(self) -> Decimal:
        """Cash and positions, added up."""
        return add(self.cash, total(mark.value for mark in self.marks))

    @property
    def worth(self) -> Decimal:
        """The venue's figure, or else what it listed."""
        return self.listed if self.equity is None else self.equity

    @property
    def rounding(self) -> Decimal:
        """What the venue's figure is more (less) than what it listed."""
        return subtract(self.worth, self.listed)

    @property
    def rounding_most(self) -> Decimal:
        """How far its figures can be apart by being rounded: half of the last place of the equity,
        a cent at least, and of each position's value that is not its quantity at its price.
        """
        figures = [mark.value for mark in self.marks if mark.value != _at(mark.price, mark)]
        return total(map(_half_of_the_last_place, [self.worth, *figures]))


class Activity(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """One line of the venue's record of the account. `kind` is its own word, known here or not.

    `cash` (USD) and `quantity` (of `symbol`, spelled as orders do) are what it changed, signed; of
    an execution they follow from its price. `at` is UTC ns. `status` is the venue's word, "" if it
    says none.
    """

    id: str
    kind: str
    at: int
    cash: Decimal = ZERO
    symbol: str = ""
    quantity: Decimal = ZERO
    price: Decimal | None = None
    order_id: str = ""
    status: str = ""

    @property
    def has_counted(self) -> bool:
        """Whether it has changed the account."""
        return self.status in COUNTS

    @property
    def execution_id(self) -> str:
        """Of an execution, the name that the trading stream has for it."""
        return self.id.rpartition("::")[2]


class AccountStatement(msgspec.Struct, frozen=True, kw_only=True):
    """All that a bridge needs of the venue: the account as it is, and what is listed of it.

    `last_equity` (USD) is of the close of the session of `last_session` (an ISO date), and
    `last_prices` are those of then, of what is held now. None: the venue does not say.
    """

    reading: AccountReading
    activities: tuple[Activity, ...]
    last_equity: Decimal | None = None
    last_session: str | None = None
    last_prices: Mapping[str, Decimal] = {}


def _at(price: Decimal, mark: Mark) -> Decimal:
    return value_of(mark.symbol, mark.quantity, price)


def _half_of_the_last_place(figure: Decimal) -> Decimal:
    exponent = figure.as_tuple().exponent
    assert isinstance(exponent, int), "amounts are finite"
    return _HALF.scaleb(min(exponent, _CENTS))
