"""Cash and holdings, exact to the last digit, and what the holdings have cost."""

from collections.abc import Iterator
from decimal import ROUND_HALF_EVEN, Context, Decimal

import msgspec
from msgspec import structs

from hydra.trading.exact import add, multiply, subtract


class Holding(msgspec.Struct, frozen=True, kw_only=True):
    """What is held of one symbol: `quantity` is negative for a short, and never zero.

    `cost` is what it has cost in USD, signed like the quantity. `day_cost` is the same with the
    value at the last session's close in the place of what was paid before.
    """

    symbol: str
    quantity: Decimal
    cost: Decimal
    day_cost: Decimal
    multiplier: int = 1

    @property
    def average_price(self) -> Decimal:
        """What one share (of a contract: one of its shares) or coin has cost."""
        return _divided(self.cost, multiply(self.quantity, Decimal(self.multiplier)))


class Holdings:
    """All quantities and the cash are exact sums; only costs are rounded, at the 18th decimal."""

    def __init__(self, cash: Decimal) -> None:
        self.cash = cash
        self._holdings: dict[str, Holding] = {}

    def __iter__(self) -> Iterator[Holding]:
        """All that is held, by symbol."""
        return iter([self._holdings[symbol] for symbol in sorted(self._holdings)])

    def find(self, symbol: str) -> Holding | None:
        """What is held of it, if anything."""
        return self._holdings.get(symbol)

    def quantity(self, symbol: str) -> Decimal:
        """So much is held, below zero for a short."""
        holding = self._holdings.get(symbol)
        return _ZERO if holding is None else holding.quantity

    def trade(self, symbol: str, quantity: Decimal, price: Decimal, multiplier: int = 1) -> None:
        """Buy (over zero) or sell (below zero), against cash."""
        self.cash = subtract(self.cash, multiply(multiply(quantity, price), Decimal(multiplier)))
        self.adjust(symbol, quantity, price, multiplier)

    def adjust(self, symbol: str, quantity: Decimal, price: Decimal, multiplier: int = 1) -> None:
        """The holding changes and the cash does not; what is added has cost `price`."""
        held = self._holdings.get(symbol)
        if held is None:
            held = Holding(
                symbol=symbol, quantity=_ZERO, cost=_ZERO, day_cost=_ZERO, multiplier=multiplier
            )
        self._keep(_changed(held, quantity, price))

    def split(self, symbol: str, new: int, old: int) -> Decimal:
        """`new` shares for `old` ones at the same cost; gives what the holding grew by."""
        held = self._holdings.get(symbol)
        if held is None:
            return _ZERO
        quantity = _divided(multiply(held.quantity, Decimal(new)), Decimal(old))
        self._keep(structs.replace(held, quantity=quantity))
        return subtract(quantity, held.quantity)

    def begin_day(self, values: dict[str, Decimal]) -> None:
        """A session is over: what these symbols are worth now is what tomorrow is measured by."""
        for symbol, value in values.items():
            self._holdings[symbol] = structs.replace(self._holdings[symbol], day_cost=value)

    def _keep(self, holding: Holding) -> None:
        if holding.quantity:
            self._holdings[holding.symbol] = holding
        else:
            self._holdings.pop(holding.symbol, None)


_ZERO = Decimal(0)
_COST_STEP = Decimal("1e-18")
_LONG = Context(prec=60, rounding=ROUND_HALF_EVEN)


def _changed(held: Holding, quantity: Decimal, price: Decimal) -> Holding:
    """After buying or selling so much: what grows costs its price, what shrinks its share."""
    after = add(held.quantity, quantity)
    value = multiply(multiply(quantity, price), Decimal(held.multiplier))
    if held.quantity * quantity >= 0:
        cost, day_cost = add(held.cost, value), add(held.day_cost, value)
    elif after * held.quantity >= 0:
        cost = _divided(multiply(held.cost, after), held.quantity)
        day_cost = _divided(multiply(held.day_cost, after), held.quantity)
    else:  # through zero: what is left was opened by this trade
        cost = day_cost = multiply(multiply(after, price), Decimal(held.multiplier))
    return structs.replace(held, quantity=after, cost=cost, day_cost=day_cost)


def _divided(value: Decimal, by: Decimal) -> Decimal:
    quotient = _LONG.divide(value, by).quantize(_COST_STEP, context=_LONG)
    # 41.5 rather than 41.500000000000000000: it is shown, and as exact either way.
    return quotient.normalize(_LONG)
