"""Market data."""

from msgspec.structs import replace

from hydra.venues.simulated.server.rest.settings import DataPlan
from tests.venues.server.rest.asgi import Answer
from tests.venues.server.rest.situations.registry import example
from tests.venues.server.rest.stage import CALL, FREE, Stage

LATER = "2026-11-23T14:33:00.5Z"
COINS = "/v1beta3/crypto/us"


def asked(path: str, **query: str) -> Answer:
    """Two minutes and a half after the open."""
    return Stage(now=LATER).ask("GET", path, query)


@example
def stock_bars_page1() -> Answer:
    return asked("/v2/stocks/bars", **FROM_THE_OPEN, limit="1")


@example
def stock_bars_page2() -> Answer:
    stage = Stage(now="2026-11-23T14:32:00.5Z")
    query = {**FROM_THE_OPEN, "end": "2026-11-23T14:31:00Z"}
    first = stage.ask("GET", "/v2/stocks/bars", {**query, "limit": "1"})
    token = first.json["next_page_token"]
    return stage.ask("GET", "/v2/stocks/bars", {**query, "page_token": token})


@example
def stock_latest_bar() -> Answer:
    return asked("/v2/stocks/bars/latest", symbols="HYDR")


@example
def stock_latest_quote() -> Answer:
    return asked("/v2/stocks/quotes/latest", symbols="HYDR")


@example
def stock_latest_trade() -> Answer:
    return asked("/v2/stocks/trades/latest", symbols="HYDR")


@example
def stock_quotes() -> Answer:
    stage = Stage(now=LATER)
    query = {"symbols": "HYDR", "limit": "2", "start": "2026-11-23T14:32:40Z"}
    return stage.ask("GET", "/v2/stocks/quotes", query)


@example
def stock_trades() -> Answer:
    return asked("/v2/stocks/trades", symbols="HYDR")


@example
def stock_snapshots() -> Answer:
    return asked("/v2/stocks/snapshots", symbols="HYDR")


@example
def crypto_bars() -> Answer:
    return asked(f"{COINS}/bars", symbols="BTC/USD", timeframe="1Min")


@example
def crypto_latest_orderbook() -> Answer:
    return asked(f"{COINS}/latest/orderbooks", symbols="BTC/USD")


@example
def crypto_latest_quote() -> Answer:
    return asked(f"{COINS}/latest/quotes", symbols="BTC/USD")


@example
def crypto_latest_trade() -> Answer:
    return asked(f"{COINS}/latest/trades", symbols="BTC/USD")


@example
def crypto_snapshots() -> Answer:
    return asked(f"{COINS}/snapshots", symbols="BTC/USD")


@example
def data_unknown_symbol() -> Answer:
    return asked(f"{COINS}/latest/bars", symbols="TAO/USD")


@example
def option_bars() -> Answer:
    query = {"symbols": CALL, "timeframe": "1Day", "start": "2026-11-20"}
    return Stage(now=LATER).ask("GET", "/v1beta1/options/bars", query)


@example
def option_chain() -> Answer:
    return asked("/v1beta1/options/snapshots/HYDR", feed="indicative", limit="1000")


@example
def option_latest_quote() -> Answer:
    return asked("/v1beta1/options/quotes/latest", symbols=CALL)


@example
def option_snapshots() -> Answer:
    return asked("/v1beta1/options/snapshots", symbols=CALL, feed="indicative")


@example
def error_data_limit() -> Answer:
    return asked(f"{COINS}/bars", symbols="BTC/USD", timeframe="1Min", limit="10001")


@example
def error_data_sip() -> Answer:
    stage = Stage(rest=replace(FREE, plan=DataPlan.BASIC))
    return stage.ask("GET", "/v2/stocks/bars", {"symbols": "HYDR", "timeframe": "1Min"})


@example
def error_data_symbol() -> Answer:
    return asked(f"{COINS}/bars", symbols="BTCUSD", timeframe="1Min")


FROM_THE_OPEN = {
    "symbols": "HYDR,NOVA",
    "timeframe": "1Min",
    "start": "2026-11-23T14:30:00Z",
    "feed": "iex",
}
