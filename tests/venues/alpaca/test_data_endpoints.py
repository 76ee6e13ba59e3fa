"""Which endpoint tells of which symbol."""

import pytest

from hydra.venues.alpaca.data_endpoints import Endpoint, UnknownSymbols, by_endpoint
from hydra.venues.alpaca.data_stream import Channels
from hydra.venues.alpaca.market_rest import StockFeed
from hydra.venues.alpaca.options import OptionFeed

OPTION = "HYDR261218C00042500"


def test_each_symbol_is_told_of_by_the_endpoint_of_its_kind() -> None:
    assert by_endpoint(["NOVA", "BTC/USD", OPTION, "AAPL", "NOVA"]) == {
        Endpoint.STOCKS: ("AAPL", "NOVA"),
        Endpoint.COINS: ("BTC/USD",),
        Endpoint.OPTIONS: (OPTION,),
    }


def test_only_the_endpoints_that_are_needed_are_used() -> None:
    assert list(by_endpoint(["BTC/USD"])) == [Endpoint.COINS]


def test_symbols_that_are_none_are_told_all_at_once_in_one_line() -> None:
    with pytest.raises(UnknownSymbols) as caught:
        by_endpoint(["AAPL", "btcusd", "BTC-USD"])

    assert str(caught.value) == (
        "found the symbols 'BTC-USD', 'btcusd', wanted shares (AAPL), pairs (BTC/USD) or options"
        " (AAPL261218C00200000); correct them in the bots' settings"
    )


def test_paths_and_channels_are_those_of_the_wire() -> None:
    paths = [each.path(StockFeed.IEX, OptionFeed.INDICATIVE) for each in Endpoint]
    channels = [each.channels(("X",)) for each in Endpoint]

    assert paths == ["/v2/iex", "/v1beta3/crypto/us", "/v1beta1/indicative"]
    assert channels == [
        Channels(bars=("X",), quotes=("X",), statuses=("X",)),
        Channels(bars=("X",), quotes=("X",)),
        Channels(quotes=("X",)),
    ]
