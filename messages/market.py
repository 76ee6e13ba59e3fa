"""What the market did, on its way from the venue to the bots."""

from hydra.trading.bars import Bar
from messages.message import Message


class BarReceived(Message, frozen=True, kw_only=True):
    """The venue's adapter has a closed bar. Nothing about it has been checked yet."""

    bar: Bar


class BarClosed(Message, frozen=True, kw_only=True):
    """The data feed checked a bar and publishes it on `bars_topic(symbol)`."""

    bar: Bar


class FeedEnded(Message, frozen=True, kw_only=True):
    """The venue has no more market data: the file, or the generated session, is over."""

    at: int


FEED_TOPIC = "feed"
"""Where `FeedEnded` is published, and `BarClosed` of every symbol."""


def bars_topic(symbol: str) -> str:
    """Where `BarClosed` of one symbol is published."""
    return f"bars/{symbol}"
