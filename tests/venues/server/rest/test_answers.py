"""What is written is, key by key and digit by digit, what the broker's own examples say."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from hydra.trading.orders import Side
from hydra.trading.sessions import ExchangeSession, SessionTable
from hydra.venues.simulated.brokerage.configuration import AccountConfiguration
from hydra.venues.simulated.brokerage.orders import BrokerOrder
from hydra.venues.simulated.market.events import QuoteChanged, TradePrinted
from hydra.venues.simulated.market.rows import Greeks, HistoryBar, OptionSnapshot, OrderBook
from hydra.venues.simulated.server.rest.data import rows
from hydra.venues.simulated.server.rest.trading.account import account_body, configuration_body
from hydra.venues.simulated.server.rest.trading.activities import activity_body
from hydra.venues.simulated.server.rest.trading.assets import asset_body
from hydra.venues.simulated.server.rest.trading.calendar import calendar_rows, clock_body
from hydra.venues.simulated.server.rest.trading.order_answers import order_body
from hydra.venues.simulated.server.rest.trading.positions import position_body
from tests.venues.server.rest.vectors import body, needs_vectors
from tests.venues.server.rest.wire_values import (
    asset_of,
    fill_of,
    instant,
    order_of,
    other_of,
    position_of,
    sheet_of,
)

pytestmark = needs_vectors

ORDERS = (
    "order_create_limit",
    "order_create_after_hours",
    "order_create_notional",
    "order_create_crypto",
    "order_create_option",
    "order_create_mleg",
    "order_create_bracket",
    "order_create_trailing_stop",
    "order_get_by_id",
    "order_get_by_client_order_id",
    "order_get_replaced",
    "order_replace",
    "position_close",
)


def at(text: str) -> int:
    found = instant(text)
    assert found is not None
    return found


@pytest.mark.parametrize("name", ORDERS)
def test_an_order_is_written_exactly_so(name: str) -> None:
    wanted = body(name)
    legs = [order_of(leg, wanted["type"]) for leg in wanted["legs"] or ()]

    written = order_body(order_of(wanted), legs)

    assert written == wanted
    assert list(written) == list(wanted)


@pytest.mark.parametrize(
    ("value", "average"),
    [
        ("495.189997", "41.265833"),
        ("12", "1"),
        ("11.99999", "0.999999167"),
        ("0.0001", "0.000008333"),
    ],
)
def test_the_average_price_has_as_many_digits_as_the_price_is_small(
    value: str, average: str
) -> None:
    order = order_of(body("order_create_crypto"))
    filled = msgspec.structs.replace(
        order, filled_quantity=Decimal(12), filled_value=Decimal(value)
    )

    assert order_body(filled)["filled_avg_price"] == average


@pytest.mark.parametrize(("row", "symbol"), [(0, "HYDR"), (1, "NOVA"), (3, "HYDR261218C00042500")])
def test_a_position_is_written_exactly_so(row: int, symbol: str) -> None:
    wanted = body("positions_list")[row]
    if symbol == "HYDR":
        # 41.61 / 41.02 - 1; the example was computed with fewer digits.
        wanted["change_today"] = "0.0143832276938079"

    assert position_body(position_of(wanted, symbol)) == wanted


def test_a_coin_loses_its_slash_in_a_position_and_unknown_prices_are_null() -> None:
    wanted = body("position_get_crypto")
    held = msgspec.structs.replace(
        position_of(wanted, "BTC/USD"),
        market_value=None,
        unrealized_pl=None,
        unrealized_intraday_pl=None,
        current_price=None,
    )
    unknown = {
        "market_value": None,
        "unrealized_pl": None,
        "unrealized_plpc": None,
        "unrealized_intraday_pl": None,
        "unrealized_intraday_plpc": None,
        "current_price": None,
        "change_today": None,
    }

    assert position_body(held) == {**wanted, **unknown}


@pytest.mark.parametrize("name", ["account", "account_blocked"])
def test_the_account_is_written_exactly_so(name: str) -> None:
    wanted = body(name)

    assert account_body(sheet_of(wanted)) == wanted


def test_the_configuration_is_written_exactly_so() -> None:
    assert configuration_body(AccountConfiguration(max_options_trading_level=3)) == body(
        "account_configurations"
    )


@pytest.mark.parametrize("name", ["asset_equity", "asset_crypto"])
def test_an_asset_is_written_exactly_so(name: str) -> None:
    assert asset_body(asset_of(body(name))) == body(name)


def test_activities_are_written_exactly_so() -> None:
    fills, (fee, expiry, _) = body("activities_fill"), body("activities_nontrade")

    assert [activity_body(fill_of(fill)) for fill in fills] == fills
    assert activity_body(other_of(fee)) == fee
    # The example leaves the text of its expiry in, and the price, which there is none of, out.
    assert activity_body(other_of(expiry)) == expiry


def test_a_short_sale_is_told_as_one() -> None:
    sale = {**body("activities_fill")[0], "side": "sell_short"}

    assert activity_body(fill_of(sale)) == sale


def session(date: str, opens: str, closes: str, early: bool = False) -> ExchangeSession:
    return ExchangeSession(date, at(f"{date}T{opens}Z"), at(f"{date}T{closes}Z"), early)


THANKSGIVING = SessionTable(
    (
        session("2026-11-23", "14:30:00", "21:00:00"),
        session("2026-11-24", "14:30:00", "21:00:00"),
        session("2026-11-25", "14:30:00", "21:00:00"),
        session("2026-11-27", "14:30:00", "18:00:00", early=True),
        session("2026-11-30", "14:30:00", "21:00:00"),
    )
)


def test_the_clock_is_told_in_the_time_of_new_york() -> None:
    opened, weekend = body("clock_open"), body("clock_closed_weekend")

    assert clock_body(THANKSGIVING, at(opened["timestamp"])) == opened
    assert clock_body(THANKSGIVING, at(weekend["timestamp"])) == weekend


def test_beyond_the_last_known_session_the_clock_knows_nothing() -> None:
    told = clock_body(THANKSGIVING, at("2026-11-30T21:00:00Z"))

    assert (told["is_open"], told["next_open"], told["next_close"]) == (False, None, None)


def test_the_calendar_knows_half_days_and_when_trades_are_settled() -> None:
    told = calendar_rows(THANKSGIVING)

    assert told[2:4] == body("calendar_thanksgiving_week")
    assert told[4]["settlement_date"] == "2026-12-01"


def bar_of(row: dict[str, Any]) -> HistoryBar:
    opened, high, low, close, volume = (float(row[key]) for key in "ohlcv")
    vwap = float(row["vw"])
    return HistoryBar("HYDR", at(row["t"]), opened, high, low, close, volume, row["n"], vwap)


def quote_of(row: dict[str, Any]) -> QuoteChanged:
    sides = [float(row[key]) for key in ("bp", "ap", "bs", "as")]
    return QuoteChanged("HYDR", at(row["t"]), *sides)


def test_a_bar_is_written_exactly_so() -> None:
    for name, symbol in (("stock_bars_page2", "NOVA"), ("crypto_bars", "BTC/USD")):
        for row in body(name)["bars"][symbol]:
            assert rows.bar_row(bar_of(row)) == row


def test_quotes_are_written_in_the_way_of_their_class() -> None:
    stocks = body("stock_quotes")["quotes"]["HYDR"]
    coin = body("crypto_latest_quote")["quotes"]["BTC/USD"]

    assert [rows.STOCKS.quote(quote_of(row)) for row in stocks] == stocks
    assert rows.CRYPTO.quote(quote_of(coin)) == coin


def test_an_option_without_a_bid_says_so_and_leaves_unknown_greeks_out() -> None:
    wanted = body("option_chain")["snapshots"]["HYDR261218C00060000"]
    snapshot = OptionSnapshot(symbol="HYDR", quote=quote_of(wanted["latestQuote"]))

    assert normal_times(rows.option_snapshot_row(snapshot)) == normal_times(wanted)


def test_an_option_snapshot_has_the_words_of_the_example() -> None:
    wanted = body("option_snapshots")["snapshots"]["HYDR261218C00042500"]
    bars = [bar_of(wanted[name]) for name in ("minuteBar", "dailyBar", "prevDailyBar")]
    trade = wanted["latestTrade"]
    snapshot = OptionSnapshot(
        symbol="HYDR261218C00042500",
        quote=quote_of(wanted["latestQuote"]),
        trade=TradePrinted("HYDR", at(trade["t"]), trade["p"], trade["s"], 1, Side.BUY),
        minute_bar=bars[0],
        daily_bar=bars[1],
        previous_daily_bar=bars[2],
        greeks=Greeks(**wanted["greeks"]),
        implied_volatility=wanted["impliedVolatility"],
    )

    written = rows.option_snapshot_row(snapshot)

    # Every option here trades on one exchange.
    wanted["latestQuote"]["bx"] = wanted["latestTrade"]["x"] = "C"
    assert normal_times(written) == normal_times(wanted)


def test_trades_are_written_in_the_way_of_their_class() -> None:
    stock = body("stock_latest_trade")["trades"]["HYDR"]
    coin = body("crypto_latest_trade")["trades"]["BTC/USD"]
    bought = TradePrinted("HYDR", at(stock["t"]), stock["p"], stock["s"], stock["i"], Side.BUY)
    sold = TradePrinted("BTC/USD", at(coin["t"]), coin["p"], coin["s"], coin["i"], Side.SELL)

    assert rows.STOCKS.trade(bought) == {**stock, "c": ["@"]}
    assert rows.CRYPTO.trade(sold) == {**coin, "tks": "S"}


def test_a_book_is_written_exactly_so() -> None:
    wanted = body("crypto_latest_orderbook")["orderbooks"]["BTC/USD"]
    levels = {side: tuple((level["p"], level["s"]) for level in wanted[side]) for side in "ab"}
    book = OrderBook("BTC/USD", at(wanted["t"]), bids=levels["b"], asks=levels["a"])

    assert rows.order_book_row(book) == wanted


def test_only_what_belongs_to_an_order_is_shown_below_it() -> None:
    order: BrokerOrder = order_of(body("order_create_bracket"))

    assert order_body(order)["legs"] is None


def normal_times(found: Any) -> Any:
    """Zeros at the end of a fraction may be cut or not: both occur."""
    if isinstance(found, dict):
        return {key: normal_times(value) for key, value in found.items()}
    return at(found) if isinstance(found, str) and found.endswith("Z") else found
