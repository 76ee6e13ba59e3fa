"""The market-data streams that the venue serves: their paths, and what each of them carries."""

from enum import Enum

import msgspec

from hydra.trading.durations import MINUTE


class Kind(Enum):
    """What a feed is about; it decides how its messages look."""

    STOCKS = "stocks"
    CRYPTO = "crypto"
    OPTIONS = "options"
    NEWS = "news"


class Feed(msgspec.Struct, frozen=True, kw_only=True):
    """One stream. `channels` are those a client may ask for, in the order of an acknowledgement.

    `quiet_channels` may be asked for too and are acknowledged only where something is subscribed.
    `delay` is how many ns of market time its data come late; `is_paid`: not for the basic plan.
    """

    path: str
    kind: Kind
    channels: tuple[str, ...]
    quiet_channels: tuple[str, ...] = ()
    delay: int = 0
    is_paid: bool = False


TEST_SYMBOL = "FAKEPACA"
"""The only symbol of the test feed. It trades around the clock, at invented prices."""

_STOCK_CHANNELS = (
    "trades",
    "quotes",
    "bars",
    "updatedBars",
    "dailyBars",
    "statuses",
    "lulds",
    "corrections",
    "cancelErrors",
)
_CRYPTO_CHANNELS = ("trades", "quotes", "orderbooks", "bars", "updatedBars", "dailyBars")
_QUARTER_HOUR_NS = 15 * MINUTE

FOLLOWS = {"corrections": "trades", "cancelErrors": "trades"}
"""Channels that nobody asks for: they have the symbols of another one."""

CHANNEL_OF = {
    "t": "trades",
    "q": "quotes",
    "b": "bars",
    "u": "updatedBars",
    "d": "dailyBars",
    "s": "statuses",
    "l": "lulds",
    "c": "corrections",
    "x": "cancelErrors",
    "i": "imbalances",
    "o": "orderbooks",
    "n": "news",
}
"""The channel of a message, by its T."""

TEST = Feed(path="/v2/test", kind=Kind.STOCKS, channels=_STOCK_CHANNELS)

FEEDS: tuple[Feed, ...] = (
    Feed(
        path="/v2/iex",
        kind=Kind.STOCKS,
        channels=_STOCK_CHANNELS,
        quiet_channels=("imbalances",),
    ),
    Feed(
        path="/v2/sip",
        kind=Kind.STOCKS,
        channels=_STOCK_CHANNELS,
        quiet_channels=("imbalances",),
        is_paid=True,
    ),
    Feed(
        path="/v2/delayed_sip",
        kind=Kind.STOCKS,
        channels=_STOCK_CHANNELS,
        quiet_channels=("imbalances",),
        delay=_QUARTER_HOUR_NS,
    ),
    TEST,
    Feed(path="/v1beta3/crypto/us", kind=Kind.CRYPTO, channels=_CRYPTO_CHANNELS),
    Feed(path="/v1beta1/indicative", kind=Kind.OPTIONS, channels=("trades", "quotes")),
    Feed(path="/v1beta1/opra", kind=Kind.OPTIONS, channels=("trades", "quotes"), is_paid=True),
    Feed(path="/v1beta1/news", kind=Kind.NEWS, channels=("news",)),
)
