"""Options at their end: exercise, assignment, expiry, and the broker's way out of what is too dear.

What becomes of an option on its last day, or of one that its holder exercises, is settled over
night and booked the next morning at six in New York: positions change, activities say why, and the
trading stream says nothing. Calls and puts in the money by a cent are exercised, unless the holder
wanted otherwise; short ones are assigned by the same rule. All others expire.

On the last day, 45 minutes before the close (30 for broad funds), the broker closes what the
account could not pay for: if the options of one underlying that would be exercised cost more than
the buying power, or need more shares than there are, they are sold, and short ones bought back.
"""

from datetime import date, time, timedelta
from decimal import Decimal

from hydra.trading.durations import SECOND
from hydra.trading.exact import add, multiply, subtract, total
from hydra.trading.local_time import new_york_date, new_york_instant
from hydra.trading.orders import Side
from hydra.venues.simulated.brokerage.answers import Exercised
from hydra.venues.simulated.brokerage.bookings import Bookings
from hydra.venues.simulated.brokerage.books import Books
from hydra.venues.simulated.brokerage.contracts import OptionContract, Right
from hydra.venues.simulated.brokerage.desk import Desk
from hydra.venues.simulated.brokerage.holdings import Holding
from hydra.venues.simulated.brokerage.lives import OrderLives
from hydra.venues.simulated.brokerage.option_rules import inferred_intent
from hydra.venues.simulated.brokerage.placing import orders_of
from hydra.venues.simulated.brokerage.refusals import Refusal, forbidden, not_found
from hydra.venues.simulated.brokerage.requests import PlaceOrder
from hydra.venues.simulated.brokerage.situations import available
from hydra.venues.simulated.brokerage.valuation import figures_of, held_options
from hydra.venues.simulated.brokerage.words import OrderType, Status, TimeInForce

IN_THE_MONEY_MIN = Decimal("0.01")
"""USD a share from which an option is exercised by itself."""


class OptionsDesk:
    """All that happens to options but trading."""

    def __init__(self, books: Books, bookings: Bookings, lives: OrderLives, desk: Desk) -> None:
        self._books = books
        self._bookings = bookings
        self._lives = lives
        self._desk = desk

    def exercise(self, name: str) -> Exercised | Refusal:
        """Exercise all that is free of a contract, tomorrow morning."""
        books = self._books
        contract = books.market.contract(name)
        if contract is None:
            return not_found(f"option contract {name} not found")
        symbol = contract.symbol
        free = available(symbol, books).free
        if books.holdings.quantity(symbol) <= 0 or free <= 0:
            return _nothing_held()
        books.exercises[symbol] = add(books.exercises.get(symbol, Decimal(0)), free)
        books.kept_to_expire.discard(symbol)
        books.exercised_at[symbol] = books.now
        return Exercised(symbol)

    def do_not_exercise(self, name: str) -> Exercised | Refusal:
        """Let a contract expire, whatever it is worth."""
        books = self._books
        contract = books.market.contract(name)
        if contract is None:
            return not_found(f"option contract {name} not found")
        if books.holdings.quantity(contract.symbol) <= 0:
            return _nothing_held()
        books.kept_to_expire.add(contract.symbol)
        return Exercised(contract.symbol)

    def next_moment(self, after: int) -> int | None:
        """When something may happen to an option that is held, later than `after`."""
        moments = [_morning_after(at) for at in self._books.exercised_at.values()]
        for _, contract in held_options(self._books):
            moments.append(self._settles_at(contract))
            cut_off = self._cut_off(contract)
            if cut_off is not None:
                moments.append(cut_off)
        return min((moment for moment in moments if moment > after), default=None)

    def settle(self) -> None:
        """Book, by now, what was exercised, assigned, and what has expired."""
        books = self._books
        for symbol, at in tuple(books.exercised_at.items()):
            if _morning_after(at) <= books.now:
                quantity = min(books.exercises.pop(symbol), books.holdings.quantity(symbol))
                del books.exercised_at[symbol]
                contract = books.market.contract(symbol)
                if contract is not None and quantity > 0:
                    self._deliver(contract, quantity)
        for holding, contract in tuple(held_options(books)):
            if self._settles_at(contract) <= books.now:
                self._settle_expired(holding, contract)

    def assign(self, contract: OptionContract, quantity: Decimal) -> None:
        """So many short contracts are exercised by whoever holds them."""
        self._deliver(contract, -quantity)

    def close_what_is_too_dear(self) -> None:
        """On its last day, at its cut-off, close what the account could not pay for."""
        books = self._books
        ending: dict[str, list[tuple[Holding, OptionContract]]] = {}
        for holding, contract in held_options(books):
            if self._cut_off(contract) == books.now and self._will_be_exercised(holding, contract):
                ending.setdefault(contract.underlying, []).append((holding, contract))
        for stock, held in ending.items():
            if not self._can_be_borne(stock, held):
                for holding, _ in sorted(held, key=lambda pair: pair[0].quantity):
                    self._close(holding)

    def _settle_expired(self, holding: Holding, contract: OptionContract) -> None:
        books = self._books
        if self._will_be_exercised(holding, contract):
            self._deliver(contract, holding.quantity)
        else:
            books.holdings.adjust(contract.symbol, -holding.quantity, Decimal(0))
            self._bookings.write(
                "OPEXP", "Option Expiry", symbol=contract.symbol, quantity=-holding.quantity
            )
        books.kept_to_expire.discard(contract.symbol)

    def _deliver(self, contract: OptionContract, quantity: Decimal) -> None:
        """Contracts (long ones over zero) become shares at their strike."""
        holdings = self._books.holdings
        shares = _shares_of(contract, quantity)
        holdings.adjust(contract.symbol, -quantity, Decimal(0))
        holdings.trade(contract.underlying, shares, contract.strike)
        kind, description = ("OPEXC", "Option Exercise")
        if quantity < 0:
            kind, description = ("OPASN", "Option Assignment")
        self._bookings.write(kind, description, symbol=contract.symbol, quantity=-quantity)
        self._bookings.write(
            "OPTRD",
            "Option Trade",
            net_amount=multiply(-shares, contract.strike),
            symbol=contract.underlying,
            quantity=shares,
            price=contract.strike,
        )

    def _will_be_exercised(self, holding: Holding, contract: OptionContract) -> bool:
        """By the last price of its last session, or the newest before that."""
        books = self._books
        if holding.quantity > 0 and contract.symbol in books.kept_to_expire:
            return False
        session = books.sessions.of_date(contract.expiration.isoformat())
        at = books.now if session is None else min(books.now, session.close_at - 1)
        quote = books.market.quote(contract.underlying, at)
        if quote is None:
            return False
        above = subtract(quote.last, contract.strike)
        return (above if contract.right is Right.CALL else -above) >= IN_THE_MONEY_MIN

    def _can_be_borne(self, stock: str, held: list[tuple[Holding, OptionContract]]) -> bool:
        """Whether money and shares are there for all that would be exercised together."""
        deliveries = [(_shares_of(c, h.quantity), c.strike) for h, c in held]
        cost = total(multiply(shares, strike) for shares, strike in deliveries)
        owned = self._books.holdings.quantity(stock)
        after = add(owned, total(shares for shares, _ in deliveries))
        return cost <= figures_of(self._books).buying_power and after >= min(Decimal(0), owned)

    def _close(self, holding: Holding) -> None:
        """The broker's own order; what is open in the contract makes way for it."""
        books, symbol = self._books, holding.symbol
        for order in books.orders.open_orders():
            if order.symbol == symbol:
                whole = order.id if order.parent is None else order.parent
                if not books.orders[whole].status.is_terminal:
                    self._lives.end(whole, Status.CANCELED, "expiring position is liquidated")
        side = Side.SELL if holding.quantity > 0 else Side.BUY
        order, _ = orders_of(
            PlaceOrder(
                symbol=symbol,
                quantity=abs(holding.quantity),
                side=side,
                order_type=OrderType.MARKET,
                time_in_force=TimeInForce.DAY,
                position_intent=inferred_intent(side, holding.quantity),
            ),
            books,
        )
        self._desk.take(order, ())

    def _cut_off(self, contract: OptionContract) -> int | None:
        """When the broker looks whether the account can bear it; None: not in the calendar."""
        session = self._books.sessions.of_date(contract.expiration.isoformat())
        if session is None:
            return None
        asset = self._books.market.asset(contract.underlying)
        is_late = asset is not None and CLOSES_LATE in asset.attributes
        return session.close_at - (_LATE_LEAD_NS if is_late else _LEAD_NS)

    def _settles_at(self, contract: OptionContract) -> int:
        return _six_of(contract.expiration + timedelta(days=1))


CLOSES_LATE = "options_late_close"
"""The attribute of a broad fund, whose options trade a quarter of an hour longer."""

_LEAD_NS = 45 * 60 * SECOND
_LATE_LEAD_NS = 30 * 60 * SECOND


def _shares_of(contract: OptionContract, quantity: Decimal) -> Decimal:
    """What exercising so many contracts brings, below zero: what it delivers."""
    shares = multiply(quantity, Decimal(contract.multiplier))
    return shares if contract.right is Right.CALL else -shares


def _nothing_held() -> Refusal:
    return forbidden("no available position for the specified contract")


def _morning_after(at: int) -> int:
    return _six_of(new_york_date(at) + timedelta(days=1))


def _six_of(day: date) -> int:
    return new_york_instant(day, time(6))
