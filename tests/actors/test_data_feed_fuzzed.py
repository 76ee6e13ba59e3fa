"""Any number of bad prices among good ones, from the bytes of a stream on: none of them gets on."""

import math
import random
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

import msgspec
import pytest

from actors.data_feed import DataFeed
from hydra.actor import MILLISECOND, MINUTE, SECOND, ChildSpec, Ref
from hydra.runtime.sim_runtime import EPOCH
from hydra.testkit import Kit
from hydra.trading.sessions import ExchangeSession, SessionTable
from hydra.venues.alpaca.data_stream import Channels, DataConversation
from messages.market import FEED_TOPIC, BarsClosed, QuoteChanged, quotes_topic
from messages.message import Message
from messages.streams import StreamConnected
from supervisors.core import PRICES

SYMBOLS = ("AAPL", "NOVA", "BRK.B")
SESSIONS = SessionTable((ExchangeSession("2026-01-05", EPOCH, EPOCH + 10**9 * SECOND, False),))
LOOK_ALIKES = ("\N{CYRILLIC CAPITAL LETTER A}APL", "NOV\N{GREEK CAPITAL LETTER ALPHA}")
A_FRAME = 20
"""Elements in a frame; a frame comes every 200 ms."""

Element = dict[str, Any]
Spoil = Callable[[Element, random.Random], None]


class AnyFeed:
    """The port, with nothing behind it."""

    streams: ClassVar[Mapping[str, tuple[str, ...]]] = {"stocks": SYMBOLS}

    def report(self) -> None:
        """Nobody is connected."""

    def renew(self, stream: str, reason: str) -> None:
        """Nor will be."""


def spoiled_price(*values: object) -> Spoil:
    def spoil(element: Element, dice: random.Random) -> None:
        name = dice.choice(["bp", "ap"] if element["T"] == "q" else ["o", "h", "l", "c"])
        element[name] = dice.choice(values)

    return spoil


def jumped(element: Element, dice: random.Random) -> None:
    factor = math.exp(dice.uniform(math.log(1.6), math.log(1e6)) * dice.choice([-1, 1]))
    for name in ("bp", "ap", "o", "h", "l", "c"):
        if name in element:
            element[name] *= factor


def crossed(element: Element, dice: random.Random) -> None:
    if element["T"] == "q":
        element["bp"], element["ap"] = element["ap"] + dice.choice([0.0, 1.0]), element["bp"]
    else:
        element["h"], element["l"] = element["l"] - 1, element["h"] + 1


def of_another_time(element: Element, dice: random.Random) -> None:
    seconds = dice.choice([-3600, -600, -300, 63, 3600, 10**8])
    element["t"] = datetime.fromtimestamp(element["t"].timestamp() + seconds, tz=UTC)


def strange(element: Element, dice: random.Random) -> None:
    element["S"] = dice.choice(["XYZ", "", "aapl", "AAPL ", *LOOK_ALIKES, "N" * 100, "\x00"])


def without_a_field(element: Element, dice: random.Random) -> None:
    del element[dice.choice([name for name in element if name not in ("v", "bs", "as")])]


def of_a_wrong_type(element: Element, dice: random.Random) -> None:
    name = dice.choice([name for name in element if name != "T"])
    element[name] = dice.choice([None, "1e2", [1.0], {"x": 1}, b"\xff", True])


SPOILS: tuple[Spoil, ...] = (
    spoiled_price(math.nan, math.inf, -math.inf),
    spoiled_price(0.0, -1.0, -1e300),
    crossed,
    jumped,
    of_another_time,
    strange,
    without_a_field,
    of_a_wrong_type,
)


class Market:
    """Prices that wander, with a number in each by which it is known again: its size."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)
        self._prices = dict.fromkeys(SYMBOLS, 100.0)
        self._bar_ends = dict.fromkeys(SYMBOLS, EPOCH)
        self._number = 0
        self.good: set[float] = set()

    def frame(self, now: int) -> bytes | list[Element]:
        """Some elements, half of them bad; sometimes no frame at all."""
        if self._dice.random() < 0.02:
            return self._dice.randbytes(self._dice.randrange(60))
        return [self._element(now - (A_FRAME - place) * MILLISECOND) for place in range(A_FRAME)]

    def _element(self, at: int) -> Element:
        self._number += 1
        symbol = self._dice.choice(SYMBOLS)
        price = self._prices[symbol] * self._dice.uniform(0.999, 1.001)
        number = float(self._number)
        is_bar = at - self._bar_ends[symbol] >= MINUTE
        if is_bar:
            start = at - MINUTE
            element = {"T": "b", "S": symbol, "t": instant(start), "v": number}
            element |= dict.fromkeys("ohlc", price)
        else:
            element = {"T": "q", "S": symbol, "t": instant(at)}
            element |= {"bp": price, "bs": number, "ap": price + 0.01, "as": 1}
        if self._dice.random() < 0.5:
            self._dice.choice(SPOILS)(element, self._dice)
        else:
            self.good.add(number)
            self._prices[symbol] = price
            if is_bar:
                self._bar_ends[symbol] = at
        return element


def instant(at: int) -> datetime:
    return datetime.fromtimestamp(at / SECOND, tz=UTC)


def packed(element: Element) -> bytes | None:
    try:
        return msgspec.msgpack.encode(element)
    except (OverflowError, ValueError):  # no frame can hold such a thing
        return None


def frames(market: Market, kit: Kit, elements: int) -> Iterator[bytes]:
    for _ in range(elements // A_FRAME):
        kit.advance(200 * MILLISECOND)
        frame = market.frame(kit.now)
        if isinstance(frame, bytes):
            yield frame
        else:
            parts = [part for element in frame if (part := packed(element)) is not None]
            yield msgspec.msgpack.encode([msgspec.Raw(part) for part in parts])


@pytest.mark.parametrize(
    "elements",
    [20_000, pytest.param(1_000_000, marks=[pytest.mark.slow, pytest.mark.timeout(900)])],
)
def test_of_fuzzed_prices_only_the_good_ones_get_on_and_nothing_crashes_i46(elements: int) -> None:
    kit = Kit(strict=False)
    kit.runtime.trace = None
    args = {
        "symbols": SYMBOLS,
        "sessions": SESSIONS,
        "bar_interval": MINUTE,
        "feed": AnyFeed(),
        "price_age_max": 15 * SECOND,
    }
    spec = ChildSpec(name="feed", actor=DataFeed, args=args, mailbox=PRICES)
    feed: Ref[Message] = kit.start_child(spec)
    probe = kit.probe()
    for topic in (FEED_TOPIC, *map(quotes_topic, SYMBOLS)):
        kit.runtime.bus.subscribe(topic, kit.runtime.cells[probe.ref.path])
    channels = Channels(bars=SYMBOLS, quotes=SYMBOLS)
    talk = DataConversation("stocks", "KEY", "SECRET", channels, MINUTE)
    market = Market(seed=elements)
    kit.tell(feed, StreamConnected(stream="stocks", connection=1))

    for frame in frames(market, kit, elements):
        for fact in talk.hear(frame).tell:
            kit.tell(feed, fact)

    bars = {bar.volume for each in probe.told if isinstance(each, BarsClosed) for bar in each.bars}
    quotes = {each.quote.bid_size for each in probe.told if isinstance(each, QuoteChanged)}
    assert (bars | quotes) - market.good == set()
    assert len(bars | quotes) > 0.99 * len(market.good)
    assert len(bars) > elements // 100_000
    assert kit.incarnation(feed) == 1
