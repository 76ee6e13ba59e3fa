"""The way to one account: its addresses, its keys, and an HTTP client for each of its hosts."""

from __future__ import annotations

import msgspec

from hydra.settings.secret import Secret
from hydra.settings.section import VenueName
from hydra.venues.alpaca.http import HttpClient, Keys
from hydra.venues.alpaca.network import Network


class Addresses(msgspec.Struct, frozen=True, kw_only=True):
    """Where the broker's services are: REST of account and market data, and their streams.

    `trading_stream` is the whole address of the one that tells of orders; `data_streams` scheme and
    host of those that tell of prices.
    """

    trading: str
    data: str
    trading_stream: str
    data_streams: str


PAPER = Addresses(
    trading="https://paper-api.alpaca.markets",
    data="https://data.alpaca.markets",
    trading_stream="wss://paper-api.alpaca.markets/stream",
    data_streams="wss://stream.data.alpaca.markets",
)
LIVE = Addresses(
    trading="https://api.alpaca.markets",
    data="https://data.alpaca.markets",
    trading_stream="wss://api.alpaca.markets/stream",
    data_streams="wss://stream.data.alpaca.markets",
)


def local_addresses(url: str) -> Addresses:
    """All on one port of this machine: `http://127.0.0.1:PORT`."""
    streams = url.replace("http://", "ws://", 1)
    return Addresses(
        trading=url, data=url, trading_stream=f"{streams}/stream", data_streams=streams
    )


def addresses_of(mode: VenueName) -> Addresses:
    """The broker's own. The embedded venue's are known once it serves."""
    match mode:
        case VenueName.PAPER:
            return PAPER
        case VenueName.LIVE:
            return LIVE
        case VenueName.EMBEDDED:
            raise ValueError("the embedded venue says itself where it is")


class Access:
    """See the module. It belongs to whoever made it, and is closed at the end."""

    def __init__(
        self, addresses: Addresses, key_id: Secret, secret: Secret, network: Network
    ) -> None:
        """Connects nothing yet. Raises `EndpointRefused`."""
        self.addresses = addresses
        self.key_id = key_id
        self.secret = secret
        self.network = network
        keys = Keys(key_id, secret)
        self.trading = HttpClient(addresses.trading, keys, network)
        self.data = HttpClient(addresses.data, keys, network)

    def close(self) -> None:
        """Calls under way are cut, and none begins any more."""
        self.trading.close()
        self.data.close()
