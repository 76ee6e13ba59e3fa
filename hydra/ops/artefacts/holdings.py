"""What the bots hold and make while a session's story is told, by the rules of the ledger."""

from collections.abc import Callable
from decimal import Decimal

import msgspec

from hydra.ops.artefacts.opening import Opening
from hydra.trading.exact import add, multiply, subtract, total
from hydra.trading.fees import USD, Fee, FeeChange
from hydra.trading.instruments import value_of
from hydra.trading.inventory import ClosedLot, FifoInventory, fee_lot
from hydra.trading.orders import Fill

_ZERO = Decimal(0)
Place = tuple[str, str]
"""Bot and symbol."""


class Holdings:
    """Lots, money and fees of all bots. Each execution and each fee counts once."""

    def __init__(self, opening: Opening) -> None:
        self.cash = opening.cash
        """The account's; None: it is not known what it was when the session began."""
        self.lots: dict[Place, FifoInventory] = {
            (each.bot, each.inventory.symbol): each.inventory for each in opening.held
        }
        self.realised: dict[Place, Decimal] = {}
        """What was made in the session, what the fees took included."""
        self.fees: dict[str, Decimal] = {}
        """What the fees took, by bot (USD)."""
        self.prices: dict[str, Decimal] = {}
        """The newest price that was named, by symbol."""
        self._moved = _ZERO
        self._executions: set[tuple[str, str]] = set()
        self._fees = {(fee.client_order_id, fee.execution_id): fee for fee in opening.fees}

    @property
    def market_value(self) -> Decimal | None:
        """Of all that is held; None if something was never priced."""
        return self._over_lots(lambda lots, price: value_of(lots.symbol, lots.position, price))

    @property
    def unrealised(self) -> Decimal | None:
        """Of all that is held; None if something was never priced."""
        return self._over_lots(lambda lots, price: lots.unrealised(price))

    @property
    def equity(self) -> Decimal | None:
        """What the account is worth by all this; None: that is not known."""
        value = self.market_value
        return None if self.cash is None or value is None else add(self.cash, value)

    def opened_with(self, cash: Decimal) -> None:
        """The account's cash before the first order of its ledger became known."""
        if self.cash is None:
            self.cash = add(cash, self._moved)

    def filled(self, bot: str, fill: Fill) -> tuple[ClosedLot, ...] | None:
        """Count an execution: what it closed; None if it had been counted."""
        name = (fill.client_order_id, fill.execution_id)
        if name in self._executions:
            return None
        self._executions.add(name)
        place = (bot, fill.symbol)
        self.lots[place], closed = self._of(place).apply(fill)
        self._make(place, total(lot.realised for lot in closed))
        value = value_of(fill.symbol, fill.quantity, fill.price)
        self.move_cash(multiply(value, Decimal(-fill.side.sign)))
        self.prices[fill.symbol] = fill.price
        return closed

    def accrued(self, fee: Fee) -> None:
        """The venue is taken to keep this."""
        name = (fee.client_order_id, fee.execution_id)
        if name not in self._fees:
            self._fees[name] = fee
            self._pay(fee, fee.amount)

    def observed(self, change: FeeChange) -> None:
        """A fee turned out to be something else."""
        name = (change.client_order_id, change.execution_id)
        before = self._fees.get(name)
        if before is not None:
            self._fees[name] = msgspec.structs.replace(before, amount=change.amount)
            self._pay(before, add(subtract(change.amount, before.amount), change.dust))

    def move_cash(self, amount: Decimal) -> None:
        """The account has so much more (less)."""
        self._moved = add(self._moved, amount)
        if self.cash is not None:
            self.cash = add(self.cash, amount)

    def _pay(self, fee: Fee, amount: Decimal) -> None:
        """As the ledger books it: USD from the money, coins from the lots."""
        place = (fee.bot, fee.symbol)
        if fee.asset == USD:
            made = amount.copy_negate()
            self.move_cash(made)
        elif amount > 0:
            lot = fee_lot(fee.execution_id)
            self.lots[place], made = self._of(place).charged(amount, fee.at, lot)
        else:
            lot, back = fee_lot(fee.execution_id), amount.copy_negate()
            self.lots[place], made = self._of(place).credited(back, fee.at, lot)
        self._make(place, made)
        self.fees[fee.bot] = subtract(self.fees.get(fee.bot, _ZERO), made)

    def _of(self, place: Place) -> FifoInventory:
        return self.lots.get(place, FifoInventory(place[1]))

    def _make(self, place: Place, amount: Decimal) -> None:
        self.realised[place] = add(self.realised.get(place, _ZERO), amount)

    def _over_lots(self, worth: Callable[[FifoInventory, Decimal], Decimal]) -> Decimal | None:
        values = []
        for lots in self.lots.values():
            if not lots.lots:
                continue
            price = self.prices.get(lots.symbol)
            if price is None:
                return None
            values.append(worth(lots, price))
        return total(values)
