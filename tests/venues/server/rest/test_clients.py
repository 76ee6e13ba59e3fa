"""alpaca-py's own clients, as its documentation shows them, led to the venue by the URL alone."""

import asyncio
import socket
from collections.abc import Iterator
from concurrent.futures import Future
from datetime import UTC, date, datetime
from threading import Thread
from typing import Any, TypeVar

import pytest
import uvicorn
from alpaca.common.exceptions import APIError
from alpaca.data.enums import DataFeed, MostActivesBy
from alpaca.data.historical import (
    CryptoHistoricalDataClient,
    OptionHistoricalDataClient,
    StockHistoricalDataClient,
)
from alpaca.data.historical.corporate_actions import CorporateActionsClient
from alpaca.data.historical.news import NewsClient
from alpaca.data.historical.screener import ScreenerClient
from alpaca.data.requests import (
    CorporateActionsRequest,
    CryptoBarsRequest,
    CryptoLatestOrderbookRequest,
    CryptoLatestQuoteRequest,
    CryptoSnapshotRequest,
    CryptoTradesRequest,
    MostActivesRequest,
    NewsRequest,
    OptionBarsRequest,
    OptionChainRequest,
    OptionLatestQuoteRequest,
    OptionSnapshotRequest,
    StockBarsRequest,
    StockLatestBarRequest,
    StockLatestQuoteRequest,
    StockLatestTradeRequest,
    StockQuotesRequest,
    StockSnapshotRequest,
    StockTradesRequest,
)
from alpaca.data.timeframe import TimeFrame
from alpaca.trading.client import TradingClient
from alpaca.trading.enums import (
    AssetClass,
    OrderClass,
    OrderSide,
    OrderStatus,
    OrderType,
    PositionIntent,
    QueryOrderStatus,
    TimeInForce,
)
from alpaca.trading.requests import (
    ClosePositionRequest,
    GetAssetsRequest,
    GetCalendarRequest,
    GetOptionContractsRequest,
    GetOrderByIdRequest,
    GetOrdersRequest,
    GetPortfolioHistoryRequest,
    LimitOrderRequest,
    MarketOrderRequest,
    OptionLegRequest,
    ReplaceOrderRequest,
    StopLossRequest,
    TakeProfitRequest,
    TrailingStopOrderRequest,
)

from tests.venues.server.rest.asgi import KEYS
from tests.venues.server.rest.stage import CALL, HIGHER_CALL, Stage, at

OPEN = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)
LATER = "2026-11-23T14:33:30Z"
Result = TypeVar("Result")


class Served:
    """A stage behind a real server on a loopback port, on a thread and an event loop of its own."""

    def __init__(self) -> None:
        self.stage = Stage(now=LATER)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        config = uvicorn.Config(self.stage.app, lifespan="off", log_level="error")
        self._server = uvicorn.Server(config)
        self._loop: Future[asyncio.AbstractEventLoop] = Future()
        self._thread = Thread(target=lambda: asyncio.run(self._serve()))
        self._thread.start()

    async def _serve(self) -> None:
        self._loop.set_result(asyncio.get_running_loop())
        await self._server.serve(sockets=[self._listener])

    def come_to(self, text: str) -> None:
        """Move the venue's clock, where the venue lives."""
        moving = self.stage.venue.move_to(at(text))
        asyncio.run_coroutine_threadsafe(moving, self._loop.result(10)).result(10)

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join(10)
        assert not self._thread.is_alive()


class Clients:
    """One client of each kind. Their sessions are closed, because they do not do it themselves."""

    def __init__(self, url: str) -> None:
        pair = (KEYS["apca-api-key-id"], KEYS["apca-api-secret-key"])
        self.trading = TradingClient(*pair, paper=True, url_override=url)
        self.stocks = StockHistoricalDataClient(*pair, url_override=url)
        self.options = OptionHistoricalDataClient(*pair, url_override=url)
        self.crypto = CryptoHistoricalDataClient(url_override=url)
        self.news = NewsClient(*pair, url_override=url)
        self.screener = ScreenerClient(*pair, url_override=url)
        self.actions = CorporateActionsClient(*pair, url_override=url)

    def close(self) -> None:
        for client in vars(self).values():
            client._session.close()


@pytest.fixture
def served() -> Iterator[Served]:
    served = Served()
    yield served
    served.close()


@pytest.fixture
def clients(served: Served) -> Iterator[Clients]:
    clients = Clients(served.url)
    yield clients
    clients.close()


def read(found: Any) -> Any:
    """The clients are annotated as if each answer could also be raw; here none is."""
    return found


def test_an_account_trades_stocks_from_order_to_position_and_back(clients: Clients) -> None:
    trading = clients.trading

    bought = read(
        trading.submit_order(
            order_data=MarketOrderRequest(
                symbol="HYDR", qty=0.5, side=OrderSide.BUY, time_in_force=TimeInForce.DAY
            )
        )
    )
    by_value = read(
        trading.submit_order(
            MarketOrderRequest(
                symbol="HYDR", notional=500.75, side=OrderSide.BUY, time_in_force=TimeInForce.DAY
            )
        )
    )
    resting = read(
        trading.submit_order(
            LimitOrderRequest(
                symbol="NOVA",
                qty=10,
                limit_price=15,
                side=OrderSide.BUY,
                time_in_force=TimeInForce.GTC,
                client_order_id="mine",
            )
        )
    )
    replaced = read(
        trading.replace_order_by_id(resting.id, ReplaceOrderRequest(qty=5, limit_price=15.5))
    )
    listed = trading.get_orders(
        filter=GetOrdersRequest(
            status=QueryOrderStatus.OPEN, side=OrderSide.BUY, symbols=["NOVA"], after=OPEN
        )
    )

    assert bought.status in {OrderStatus.PENDING_NEW, OrderStatus.FILLED}
    assert read(trading.get_order_by_id(bought.id)).filled_qty == "0.5"
    assert read(trading.get_order_by_id(by_value.id)).status is OrderStatus.FILLED
    assert read(trading.get_order_by_client_id("mine")).status is OrderStatus.REPLACED
    assert [read(order).id for order in listed] == [replaced.id]
    assert [row.status for row in read(trading.cancel_orders())] == [200]
    (held,) = trading.get_all_positions()
    assert read(held).symbol == "HYDR"
    part = read(trading.close_position("HYDR", ClosePositionRequest(qty="0.5")))
    assert part.qty == "0.5"
    (closed,) = trading.close_all_positions(cancel_orders=True)
    assert read(closed).status == 200
    assert trading.get_all_positions() == []


def test_groups_and_trailing_stops_are_taken_with_their_legs(clients: Clients) -> None:
    trading = clients.trading

    bracket = read(
        trading.submit_order(
            MarketOrderRequest(
                symbol="HYDR",
                qty=5,
                side=OrderSide.BUY,
                time_in_force=TimeInForce.DAY,
                order_class=OrderClass.BRACKET,
                take_profit=TakeProfitRequest(limit_price=50),
                stop_loss=StopLossRequest(stop_price=35),
            )
        )
    )
    trading.submit_order(
        MarketOrderRequest(symbol="NOVA", qty=3, side=OrderSide.BUY, time_in_force=TimeInForce.DAY)
    )
    trailing = read(
        trading.submit_order(
            TrailingStopOrderRequest(
                symbol="NOVA",
                qty=3,
                side=OrderSide.SELL,
                time_in_force=TimeInForce.GTC,
                trail_percent=1.5,
            )
        )
    )
    nested = read(trading.get_order_by_id(bracket.id, GetOrderByIdRequest(nested=True)))

    assert [leg.type for leg in bracket.legs] == [OrderType.LIMIT, OrderType.STOP]
    assert [leg.id for leg in nested.legs] == [leg.id for leg in bracket.legs]
    assert trailing.trail_percent == "1.5"
    trading.cancel_order_by_id(trailing.id)
    assert read(trading.get_order_by_id(trailing.id)).status is OrderStatus.CANCELED


def test_coins_and_options_are_traded_too(clients: Clients) -> None:
    trading = clients.trading
    coin = read(
        trading.submit_order(
            MarketOrderRequest(
                symbol="BTC/USD", qty=0.0125, side=OrderSide.BUY, time_in_force=TimeInForce.GTC
            )
        )
    )
    option = read(
        trading.submit_order(
            MarketOrderRequest(
                symbol=CALL, qty=1, side=OrderSide.BUY, time_in_force=TimeInForce.DAY
            )
        )
    )
    spread = read(
        trading.submit_order(
            LimitOrderRequest(
                qty=1,
                limit_price=3,
                order_class=OrderClass.MLEG,
                time_in_force=TimeInForce.DAY,
                legs=[
                    OptionLegRequest(
                        symbol=CALL,
                        ratio_qty=1,
                        side=OrderSide.BUY,
                        position_intent=PositionIntent.BUY_TO_OPEN,
                    ),
                    OptionLegRequest(
                        symbol=HIGHER_CALL,
                        ratio_qty=1,
                        side=OrderSide.SELL,
                        position_intent=PositionIntent.SELL_TO_OPEN,
                    ),
                ],
            )
        )
    )

    assert read(trading.get_open_position("BTCUSD")).asset_class is AssetClass.CRYPTO
    assert read(trading.get_open_position(CALL)).qty == "2"
    assert [read(trading.get_order_by_id(each.id)).status for each in (coin, option, spread)] == [
        OrderStatus.FILLED
    ] * 3
    trading.exercise_options_position(CALL)


def test_a_refusal_has_status_code_and_message(clients: Clients) -> None:
    with pytest.raises(APIError) as refused:
        clients.trading.submit_order(
            LimitOrderRequest(
                symbol="HYDR",
                qty=1,
                limit_price=41.273,
                side=OrderSide.BUY,
                time_in_force=TimeInForce.DAY,
            )
        )

    assert (refused.value.status_code, refused.value.code) == (422, 42210000)
    assert "sub-penny" in refused.value.message


def test_the_account_its_calendar_and_its_lists_are_read(clients: Clients, served: Served) -> None:
    trading = clients.trading

    account = read(trading.get_account())
    clock = read(trading.get_clock())
    days = trading.get_calendar(
        GetCalendarRequest(start=date(2026, 11, 25), end=date(2026, 11, 27))
    )
    coins = trading.get_all_assets(GetAssetsRequest(asset_class=AssetClass.CRYPTO))
    configured = trading.get_account_configurations()
    written = trading.set_account_configurations(read(configured))
    contracts = read(
        trading.get_option_contracts(
            GetOptionContractsRequest(
                underlying_symbols=["HYDR"],
                expiration_date_lte=date(2026, 12, 18),
                strike_price_gte="42",
                limit=5,
            )
        )
    )
    served.come_to("2026-11-23T14:50:00Z")
    history = read(
        trading.get_portfolio_history(GetPortfolioHistoryRequest(period="1D", timeframe="5Min"))
    )

    assert account.account_number == "PA3HYDRA0001"
    assert (clock.is_open, clock.timestamp.utcoffset().total_seconds()) == (True, -5 * 3600)
    assert [read(day).close.hour for day in days] == [16, 13]
    assert [read(coin).symbol for coin in coins] == ["BTC/USD", "ETH/USD"]
    assert read(trading.get_asset("BTC/USD")).tradable
    assert written == configured
    assert len(contracts.option_contracts) == 5
    assert read(trading.get_option_contract(CALL)).strike_price == 42
    assert set(history.equity) == {100_000}


def test_stock_data_are_read(clients: Clients) -> None:
    stocks = clients.stocks
    symbols = ["HYDR", "NOVA"]

    bars = read(
        stocks.get_stock_bars(
            StockBarsRequest(
                symbol_or_symbols=symbols, timeframe=TimeFrame.Minute, start=OPEN, feed=DataFeed.IEX
            )
        )
    )
    trades = read(stocks.get_stock_trades(StockTradesRequest(symbol_or_symbols="HYDR", start=OPEN)))
    quotes = read(
        stocks.get_stock_quotes(StockQuotesRequest(symbol_or_symbols="HYDR", start=OPEN, limit=3))
    )
    latest = read(stocks.get_stock_latest_quote(StockLatestQuoteRequest(symbol_or_symbols=symbols)))
    trade = read(stocks.get_stock_latest_trade(StockLatestTradeRequest(symbol_or_symbols="HYDR")))
    bar = read(stocks.get_stock_latest_bar(StockLatestBarRequest(symbol_or_symbols="HYDR")))
    snapshot = read(stocks.get_stock_snapshot(StockSnapshotRequest(symbol_or_symbols="HYDR")))

    assert [len(bars.data[symbol]) for symbol in symbols] == [3, 3]
    assert (len(trades.data["HYDR"]), len(quotes.data["HYDR"])) == (15, 3)
    assert latest["HYDR"].ask_price > latest["HYDR"].bid_price
    assert trade["HYDR"].price > 41
    assert bar["HYDR"].timestamp == datetime(2026, 11, 23, 14, 32, tzinfo=UTC)
    assert snapshot["HYDR"].previous_daily_bar.open == 41.2


def test_data_of_coins_are_read_without_keys(clients: Clients) -> None:
    crypto = clients.crypto

    bars = read(
        crypto.get_crypto_bars(
            CryptoBarsRequest(symbol_or_symbols=["BTC/USD"], timeframe=TimeFrame.Minute, start=OPEN)
        )
    )
    trades = read(
        crypto.get_crypto_trades(CryptoTradesRequest(symbol_or_symbols="BTC/USD", start=OPEN))
    )
    quote = read(
        crypto.get_crypto_latest_quote(CryptoLatestQuoteRequest(symbol_or_symbols="ETH/USD"))
    )
    book = read(
        crypto.get_crypto_latest_orderbook(
            CryptoLatestOrderbookRequest(symbol_or_symbols="BTC/USD")
        )
    )
    snapshot = read(crypto.get_crypto_snapshot(CryptoSnapshotRequest(symbol_or_symbols="BTC/USD")))

    assert len(bars["BTC/USD"]) == 3
    assert len(trades["BTC/USD"]) == 15
    assert quote["ETH/USD"].bid_price > 3000
    assert book["BTC/USD"].asks[0].price > book["BTC/USD"].bids[0].price
    assert snapshot["BTC/USD"].daily_bar is not None


def test_option_data_are_read(clients: Clients) -> None:
    options = clients.options

    chain = read(
        options.get_option_chain(
            OptionChainRequest(underlying_symbol="HYDR", expiration_date=date(2026, 12, 18))
        )
    )
    snapshot = read(options.get_option_snapshot(OptionSnapshotRequest(symbol_or_symbols=CALL)))
    quote = read(
        options.get_option_latest_quote(OptionLatestQuoteRequest(symbol_or_symbols=[CALL]))
    )
    bars = read(
        options.get_option_bars(
            OptionBarsRequest(symbol_or_symbols=CALL, timeframe=TimeFrame.Day, start=OPEN)
        )
    )

    assert chain[CALL].greeks.delta > 0
    assert snapshot[CALL].implied_volatility > 0
    assert quote[CALL].bid_price < quote[CALL].ask_price
    assert CALL in bars.data or bars.data == {}
    assert "C" in options.get_option_exchange_codes()


def test_of_news_actions_and_movers_there_are_none(clients: Clients) -> None:
    actives = read(clients.screener.get_most_actives(MostActivesRequest(by=MostActivesBy.VOLUME)))

    assert read(clients.news.get_news(NewsRequest(symbols="HYDR"))).data == {"news": []}
    found = clients.actions.get_corporate_actions(CorporateActionsRequest(symbols=["HYDR"]))
    assert read(found).data == {}
    assert actives.most_actives == []
