"""How many quotes a second the feed takes of 50 symbols before what it holds grows old.

A process writes quotes at a rate, each with the moment that it was due at, and the adapter's stream
and the data feed, with its mailbox that keeps the newest of each symbol, take them in. What cannot
keep up shows as age, wherever the quotes wait: in the mailbox, the stream or the sockets.
"""

import statistics
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from time import monotonic_ns, perf_counter_ns, sleep
from typing import Any

import msgspec

from actors.data_feed import DataFeed, Inbox
from hydra.actor import ChildSpec, Context, Dispatcher
from hydra.ops.bench.acting import at, supervised, tree_on_threads
from hydra.ops.bench.broker_probe import QuoteStream
from hydra.ops.bench.loopback import KEY, SECRET, Broker, broker, feed_of, started
from hydra.ops.bench.order_chain import HOUR, SESSION, market_now
from hydra.ops.bench.rows import CouldNotMeasure, Effort, Figure, Measured, Measurement
from hydra.ops.bench.sampling import ANSWER_WITHIN_S, collector_at_rest
from hydra.runtime.thread_runtime import ThreadRuntime
from hydra.trading.durations import MILLISECOND, MINUTE, SECOND
from hydra.trading.sessions import ExchangeSession, SessionTable
from hydra.venues.alpaca.data_stream import Channels, DataConversation
from messages.market import QuoteReceived
from messages.streams import StreamConnected
from supervisors.core import PRICES

SYMBOLS = tuple(f"Q{first}{second}" for first in "ABCDE" for second in "ABCDEFGHIJ")
DOWN_TO = 8
"""Times the bound is halved until something is kept up with."""
LAST_TRIES, LOWERED = 6, 0.85
"""The rate found is tried for longer, and lowered if it cannot be kept up with for so long."""
GROWTH_MAX = 10 * MILLISECOND
"""Of the median age within a step: a rate that is 4 % too high makes it grow by more."""
DECODED = 20_000
LOOK_EVERY_S = 0.005


class Haste(msgspec.Struct, frozen=True, kw_only=True):
    """How closely the rate is looked for: how often halved, and for how long each rate is tried."""

    halvings: int
    step_ms: int
    last_ms: int


UNHURRIED = Haste(halvings=3, step_ms=500, last_ms=1_500)
BRIEF = Haste(halvings=1, step_ms=150, last_ms=300)


class Watch:
    """Ages of quotes, in ns, as the data feed had dealt with them."""

    def __init__(self, ahead: int) -> None:
        self._ahead = ahead
        self.ages: list[int] = []
        self.newest = 0
        """When the newest of them was due. Of another symbol an older one may come after it."""

    def note(self, quote_at: int) -> None:
        """A quote was dealt with."""
        due_at = quote_at - self._ahead
        self.newest = max(self.newest, due_at)
        self.ages.append(monotonic_ns() - due_at)


class WatchedFeed(DataFeed):
    """The data feed, and a note of how old each quote is that it has taken in."""

    def __init__(self, watch: Watch, **of_feed: Any) -> None:
        super().__init__(**of_feed)
        self._watch = watch

    def receive(self, message: Inbox, ctx: Context) -> None:
        """What the feed does, and then the note."""
        super().receive(message, ctx)
        if isinstance(message, QuoteReceived):
            self._watch.note(message.quote.at)


class Absorbing:
    """A running feed, and a broker that can flood it."""

    def __init__(self, peer: Broker, watch: Watch, a_frame: int) -> None:
        self._peer = peer
        self.watch = watch
        self._a_frame = a_frame

    def keeps_up_with(self, rate: float, milliseconds: int) -> bool:
        """Whether quotes at this rate do not grow older for so long; afterwards all is taken in."""
        ages = self.watch.ages = []
        count = max(len(SYMBOLS), int(rate * milliseconds / 1_000))
        last_due = self._peer.flood(rate, count, self._a_frame)
        give_up_at = monotonic_ns() + ANSWER_WITHIN_S * SECOND
        while self.watch.newest < last_due - 1_000:  # a quote's time comes to the microsecond
            if monotonic_ns() > give_up_at:
                raise CouldNotMeasure(f"of {count} quotes at {rate:,.0f}/s not all were taken in")
            sleep(LOOK_EVERY_S)
        return not grow(ages)


def grow(ages: Sequence[int]) -> bool:
    """Whether ages (ns, in the order they were noted) become more and more.

    The second quarter against the last: the first one is of a sender that has just begun.
    """
    quarter = len(ages) // 4
    if not quarter:
        raise CouldNotMeasure(f"{len(ages)} quotes came, which are too few to see a trend in")
    early, late = ages[quarter : 2 * quarter], ages[-quarter:]
    return statistics.median(late) - statistics.median(early) > GROWTH_MAX


def sustained_rate(bound: float, keeps_up: Callable[[float, int], bool], haste: Haste) -> float:
    """The highest rate under the bound, of those tried, that is kept up with.

    Raises `CouldNotMeasure` if none is.
    """
    rate = bound / 2
    for _ in range(DOWN_TO):
        if keeps_up(rate, haste.step_ms):
            break
        rate /= 2
    above = 2 * rate
    for _ in range(haste.halvings):
        middle = (rate + above) / 2
        if keeps_up(middle, haste.step_ms):
            rate = middle
        else:
            above = middle
    for _ in range(LAST_TRIES):
        if keeps_up(rate, haste.last_ms):
            return rate
        rate *= LOWERED
    raise CouldNotMeasure(f"not even {rate / LOWERED:,.0f} quotes/s are kept up with")


@contextmanager
def absorbing(a_frame: int) -> Iterator[Absorbing]:
    """The feed of the engine on a thread, connected to a broker, and open for trading."""
    with broker("refuse") as peer:
        peer.require_one_clock()
        runtime = ThreadRuntime()
        market_time = partial(market_now, runtime)
        voice, watch = runtime.outside("prices"), Watch(peer.ahead)
        connected: list[StreamConnected] = []

        def tell(message: Any) -> None:
            voice.tell(at("feed"), message)
            if isinstance(message, StreamConnected):
                connected.append(message)

        feed = feed_of(peer, SYMBOLS, market_time, tell)
        began = market_time()
        args = {
            "watch": watch,
            "symbols": SYMBOLS,
            "sessions": SessionTable((ExchangeSession(SESSION, began, began + HOUR, False),)),
            "bar_interval": MINUTE,
            "feed": feed,
            "price_age_max": HOUR,
        }
        spec = ChildSpec(
            name="feed",
            actor=WatchedFeed,
            args=args,
            dispatcher=Dispatcher.PINNED,
            mailbox=PRICES,
        )
        with tree_on_threads(runtime, supervised("bench", (spec,))), started(feed, peer):
            _wait_for(connected)
            yield Absorbing(peer, watch, a_frame)


def _wait_for(connected: list[StreamConnected]) -> None:
    give_up_at = monotonic_ns() + ANSWER_WITHIN_S * SECOND
    while not connected:
        if monotonic_ns() > give_up_at:
            raise CouldNotMeasure("the feed did not connect to the broker")
        sleep(LOOK_EVERY_S)


def decoded_a_second(count: int, a_frame: int) -> float:
    """Quotes a second that one thread makes of frames which it has, and nothing else."""
    stream = QuoteStream(SYMBOLS)
    now = monotonic_ns()
    frames = [stream.next_quotes([now] * a_frame) for _ in range(max(1, count // a_frame))]
    talk = DataConversation("stocks", KEY, SECRET, Channels(quotes=SYMBOLS), MINUTE)
    hear = talk.hear
    began = perf_counter_ns()
    for data in frames:
        hear(data)
    return len(frames) * a_frame * SECOND / (perf_counter_ns() - began)


def take_absorbed(effort: Effort, a_frame: int) -> tuple[Measured, ...]:
    """Quotes a second."""
    with collector_at_rest():
        bound = decoded_a_second(effort.count(DECODED, least=1_000), a_frame)
        with absorbing(a_frame) as feed:
            rate = sustained_rate(
                bound, feed.keeps_up_with, UNHURRIED if effort.scale >= 1 else BRIEF
            )
    return (Measured(rate, bound),)


WHAT = (
    "quotes of 50 symbols that the engine's data feed takes in, through the adapter's stream, "
    "without those it holds growing older; written by another process at an even rate"
)
BOUND = "one thread that decodes such frames and does nothing else"
ALONE = Figure(
    name="quotes_absorbed", unit="/s", what=f"{WHAT}, each in a frame of its own", bound=BOUND
)
IN_TENS = Figure(
    name="quotes_absorbed_in_tens", unit="/s", what=f"{WHAT}, ten a frame", bound=BOUND
)
ONE_A_FRAME = Measurement(
    name="quotes_absorbed", figures=(ALONE,), take=partial(take_absorbed, a_frame=1)
)
TEN_A_FRAME = Measurement(
    name="quotes_absorbed_in_tens", figures=(IN_TENS,), take=partial(take_absorbed, a_frame=10)
)
