"""The broker whole: every request in, every answer and trade update out.

A part for each thing: `books` is the memory, `lives` what can become of an order, `groups` what
that means for others, `floor` the market, `desk` the requests about orders, `options_desk` what
happens to options by themselves, `acting` what no honest broker does, `day` what time alone brings.
"""

from decimal import Decimal
from typing import assert_never

from msgspec import structs

from hydra.trading.bars import Bar
from hydra.trading.sessions import SessionTable
from hydra.venues.simulated.brokerage.account_sheet import AccountSheet
from hydra.venues.simulated.brokerage.acting import Acting
from hydra.venues.simulated.brokerage.activities import Activity
from hydra.venues.simulated.brokerage.acts import Act
from hydra.venues.simulated.brokerage.answers import Answer, Answered
from hydra.venues.simulated.brokerage.bookings import Bookings
from hydra.venues.simulated.brokerage.books import Books, Trade
from hydra.venues.simulated.brokerage.configuration import AccountConfiguration
from hydra.venues.simulated.brokerage.day import Day
from hydra.venues.simulated.brokerage.desk import Desk
from hydra.venues.simulated.brokerage.floor import Floor
from hydra.venues.simulated.brokerage.lives import OrderLives
from hydra.venues.simulated.brokerage.market_view import MarketView
from hydra.venues.simulated.brokerage.options_desk import OptionsDesk
from hydra.venues.simulated.brokerage.order_lists import orders_asked_for
from hydra.venues.simulated.brokerage.orders import BrokerOrder, TradeUpdate
from hydra.venues.simulated.brokerage.position_views import position_of
from hydra.venues.simulated.brokerage.positions import Position
from hydra.venues.simulated.brokerage.queries import ActivityQuery, OrderQuery
from hydra.venues.simulated.brokerage.refusals import Refusal, malformed
from hydra.venues.simulated.brokerage.requests import (
    BrokerRequest,
    CancelAllOrders,
    CancelOrder,
    CloseAllPositions,
    ClosePosition,
    Configure,
    DoNotExercise,
    ExerciseOption,
    PlaceOrder,
    ReplaceOrder,
)
from hydra.venues.simulated.brokerage.terms import BrokerageTerms
from hydra.venues.simulated.brokerage.valuation import sheet_of


class Brokerage:
    """Deterministic: the same calls in the same order give the same answers, to the last id.

    All calls take market time (UTC ns), which never steps back. Whoever calls lets the market
    happen in this order: at one instant first the bars that end, then what time brings
    (`come_to`), then the bars that begin, then what clients ask. Every call comes to its own time
    by itself; a bar's end comes only to just before it, for a close at that instant follows it.
    """

    def __init__(self, terms: BrokerageTerms, market: MarketView) -> None:
        books = Books(terms, market)
        bookings = Bookings(books)
        lives = OrderLives(books, bookings)
        floor = Floor(books, lives)
        desk = Desk(books, lives, floor)
        options = OptionsDesk(books, bookings, lives, desk)
        self._books = books
        self._floor = floor
        self._desk = desk
        self._options = options
        self._day = Day(books, lives, floor, options)
        self._acting = Acting(books, bookings, lives, floor, desk, options)

    def receive(self, request: BrokerRequest, at: int) -> Answered:
        """A request has arrived. Nothing else changes anything from outside."""
        self._day.come_to(at)
        answer = self._answer(request)
        self._day.look_again()
        return Answered(answer, self._updates())

    def act(self, act: Act, at: int) -> tuple[TradeUpdate, ...]:
        """Do what an honest broker does not do. ValueError: it cannot be done, one line why."""
        self._day.come_to(at)
        self._acting.do(act)
        self._day.look_at_the_calendar()
        return self._updates()

    def bar_begins(self, bar: Bar, at: int) -> tuple[TradeUpdate, ...]:
        """Trading in the symbol goes on at the bar's open; all else of the bar is still unknown.

        Its volume is looked at where the terms limit how much of it orders may take.
        """
        self._day.come_to(at)
        self._floor.bar_begins(bar)
        self._floor.meet_arrivals()
        return self._updates()

    def bar_ends(self, bar: Bar) -> tuple[TradeUpdate, ...]:
        """All that the rest of the bar did is decided now."""
        self._day.come_to(bar.end_at - 1)
        self._books.now = max(self._books.now, bar.end_at)
        self._floor.bar_ends(bar)
        self._floor.meet_arrivals()
        return self._updates()

    def come_to(self, at: int) -> tuple[TradeUpdate, ...]:
        """What time alone brings: opens, closes, expiries, exercise, the day's figures."""
        self._day.come_to(at)
        return self._updates()

    def order(self, order_id: str) -> BrokerOrder | None:
        """The order of this id."""
        return self._books.orders.find(order_id)

    def order_by_client_id(self, client_order_id: str) -> BrokerOrder | None:
        """The order of this client order id."""
        return self._books.orders.by_client_id(client_order_id)

    def orders(self, query: OrderQuery) -> tuple[BrokerOrder, ...]:
        """Those that are asked for, newest submission first unless asked otherwise."""
        return orders_asked_for(query, self._books.orders)

    def positions(self) -> tuple[Position, ...]:
        """All that is held, by symbol."""
        views = (position_of(holding, self._books) for holding in self._books.holdings)
        return tuple(view for view in views if view is not None)

    def position(self, asset: str) -> Position | None:
        """What is held of this symbol (BTC/USD or BTCUSD) or asset id; None: nothing."""
        named = self._books.asset_or_contract(asset)
        holding = None if named is None else self._books.holdings.find(named.symbol)
        return None if holding is None else position_of(holding, self._books)

    def account(self) -> AccountSheet:
        """The account's figures now."""
        return sheet_of(self._books)

    def configuration(self) -> AccountConfiguration:
        """The account's configuration now."""
        return self._books.configuration

    def activities(self, query: ActivityQuery) -> tuple[Activity, ...]:
        """One page."""
        return self._books.activities.page(query)

    def equity_history(self) -> tuple[tuple[int, Decimal], ...]:
        """(at, equity) of every minute in which time went on, oldest first."""
        return tuple(self._books.equity_seen)

    @property
    def sessions(self) -> SessionTable:
        """The exchange's sessions as they are by now: an early close may have been announced."""
        return self._books.sessions

    @property
    def executions(self) -> int:
        """How many stand: what was busted is none, what was corrected is one."""
        return len(self._books.trades)

    @property
    def trades(self) -> tuple[Trade, ...]:
        """Every execution that stands, in the order in which they were booked."""
        return tuple(self._books.trades.values())

    @property
    def orders_taken(self) -> int:
        """How many orders have been taken, children and legs included."""
        return len(self._books.orders)

    def _answer(self, request: BrokerRequest) -> Answer:
        match request:
            case PlaceOrder():
                return self._desk.place(request)
            case ReplaceOrder():
                return self._desk.replace(request)
            case CancelOrder(order_id=order_id):
                return self._desk.cancel(order_id)
            case CancelAllOrders():
                return self._desk.cancel_all()
            case ClosePosition():
                return self._desk.close(request)
            case CloseAllPositions():
                return self._desk.close_all(request)
            case ExerciseOption(contract=contract):
                return self._options.exercise(contract)
            case DoNotExercise(contract=contract):
                return self._options.do_not_exercise(contract)
            case Configure():
                return self._configure(request)
            case _:
                assert_never(request)

    def _configure(self, request: Configure) -> AccountConfiguration | Refusal:
        if request.max_margin_multiplier not in (None, "1", "2", "4"):
            return malformed("max_margin_multiplier must be 1, 2 or 4")
        if request.max_options_trading_level not in (None, 0, 1, 2, 3):
            return malformed("max_options_trading_level must be 0 to 3")
        wanted = structs.asdict(request).items()
        changes = {name: value for name, value in wanted if value is not None}
        self._books.configuration = structs.replace(self._books.configuration, **changes)
        return self._books.configuration

    def _updates(self) -> tuple[TradeUpdate, ...]:
        told = tuple(self._books.told)
        self._books.told.clear()
        if told:
            self._day.look_again()
        return told
