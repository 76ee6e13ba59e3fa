"""How what happened changes cash and holdings, and how it goes on the record of activities."""

from decimal import Decimal

from hydra.trading.exact import add, subtract
from hydra.trading.orders import Side
from hydra.venues.simulated.brokerage.activities import FillActivity
from hydra.venues.simulated.brokerage.activity_log import activity_id, other_activity
from hydra.venues.simulated.brokerage.books import Books, Trade
from hydra.venues.simulated.brokerage.fees import crypto_fee
from hydra.venues.simulated.brokerage.orders import BrokerOrder
from hydra.venues.simulated.brokerage.words import AssetClass


class Bookings:
    """Executions, fees, and other changes. Money and goods change hands at once and exactly."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def trade(self, order: BrokerOrder, quantity: Decimal, price: Decimal, *, makes: bool) -> Trade:
        """Book an execution of this order, with its fee."""
        assert order.side is not None, "a multi-leg order trades by its legs"
        books = self._books
        fee = _ZERO
        if order.asset_class is AssetClass.CRYPTO:
            costs = crypto_fee(order.side, quantity, price, makes=makes, terms=books.terms)
            fee = costs.coins if order.side is Side.BUY else costs.usd
        trade = Trade(
            execution_id=books.ids.fresh(),
            order_id=order.id,
            symbol=order.symbol,
            side=order.side,
            is_short=order.side is Side.SELL and books.holdings.quantity(order.symbol) <= 0,
            quantity=quantity,
            price=price,
            fee=fee,
            at=books.now,
        )
        books.trades[trade.execution_id] = trade
        self._exchange(trade)
        return trade

    def write_trade(self, order: BrokerOrder, trade: Trade) -> None:
        """Put an execution on the record; `order` is as it is after it."""
        leaves = _ZERO
        if order.quantity is not None:
            leaves = max(_ZERO, subtract(order.quantity, order.filled_quantity))
        self._books.activities.write(
            FillActivity(
                id=activity_id(trade.at, trade.execution_id),
                at=trade.at,
                order_id=order.id,
                symbol=order.symbol,
                side=trade.side,
                is_short=trade.is_short,
                quantity=trade.quantity,
                price=trade.price,
                cumulative_quantity=order.filled_quantity,
                leaves_quantity=leaves,
                order_status=order.status,
            )
        )
        if not trade.fee:
            return
        if trade.side is Side.BUY:
            self.write(
                "CFEE",
                "Coin Pair Transaction Fee (Non USD)",
                symbol=trade.symbol,
                quantity=-trade.fee,
                price=trade.price,
            )
        else:
            self.write(
                "CFEE",
                "Coin Pair Transaction Fee (USD)",
                net_amount=-trade.fee,
                symbol=trade.symbol,
                price=trade.price,
            )

    def correct(self, execution_id: str, quantity: Decimal, price: Decimal) -> Trade:
        """Undo an execution and book it as it should have been; a quantity of 0 undoes it only.

        The fee stays what it was, unless nothing is left.
        """
        books = self._books
        old = books.trades.pop(execution_id)
        self._exchange(old, -1)
        new = Trade(
            execution_id=books.ids.fresh(),
            order_id=old.order_id,
            symbol=old.symbol,
            side=old.side,
            is_short=old.is_short,
            quantity=quantity,
            price=price,
            fee=old.fee if quantity else _ZERO,
            at=books.now,
        )
        if quantity:
            books.trades[new.execution_id] = new
            self._exchange(new)
        return new

    def write(
        self,
        kind: str,
        description: str,
        *,
        net_amount: Decimal = Decimal(0),
        symbol: str | None = None,
        quantity: Decimal | None = None,
        price: Decimal | None = None,
    ) -> None:
        """Put on the record what is no execution; what it changes is booked by the caller."""
        books = self._books
        books.activities.write(
            other_activity(
                kind,
                books.now,
                books.ids.fresh(),
                description,
                net_amount=net_amount,
                symbol=symbol,
                quantity=quantity,
                price=price,
            )
        )

    def _exchange(self, trade: Trade, sign: int = 1) -> None:
        """Goods for cash, less the fee; `sign` -1 gives both back."""
        holdings = self._books.holdings
        contract = self._books.market.contract(trade.symbol)
        multiplier = 1 if contract is None else contract.multiplier
        holdings.trade(
            trade.symbol, sign * trade.side.sign * trade.quantity, trade.price, multiplier
        )
        if trade.side is Side.BUY and trade.fee:
            holdings.adjust(trade.symbol, -sign * trade.fee, trade.price)
        else:
            holdings.cash = add(holdings.cash, -sign * trade.fee)


_ZERO = Decimal(0)
