"""All that the brokerage remembers, in one place; its parts read and write here."""

from decimal import Decimal

import msgspec

from hydra.trading.orders import Side
from hydra.venues.simulated.brokerage.activity_log import ActivityLog
from hydra.venues.simulated.brokerage.arming import Arming
from hydra.venues.simulated.brokerage.assets import Asset
from hydra.venues.simulated.brokerage.configuration import AccountConfiguration
from hydra.venues.simulated.brokerage.contracts import OptionContract
from hydra.venues.simulated.brokerage.holdings import Holdings
from hydra.venues.simulated.brokerage.ids import Ids
from hydra.venues.simulated.brokerage.market_view import MarketView
from hydra.venues.simulated.brokerage.money import Reserve
from hydra.venues.simulated.brokerage.order_book import OrderBook
from hydra.venues.simulated.brokerage.orders import BrokerOrder, TradeUpdate
from hydra.venues.simulated.brokerage.terms import BrokerageTerms
from hydra.venues.simulated.brokerage.view import AccountStanding
from hydra.venues.simulated.brokerage.words import UpdateEvent


class Trade(msgspec.Struct, frozen=True, kw_only=True):
    """One execution as it was booked.

    `is_short`: a sale that opened or enlarged a short. `fee` is in coins for a purchase of coins,
    else in USD.
    """

    execution_id: str
    order_id: str
    symbol: str
    side: Side
    is_short: bool
    quantity: Decimal
    price: Decimal
    fee: Decimal
    at: int


class Split(msgspec.Struct, frozen=True):
    """`new` shares for `old` ones since `at`."""

    symbol: str
    at: int
    new: int
    old: int


class Books:
    """`now` is the newest time that anybody named, `told` what the trading stream is yet to tell.

    `reserves` is what orders tied up when they were placed, by order; `exercises` how many of a
    contract are to be exercised and `exercised_at` when that was asked for, `kept_to_expire` the
    contracts that are not to be. The `last_` figures
    are those at the last session's close, whose date is `balance_asof`. `arrivals` are orders
    that came into the market and have not met it yet.
    """

    def __init__(self, terms: BrokerageTerms, market: MarketView) -> None:
        self.terms = terms
        self.market = market
        self.sessions = market.sessions
        self.ids = Ids(terms.seed)
        self.orders = OrderBook()
        self.holdings = Holdings(terms.starting_cash)
        self.activities = ActivityLog()
        self.trades: dict[str, Trade] = {}
        self.configuration = AccountConfiguration()
        self.standing = AccountStanding(
            shorting_enabled=terms.shorts_allowed and terms.multiplier > 1,
            options_level=terms.options_level,
        )
        self.arming = Arming()
        self.halted: set[str] = set()
        self.reserves: dict[str, Reserve] = {}
        self.exercises: dict[str, Decimal] = {}
        self.exercised_at: dict[str, int] = {}
        self.kept_to_expire: set[str] = set()
        self.splits: list[Split] = []
        self.last_equity = terms.starting_cash
        self.last_maintenance_margin = Decimal(0)
        self.balance_asof = ""
        self.equity_seen: list[tuple[int, Decimal]] = []
        self.arrivals: list[str] = []
        self.told: list[TradeUpdate] = []
        self.now = 0

    def tell(self, event: UpdateEvent, order: BrokerOrder, *, reason: str = "") -> None:
        """Put the order on the books, and an update about it on the stream."""
        self.orders.put(order)
        self.told.append(TradeUpdate(event=event, order=order, at=self.now, reason=reason))

    def asset_or_contract(self, symbol: str) -> Asset | OptionContract | None:
        """What bears this symbol or id."""
        return self.market.asset(symbol) or self.market.contract(symbol)

    def last_price(self, symbol: str) -> Decimal | None:
        """What it traded at when it was last seen."""
        quote = self.market.quote(symbol, self.now)
        return None if quote is None else quote.last
