"""A small market, and a brokerage that is led through it bar by bar, for the tests."""

from datetime import date
from decimal import Decimal

from hydra.trading.bars import Bar
from hydra.trading.orders import Side
from hydra.trading.sessions import ExchangeSession, SessionTable
from hydra.venues.simulated.brokerage.acts import Act
from hydra.venues.simulated.brokerage.amounts import plain
from hydra.venues.simulated.brokerage.answers import Answer, Answered
from hydra.venues.simulated.brokerage.assets import Asset
from hydra.venues.simulated.brokerage.brokerage import Brokerage
from hydra.venues.simulated.brokerage.contracts import OptionContract, Right
from hydra.venues.simulated.brokerage.orders import BrokerOrder, TradeUpdate
from hydra.venues.simulated.brokerage.quotes import Quote
from hydra.venues.simulated.brokerage.refusals import Refusal
from hydra.venues.simulated.brokerage.requests import (
    BrokerRequest,
    CancelOrder,
    PlaceOrder,
)
from hydra.venues.simulated.brokerage.terms import BrokerageTerms
from hydra.venues.simulated.brokerage.words import AssetClass, OrderType, TimeInForce
from hydra.venues.simulated.fill_model import as_written
from hydra.venues.simulated.market.derived import path_of, quarter_at

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE

OPEN = 1_795_444_200 * SECOND
"""Monday 23 November 2026, 9:30 in New York (14:30 UTC)."""
CLOSE = OPEN + 390 * MINUTE
TUESDAY_OPEN = OPEN + 24 * HOUR
FRIDAY_OPEN = OPEN + 96 * HOUR
FRIDAY_CLOSE = FRIDAY_OPEN + 210 * MINUTE
"""A half day; Thursday is Thanksgiving."""
EXPIRATION = date(2026, 11, 24)

SESSIONS = SessionTable(
    (
        ExchangeSession("2026-11-20", OPEN - 72 * HOUR, CLOSE - 72 * HOUR, early_close=False),
        ExchangeSession("2026-11-23", OPEN, CLOSE, early_close=False),
        ExchangeSession("2026-11-24", TUESDAY_OPEN, TUESDAY_OPEN + 390 * MINUTE, early_close=False),
        ExchangeSession("2026-11-25", OPEN + 48 * HOUR, CLOSE + 48 * HOUR, early_close=False),
        ExchangeSession("2026-11-27", FRIDAY_OPEN, FRIDAY_CLOSE, early_close=True),
        ExchangeSession("2026-11-30", OPEN + 168 * HOUR, CLOSE + 168 * HOUR, early_close=False),
    )
)

HYDR = Asset(
    id="067a5cce-b76a-434f-8771-67a771da3a4f",
    asset_class=AssetClass.EQUITY,
    exchange="NASDAQ",
    symbol="HYDR",
    name="Hydra Works",
)
NOVA = Asset(
    id="03abc83a-94ef-4f55-be3b-dbbde56b1769",
    asset_class=AssetClass.EQUITY,
    exchange="NYSE",
    symbol="NOVA",
    name="Nova Metals",
)
BTC = Asset(
    id="cc0c9564-3765-4aed-aa49-63414c4e39dd",
    asset_class=AssetClass.CRYPTO,
    exchange="CRYPTO",
    symbol="BTC/USD",
    name="Bitcoin",
    marginable=False,
    shortable=False,
    min_order_size=Decimal("0.0001"),
    min_trade_increment=Decimal("0.000000001"),
    price_increment=Decimal("0.01"),
)


def option(strike: str, right: Right = Right.CALL, expiration: date = EXPIRATION) -> OptionContract:
    """A contract on HYDR; its id is its symbol's."""
    letter = "C" if right is Right.CALL else "P"
    symbol = f"HYDR{expiration:%y%m%d}{letter}{int(Decimal(strike) * 1000):08d}"
    return OptionContract(
        id=f"id-of-{symbol}",
        symbol=symbol,
        underlying="HYDR",
        expiration=expiration,
        right=right,
        strike=Decimal(strike),
    )


CALL_40, CALL_45, PUT_45 = option("40"), option("45"), option("45", Right.PUT)


class StageMarket:
    """Bars as they are added; options are quoted as the test says, 2 at 2.10 until it does."""

    def __init__(self) -> None:
        self.sessions = SESSIONS
        self._bars: dict[str, list[Bar]] = {}
        self._assets = {asset.symbol: asset for asset in (HYDR, NOVA, BTC)}
        self._contracts = {c.symbol: c for c in (CALL_40, CALL_45, PUT_45)}
        self.option_quotes: dict[str, tuple[str, str]] = {}

    def add(self, bar: Bar) -> None:
        self._bars.setdefault(bar.symbol, []).append(bar)

    def last_bar(self, symbol: str) -> Bar:
        """The newest that has begun."""
        return self._bars[symbol][-1]

    def asset(self, name: str) -> Asset | None:
        for asset in self._assets.values():
            if name in (asset.id, asset.symbol, asset.symbol.replace("/", "")):
                return asset
        return None

    def contract(self, name: str) -> OptionContract | None:
        return self._contracts.get(name.removeprefix("id-of-"))

    def is_trading(self, symbol: str, at: int) -> bool:
        bar = self._bar(self._market_of(symbol), at)
        return bar is not None and at < bar.end_at

    def quote(self, symbol: str, at: int) -> Quote | None:
        bar = self._bar(self._market_of(symbol), at)
        if bar is None:
            return None
        if symbol in self._contracts:
            bid, ask = map(Decimal, self.option_quotes.get(symbol, ("2", "2.10")))
            last = bid
        else:
            last = as_written(path_of(bar)[quarter_at(bar, at)])
            bid, ask = last - Decimal("0.01"), last + Decimal("0.01")
        size = Decimal(100)
        return Quote(symbol, bid, ask, size, size, last, min(at, bar.end_at - 1))

    def _market_of(self, symbol: str) -> str:
        contract = self._contracts.get(symbol)
        return symbol if contract is None else contract.underlying

    def _bar(self, symbol: str, at: int) -> Bar | None:
        begun = [bar for bar in self._bars.get(symbol, ()) if bar.start_at <= at]
        return begun[-1] if begun else None


class Stage:
    """A brokerage at a market time that goes on with each bar; every update is kept in `told`."""

    def __init__(self, terms: BrokerageTerms | None = None, at: int = OPEN) -> None:
        self.market = StageMarket()
        self.broker = Brokerage(terms or BrokerageTerms(), self.market)
        self.told: list[TradeUpdate] = []
        self.now = at
        self.come_to(at)

    def come_to(self, at: int) -> None:
        """Time goes by, and no bar."""
        self.now = at
        self.told.extend(self.broker.come_to(at))

    def ask(self, request: BrokerRequest) -> Answer:
        """A request, now."""
        answered: Answered = self.broker.receive(request, self.now)
        self.told.extend(answered.updates)
        return answered.answer

    def place(self, request: PlaceOrder) -> BrokerOrder:
        """A request that is taken; the order as the answer shows it."""
        answer = self.ask(request)
        assert isinstance(answer, BrokerOrder), answer
        return answer

    def refused(self, request: BrokerRequest) -> Refusal:
        """A request that is refused."""
        answer = self.ask(request)
        assert isinstance(answer, Refusal), answer
        return answer

    def cancel(self, order: BrokerOrder) -> None:
        """A cancel that is taken."""
        assert self.ask(CancelOrder(order.id)) is None

    def act(self, act: Act) -> None:
        """What no honest broker does, now."""
        self.told.extend(self.broker.act(act, self.now))

    def begin(
        self, *prices: float, symbol: str = "HYDR", volume: float = 1000.0, minutes: int = 1
    ) -> Bar:
        """A bar begins now: open, high, low, close, or one price for all four."""
        opened, high, low, close = prices * 4 if len(prices) == 1 else prices
        end_at = self.now + minutes * MINUTE
        bar = Bar(symbol, self.now, end_at, opened, high, low, close, volume)
        self.market.add(bar)
        self.told.extend(self.broker.bar_begins(bar, self.now))
        return bar

    def end(self, bar: Bar) -> None:
        """The bar ends, and with it the time up to then is over."""
        self.now = bar.end_at
        self.told.extend(self.broker.bar_ends(bar))
        self.told.extend(self.broker.come_to(bar.end_at))

    def bar(
        self, *prices: float, symbol: str = "HYDR", volume: float = 1000.0, minutes: int = 1
    ) -> None:
        """A whole bar."""
        self.end(self.begin(*prices, symbol=symbol, volume=volume, minutes=minutes))

    def into(self, *prices: float, symbol: str = "HYDR", volume: float = 1000.0) -> Bar:
        """A bar begins, and a second of it goes by."""
        bar = self.begin(*prices, symbol=symbol, volume=volume)
        self.come_to(self.now + SECOND)
        return bar

    def story(self, order: BrokerOrder) -> list[str]:
        """What was told of an order, as event or event=price×quantity."""
        return [_told(update) for update in self.told if update.order.id == order.id]

    def now_of(self, order: BrokerOrder) -> BrokerOrder:
        """The order as it is now."""
        found = self.broker.order(order.id)
        assert found is not None
        return found

    def held(self, symbol: str = "HYDR") -> str:
        """How much is held, as text."""
        position = self.broker.position(symbol)
        return "0" if position is None else plain(position.quantity)


def _told(update: TradeUpdate) -> str:
    if update.price is None or update.quantity is None:
        return update.event.value
    return f"{update.event.value} {plain(update.quantity)} at {update.price:f}"


def order(
    side: Side = Side.BUY,
    quantity: str = "10",
    *,
    symbol: str = "HYDR",
    limit: str | None = None,
    stop: str | None = None,
    tif: TimeInForce = TimeInForce.DAY,
) -> PlaceOrder:
    """A simple order; its type follows from its prices."""
    order_type = {
        (False, False): OrderType.MARKET,
        (True, False): OrderType.LIMIT,
        (False, True): OrderType.STOP,
        (True, True): OrderType.STOP_LIMIT,
    }[limit is not None, stop is not None]
    return PlaceOrder(
        symbol=symbol,
        quantity=Decimal(quantity),
        side=side,
        order_type=order_type,
        time_in_force=tif,
        limit_price=None if limit is None else Decimal(limit),
        stop_price=None if stop is None else Decimal(stop),
    )
