"""The first contact with the broker's streams: whether each lets us in, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from queue import Empty, Queue
from time import monotonic
from typing import Any

from hydra.trading.durations import MINUTE
from hydra.trading.findings import Finding
from hydra.venues.alpaca.access import Access
from hydra.venues.alpaca.data_endpoints import by_endpoint
from hydra.venues.alpaca.data_stream import HEADERS, DataConversation
from hydra.venues.alpaca.link import OPTION_FEED, STOCK_FEED
from hydra.venues.alpaca.stream import Conversation, Patience, Stream
from hydra.venues.alpaca.trading_stream import NAME, TradingConversation
from messages.streams import StreamConnected, StreamLost

SHORT = Patience(look=0.1)
"""For a connection that is soon to be ended: it is noticed at the next look."""


def stream_findings(access: Access, symbol: str, deadline: float) -> tuple[Finding, ...]:
    """Log in to the trading stream and to the prices of `symbol`, by `deadline` (monotonic, s)."""
    key, secret = access.key_id.reveal(), access.secret.reveal()
    return (
        _finding(
            "trading stream",
            lambda tell: Stream(
                NAME,
                access.addresses.trading_stream,
                {},
                lambda: TradingConversation(key, secret),
                tell,
                access.network.connect,
                SHORT,
            ),
            deadline,
        ),
        _finding("price stream", price_stream(access, symbol), deadline),
    )


def price_stream(access: Access, symbol: str) -> Callable[[Callable[[Any], None]], Stream]:
    """Makes the stream of the prices of `symbol`, which tells whom it is given."""
    key, secret = access.key_id.reveal(), access.secret.reveal()
    ((endpoint, symbols),) = by_endpoint([symbol]).items()
    address = access.addresses.data_streams + endpoint.path(STOCK_FEED, OPTION_FEED)

    def prices() -> Conversation:
        channels = endpoint.channels(symbols)
        return DataConversation(endpoint.value, key, secret, channels, MINUTE)

    return lambda tell: Stream(
        endpoint.value, address, HEADERS, prices, tell, access.network.connect, SHORT
    )


def _finding(
    name: str, stream_to: Callable[[Callable[[Any], None]], Stream], deadline: float
) -> Finding:
    told: Queue[Any] = Queue()
    stream = stream_to(told.put)
    stream.start()
    try:
        while True:
            match told.get(timeout=max(0.001, deadline - monotonic())):
                case StreamConnected():
                    return Finding(name, True, "logged in and subscribed")
                case StreamLost(reason=reason):
                    return Finding(name, False, reason)
                case _:
                    pass
    except Empty:
        return Finding(name, False, "it did not let us in in time")
    finally:
        stream.stop(max(1.0, deadline - monotonic()))
