"""Where orders meet the market: what a bar's open, its rest and an auction do to them.

The prices are those of the one fill rule (`fill_model`); what is added here is when an order sees
which price. It sees the market's when it comes into the market, then the open of each bar, then,
at its end, the rest of each bar that began after it came. What is left of an order that got a part
waits for the next bar.

Stocks and coins execute at the price of the bars. Options, and multi-leg orders net, execute
against their own quotes: purchases at the ask, sales at the bid.
"""

from decimal import Decimal

from msgspec import structs

from hydra.trading.bars import Bar
from hydra.trading.exact import multiply, total
from hydra.trading.orders import Side
from hydra.trading.sessions import ExchangeSession
from hydra.venues.simulated.bar_fills import OnOffer
from hydra.venues.simulated.brokerage.books import Books
from hydra.venues.simulated.brokerage.lives import OrderLives
from hydra.venues.simulated.brokerage.order_book import Working
from hydra.venues.simulated.brokerage.order_hours import is_on
from hydra.venues.simulated.brokerage.order_prices import OPEN_ONLY, trailed
from hydra.venues.simulated.brokerage.orders import BrokerOrder
from hydra.venues.simulated.brokerage.portions import portion, quantity_of_notional
from hydra.venues.simulated.brokerage.trailing import trail_along
from hydra.venues.simulated.brokerage.words import (
    AssetClass,
    OrderClass,
    OrderType,
    Status,
    TimeInForce,
)
from hydra.venues.simulated.fill_model import Execution, execution_on


class Floor:
    """Nothing executes anywhere else. A halted symbol's bars pass by."""

    def __init__(self, books: Books, lives: OrderLives) -> None:
        self._books = books
        self._lives = lives
        self._in_progress: dict[str, OnOffer] = {}
        self._rests_since = 0  # from when on the rest of what executes now sees the market again

    def meet_arrivals(self) -> None:
        """Orders that came into the market see its price, one after the other."""
        arrivals = self._books.arrivals
        self._rests_since = self._books.now + 1
        while arrivals:
            working = self._books.orders.working(arrivals.pop(0))
            if working is not None:
                self._arrive(working)

    def bar_begins(self, bar: Bar) -> None:
        """What rests sees the open."""
        books, symbol = self._books, bar.symbol
        if symbol in books.halted:
            return
        self._in_progress[symbol] = OnOffer(bar, books.terms.max_participation)
        self._rests_since = bar.start_at + 1
        for order in self._pass_over(_of_one_price(bar.open, bar), bar.start_at):
            is_left = books.orders.working(order.id) is not None
            if is_left and order.time_in_force in OPEN_ONLY:
                self._lives.end(order.id, Status.CANCELED)

    def bar_ends(self, bar: Bar) -> None:
        """What rested when the bar began sees all of it."""
        self._rests_since = bar.end_at
        if bar.symbol in self._in_progress and bar.symbol not in self._books.halted:
            # Options see the last quote of the bar; at its end that of the next is shown already.
            self._pass_over(bar, bar.end_at - 1)
        self._in_progress.pop(bar.symbol, None)

    def closing_auction(self, session: ExchangeSession) -> None:
        """Orders for the close execute at the session's last price, or not at all."""
        books = self._books
        for order in books.orders.open_orders():
            working = books.orders.working(order.id)
            if working is None or order.time_in_force is not TimeInForce.CLS:
                continue
            quote = books.market.quote(order.symbol, session.close_at - 1)
            if quote is not None and quote.at >= session.open_at and self._trades(working.market):
                bar = _of_one_price(float(quote.last), _bar_at(order.symbol, books.now))
                self._meet(working, execution_on(working.prices, bar, books.terms.slippage_bps))
            if not books.orders[order.id].status.is_terminal:
                self._lives.end(order.id, Status.CANCELED)

    def halt(self, symbol: str) -> None:
        """Nothing executes in it any more."""
        self._books.halted.add(symbol)

    def resume(self, symbol: str) -> None:
        """It trades again. What rests has seen the prices of the bar that is in progress."""
        books = self._books
        books.halted.discard(symbol)
        for working in books.orders.in_market(symbol):
            books.orders.work(structs.replace(working, rests_since=books.now + 1))

    def _trades(self, market: str) -> bool:
        return market not in self._books.halted

    def _arrive(self, working: Working) -> None:
        books = self._books
        order = books.orders[working.order_id]
        if order.order_type is OrderType.TRAILING_STOP and not order.status.is_terminal:
            working = self._begin_to_trail(order, working)
        if order.time_in_force is TimeInForce.CLS:
            return
        asset = books.market.asset(order.symbol)
        if not is_on(order, asset, books.sessions, books.now):
            return
        is_seen = working.market in self._in_progress and self._trades(working.market)
        if is_seen and _has_own_quote(order):
            self._meet_own_quote(order, books.now)
        elif is_seen:
            price = books.last_price(order.symbol)
            if price is None:
                return
            bar = _of_one_price(float(price), _bar_at(order.symbol, books.now))
            execution = execution_on(working.prices, bar, books.terms.slippage_bps)
            self._meet(working, execution, takes=True)
        elif self._trades(working.market):
            return
        if order.time_in_force in OPEN_ONLY and books.orders.working(order.id) is not None:
            self._lives.end(order.id, Status.CANCELED)

    def _begin_to_trail(self, order: BrokerOrder, working: Working) -> Working:
        price = self._books.last_price(order.symbol)
        if price is None or working.prices.stop is None:
            return working
        return self._keep_trailing(trailed(order, price), working)

    def _keep_trailing(self, order: BrokerOrder, working: Working) -> Working:
        prices = structs.replace(working.prices, stop=order.stop_price)
        working = structs.replace(working, prices=prices)
        self._books.orders.put(order)
        self._books.orders.work(working)
        return working

    def _pass_over(self, bar: Bar, quoted_at: int) -> list[BrokerOrder]:
        """Let the bar do what it does: at the open, then stops, then limits, then by own quotes.

        Gives the orders that saw it, as they were before.
        """
        books = self._books
        seen = [
            (working, order)
            for working in books.orders.in_market(bar.symbol)
            if self._sees(order := books.orders[working.order_id], working, bar)
        ]
        executions = [
            (working, execution)
            for working, order in seen
            if not _has_own_quote(order)
            and (execution := self._execution(order, working, bar)) is not None
        ]
        executions.sort(key=lambda pair: pair[1].moment)
        for working, execution in executions:
            self._meet(working, execution)
        for _, order in seen:
            if _has_own_quote(order):
                self._meet_own_quote(order, quoted_at)
        return [order for _, order in seen]

    def _execution(self, order: BrokerOrder, working: Working, bar: Bar) -> Execution | None:
        slippage_bps = self._books.terms.slippage_bps
        if order.order_type is OrderType.TRAILING_STOP and working.prices.stop is not None:
            order, execution = trail_along(order, working.prices, bar, slippage_bps)
            self._keep_trailing(order, working)
            return execution
        return execution_on(working.prices, bar, slippage_bps)

    def _sees(self, order: BrokerOrder, working: Working, bar: Bar) -> bool:
        """Whether the bar is of the hours that the order is for, and its prices are news to it."""
        if order.time_in_force is TimeInForce.CLS or working.rests_since > bar.start_at:
            return False
        if order.asset_class is AssetClass.CRYPTO or order.extended_hours:
            return True
        return self._books.sessions.at(bar.start_at) is not None

    def _meet(self, met: Working, execution: Execution | None, *, takes: bool = False) -> None:
        """The market has come to the order: it wakes, it executes, or nothing is left for it."""
        books = self._books
        working = books.orders.working(met.order_id)
        if execution is None or working is None:  # another of its group was first
            return
        if working.prices.stop is not None:
            self._lives.wake(working.order_id)
        if execution.price is None:
            return
        on_offer = self._in_progress.get(working.market)
        makes = not takes and met.prices.stop is None and met.prices.limit is not None
        self._trade(working.order_id, execution.price, on_offer, makes=makes)

    def _trade(
        self, order_id: str, price: Decimal, on_offer: OnOffer | None, *, makes: bool
    ) -> None:
        books = self._books
        order = books.orders[order_id]
        if order.quantity is None:
            quantity = quantity_of_notional(order, price, books)
            if not quantity:
                return
            self._lives.resize(order_id, quantity)
        quantity = portion(books.orders[order_id], on_offer, books)
        if quantity:
            self._lives.execute(order_id, quantity, price, makes=makes)
            self._rest(order_id)

    def _rest(self, order_id: str) -> None:
        """What is left of it waits for the next bar."""
        working = self._books.orders.working(order_id)
        if working is not None:
            self._books.orders.work(structs.replace(working, rests_since=self._rests_since))

    def _meet_own_quote(self, order: BrokerOrder, at: int) -> None:
        working = self._books.orders.working(order.id)
        if working is None or order.status is Status.HELD:
            return
        if order.order_class is OrderClass.MLEG:
            self._meet_leg_quotes(order, at)
            return
        assert order.side is not None
        price = self._touch(order.symbol, order.side, at)
        if price is not None:
            # The spread is what an option order pays; there is no slippage beside it.
            bar = _of_one_price(float(price), _bar_at(order.symbol, at))
            execution = execution_on(working.prices, bar, Decimal(0))
            if execution is not None and working.prices.stop is not None:
                self._lives.wake(order.id)
            if execution is not None and execution.price is not None:
                self._trade(order.id, execution.price, None, makes=False)

    def _meet_leg_quotes(self, order: BrokerOrder, at: int) -> None:
        """All legs in proportion at their quotes, if the net price is good for the order."""
        books = self._books
        legs = [books.orders[leg_id] for leg_id in order.legs]
        prices: list[Decimal] = []
        for leg in legs:
            assert leg.side is not None
            price = self._touch(leg.symbol, leg.side, at)
            if price is None:
                return
            prices.append(price)
        net = total(
            multiply((leg.side or Side.BUY).sign * (leg.ratio_quantity or Decimal(1)), price)
            for leg, price in zip(legs, prices, strict=True)
        )
        if order.limit_price is not None and net > order.limit_price:
            return
        quantity = portion(order, None, books)
        if quantity:
            self._lives.execute_legs(order.id, quantity, tuple(prices))
            self._rest(order.id)

    def _touch(self, symbol: str, side: Side, at: int) -> Decimal | None:
        """What an option costs or brings at `at`; None: it does not trade, or nobody bids."""
        market = self._books.market
        quote = market.quote(symbol, at)
        if quote is None or not market.is_trading(symbol, at):
            return None
        price = quote.ask if side is Side.BUY else quote.bid
        return price if price > 0 else None


def _has_own_quote(order: BrokerOrder) -> bool:
    return order.asset_class is AssetClass.OPTION or order.order_class is OrderClass.MLEG


def _of_one_price(price: float, bar: Bar) -> Bar:
    return structs.replace(bar, open=price, high=price, low=price, close=price)


def _bar_at(symbol: str, at: int) -> Bar:
    return Bar(symbol, at, at + 1, 0.0, 0.0, 0.0, 0.0, 0.0)
