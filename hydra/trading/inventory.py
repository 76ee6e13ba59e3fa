"""FIFO inventory of one bot in one symbol, long or short, in exact decimals.

`FifoInventory` is a value: a fill gives the next one, and what it closed. It counts every fill that
it is given. That each execution is given once (I23) is the work of `FillBook`, which remembers
executions by order and execution id as long as it lives, so a fill that arrives both in the record
and on the stream after a restart counts once. The ledger's unique key does the same on disk.

First in is first booked. Position and total P&L do not depend on the order of the fills; which lot
meets which, and so what of the total is realised, does. That order is the ledger's sequence (I49).

All money is in USD, with the units of a contract; prices are for one of its shares. Fees are not
part of a fill: what a venue keeps in coins is taken off the lots by itself (`charged`), at what it
cost.
"""

from collections import deque
from decimal import ROUND_HALF_EVEN, Context, Decimal

import msgspec

from hydra.trading.exact import add, multiply, subtract, total
from hydra.trading.fees import USD, Fee
from hydra.trading.instruments import value_of
from hydra.trading.orders import Fill, Side

# An average is for showing; it is the one figure here that may need rounding.
_AVERAGING = Context(prec=28, rounding=ROUND_HALF_EVEN)


class BadFill(ValueError):
    """A fill that cannot be true or does not belong here. Nothing was booked."""


class Lot(msgspec.Struct, frozen=True, kw_only=True):
    """What is left of one opening execution. `quantity` is positive, `opened_at` market time."""

    side: Side
    quantity: Decimal
    price: Decimal
    opened_at: int
    execution_id: str


class ClosedLot(msgspec.Struct, frozen=True, kw_only=True):
    """A lot, or the part of it that one execution closed. `side` is the side of the entry."""

    side: Side
    quantity: Decimal
    entry_price: Decimal
    exit_price: Decimal
    opened_at: int
    closed_at: int
    entry_execution_id: str
    exit_execution_id: str
    realised: Decimal


class FifoInventory(msgspec.Struct, frozen=True):
    """The open lots of one bot in `symbol`, oldest first, all of one side."""

    symbol: str
    lots: tuple[Lot, ...] = ()

    @property
    def position(self) -> Decimal:
        """Signed quantity: positive is long, negative is short."""
        return total(multiply(lot.quantity, Decimal(lot.side.sign)) for lot in self.lots)

    @property
    def cost_basis(self) -> Decimal:
        """What the position cost: paid for a long one, negative (received) for a short one."""
        return total(
            multiply(value_of(self.symbol, lot.quantity, lot.price), Decimal(lot.side.sign))
            for lot in self.lots
        )

    @property
    def average_price(self) -> Decimal | None:
        """Entry price averaged by quantity, rounded to 28 digits; None when flat."""
        if not self.lots:
            return None
        at_one = value_of(self.symbol, self.position, _ONE)
        return _AVERAGING.divide(self.cost_basis, at_one)

    def unrealised(self, price: Decimal) -> Decimal:
        """What closing everything at `price` would realise."""
        return subtract(value_of(self.symbol, self.position, price), self.cost_basis)

    def apply(self, fill: Fill) -> "tuple[FifoInventory, tuple[ClosedLot, ...]]":
        """Book a fill: the next inventory, and the lots it closed, oldest first.

        A fill larger than the position closes it and opens the rest on the other side: the venue
        says what is. Only what cannot be true is refused, with `BadFill`. The same fill given
        twice is booked twice; see `FillBook`.
        """
        _refuse_what_cannot_be(fill, self.symbol)
        if self.lots and self.lots[0].side is fill.side:
            return FifoInventory(self.symbol, (*self.lots, _opened(fill, fill.quantity))), ()
        lots = deque(self.lots)
        closed: list[ClosedLot] = []
        remaining = fill.quantity
        while lots and remaining:
            oldest = lots.popleft()
            quantity = min(oldest.quantity, remaining)
            closed.append(_closed(oldest, quantity, fill))
            remaining = subtract(remaining, quantity)
            if quantity < oldest.quantity:
                lots.appendleft(_reduced(oldest, quantity))
        if remaining:
            lots.append(_opened(fill, remaining))
        return FifoInventory(self.symbol, tuple(lots)), tuple(closed)

    def charged(self, quantity: Decimal, at: int, name: str) -> "tuple[FifoInventory, Decimal]":
        """With so much less, for nothing; and what that realised, which is a loss.

        It is taken from the newest lots, since a fee is of what was bought last. More than is held
        is owed from then on: the rest opens a short lot, got for nothing.
        """
        lots, made, remaining = list(self.lots), _NOTHING, quantity
        while lots and lots[-1].side is Side.BUY and remaining:
            newest = lots.pop()
            taken = min(newest.quantity, remaining)
            made = subtract(made, value_of(self.symbol, taken, newest.price))
            remaining = subtract(remaining, taken)
            if taken < newest.quantity:
                lots.append(_reduced(newest, taken))
        rest = FifoInventory(self.symbol, tuple(lots))
        return (rest, made) if not remaining else rest._given(Side.SELL, remaining, at, name, made)

    def credited(self, quantity: Decimal, at: int, name: str) -> "tuple[FifoInventory, Decimal]":
        """With so much more, as if it had not been charged; and what that realised, a gain.

        The newest lot is the larger for it. Where there is none, it was got for nothing.
        """
        if not self.lots or self.lots[-1].side is Side.SELL:
            return self._given(Side.BUY, quantity, at, name, _NOTHING)
        *others, newest = self.lots
        larger = msgspec.structs.replace(newest, quantity=add(newest.quantity, quantity))
        made = value_of(self.symbol, quantity, newest.price)
        return FifoInventory(self.symbol, (*others, larger)), made

    def _given(
        self, side: Side, quantity: Decimal, at: int, name: str, made: Decimal
    ) -> "tuple[FifoInventory, Decimal]":
        """As if it had been traded for nothing."""
        for_nothing = Fill(
            execution_id=name,
            client_order_id="",
            symbol=self.symbol,
            side=side,
            quantity=quantity,
            price=_NOTHING,
            at=at,
        )
        inventory, closed = self.apply(for_nothing)
        return inventory, add(made, total(lot.realised for lot in closed))


class FillBook:
    """One bot's fills in one symbol, each execution counted once, however often it is told."""

    def __init__(self, symbol: str) -> None:
        self._take(FifoInventory(symbol))
        self.realised = Decimal(0)
        self._fills: dict[tuple[str, str], Fill] = {}
        self._orders: dict[str, str] = {}

    @property
    def inventory(self) -> FifoInventory:
        """The open lots."""
        return self._inventory

    @inventory.setter
    def inventory(self, inventory: FifoInventory) -> None:
        self._take(inventory)

    def _take(self, inventory: FifoInventory) -> None:
        # What is asked for at every bar is worked out at every fill.
        self._inventory = inventory
        self.position = inventory.position
        self.average_price = inventory.average_price

    def knows(self, fill: Fill) -> bool:
        """Whether this execution is booked already."""
        return (fill.client_order_id, fill.execution_id) in self._fills

    def order_of(self, execution_id: str) -> str:
        """Which order the execution was of; "" where it is not booked here."""
        return self._orders.get(execution_id, "")

    def book(self, fill: Fill, fee: Fee | None = None) -> tuple[ClosedLot, ...]:
        """The lots that the fill closed; none if this execution is already booked, with its fee.

        An execution id that comes back with another content is a correction or a mix-up, which
        must not pass for a repetition: `BadFill`.
        """
        name = (fill.client_order_id, fill.execution_id)
        booked = self._fills.get(name)
        if booked is not None:
            if booked != fill:
                raise BadFill(
                    f"execution {fill.execution_id} of order {fill.client_order_id} was booked as "
                    f"{_in_words(booked)} and came again as {_in_words(fill)}; reconcile"
                )
            return ()
        inventory, closed = self.inventory.apply(fill)
        realised = add(self.realised, total(lot.realised for lot in closed))
        if fee is not None:
            inventory, made = paid(inventory, fee)
            realised = add(realised, made)
        self.inventory, self.realised, self._fills[name] = inventory, realised, fill
        self._orders[fill.execution_id] = fill.client_order_id
        return closed


def paid(inventory: FifoInventory, fee: Fee) -> tuple[FifoInventory, Decimal]:
    """What is left of the inventory after a fee in its coin, or in USD; and what that realised."""
    if fee.asset == USD:
        return inventory, fee.amount.copy_negate()
    return inventory.charged(fee.amount, fee.at, fee_lot(fee.execution_id))


def fee_lot(execution_id: str) -> str:
    """What a lot is called that only the fee of this execution opened."""
    return f"fee:{execution_id}"


_NOTHING, _ONE = Decimal(0), Decimal(1)


def _opened(fill: Fill, quantity: Decimal) -> Lot:
    return Lot(
        side=fill.side,
        quantity=quantity,
        price=fill.price,
        opened_at=fill.at,
        execution_id=fill.execution_id,
    )


def _reduced(lot: Lot, quantity: Decimal) -> Lot:
    return msgspec.structs.replace(lot, quantity=subtract(lot.quantity, quantity))


def _closed(lot: Lot, quantity: Decimal, fill: Fill) -> ClosedLot:
    gain = multiply(subtract(fill.price, lot.price), Decimal(lot.side.sign))
    return ClosedLot(
        side=lot.side,
        quantity=quantity,
        entry_price=lot.price,
        exit_price=fill.price,
        opened_at=lot.opened_at,
        closed_at=fill.at,
        entry_execution_id=lot.execution_id,
        exit_execution_id=fill.execution_id,
        realised=value_of(fill.symbol, quantity, gain),
    )


def _refuse_what_cannot_be(fill: Fill, symbol: str) -> None:
    # A price of zero can be true: an option that expires worthless is closed at nothing.
    where = f"execution {fill.execution_id} of order {fill.client_order_id}"
    if fill.symbol != symbol:
        raise BadFill(f"{where} is in {fill.symbol}, this inventory is of {symbol}")
    if not (type(fill.quantity) is Decimal and fill.quantity.is_finite() and fill.quantity > 0):
        raise BadFill(f"{where} has quantity {fill.quantity}, wanted a decimal above zero")
    if not (type(fill.price) is Decimal and fill.price.is_finite() and fill.price >= 0):
        raise BadFill(f"{where} has price {fill.price}, wanted a decimal of zero or more")


def _in_words(fill: Fill) -> str:
    return f"{fill.side.value} {fill.quantity} {fill.symbol} at {fill.price}"
