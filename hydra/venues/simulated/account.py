"""The account at the simulated venue: cash, positions, and what they are worth."""

from collections.abc import Iterator
from decimal import Decimal

from hydra.trading.exact import add, subtract
from hydra.trading.instruments import value_of
from hydra.trading.orders import Fill
from hydra.trading.venue_view import VenuePosition
from hydra.venues.simulated.fill_model import as_written


class Account:
    """What all executions and fees come to, to the last digit. There is no interest."""

    def __init__(self, cash: Decimal) -> None:
        self._cash = cash
        self._positions: dict[str, Decimal] = {}
        self._last_prices: dict[str, float] = {}

    @property
    def cash(self) -> Decimal:
        """USD that are there; what open orders may cost is not taken off."""
        return self._cash

    def position(self, symbol: str) -> Decimal:
        """The signed sum of all executions: over zero is long, below zero short."""
        return self._positions.get(symbol, _ZERO)

    def positions(self) -> tuple[VenuePosition, ...]:
        """All that is held, by symbol; what is flat is not listed."""
        return tuple(
            VenuePosition(symbol=symbol, quantity=quantity)
            for symbol, quantity in sorted(self._positions.items())
            if quantity
        )

    def last_price(self, symbol: str) -> Decimal | None:
        """What it traded at when it was last seen; None: it never was."""
        price = self._last_prices.get(symbol)
        return None if price is None else as_written(price)

    def equity(self) -> Decimal | None:
        """Cash and positions at their last prices; None if something held has no price."""
        equity = self._cash
        for value in self._values():
            if value is None:
                return None
            equity = add(equity, value)
        return equity

    def book(self, fill: Fill) -> None:
        """Money and goods change hands, at once and exactly."""
        signed = fill.side.sign * fill.quantity
        self._positions[fill.symbol] = add(self.position(fill.symbol), signed)
        self._cash = subtract(self._cash, value_of(fill.symbol, signed, fill.price))

    def mark(self, symbol: str, price: float) -> None:
        """The symbol has traded at this price."""
        self._last_prices[symbol] = price

    def adjust(self, symbol: str, quantity: Decimal) -> None:
        """The position changes by itself, as by a split, an assignment or somebody's hand."""
        self._positions[symbol] = add(self.position(symbol), quantity)

    def adjust_cash(self, amount: Decimal) -> None:
        """The cash changes by itself, as by a fee, a dividend or somebody's hand."""
        self._cash = add(self._cash, amount)

    def _values(self) -> Iterator[Decimal | None]:
        for held in self.positions():
            price = self.last_price(held.symbol)
            yield None if price is None else value_of(held.symbol, held.quantity, price)


_ZERO = Decimal(0)
