"""A broker on loopback, in a process of its own: what it costs is not paid by what is timed.

It lives no longer than whoever started it, since it ends with its standard input. See
`broker_probe`.
"""

import contextlib
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from time import monotonic_ns
from typing import IO, Any, TypeVar

import msgspec

from hydra.ops.bench.memory import PROJECT
from hydra.ops.bench.rows import CouldNotMeasure
from hydra.ops.bench.sampling import ANSWER_WITHIN_S, answer_from
from hydra.runtime.clock import machine_time
from hydra.settings.secret import Secret
from hydra.venues.alpaca.budget import Shares
from hydra.venues.alpaca.calls import Calls
from hydra.venues.alpaca.feed import AlpacaFeed
from hydra.venues.alpaca.http import HttpClient, Keys
from hydra.venues.alpaca.market_rest import MarketReads, StockFeed
from hydra.venues.alpaca.network import Network
from hydra.venues.alpaca.options import OptionFeed

T = TypeVar("T")

PROBE = "hydra.ops.bench.broker_probe"
END_WITHIN_S = 5.0
NO_LIMIT = Shares(a_minute=1_000_000)
"""Here requests come faster than any broker lets them."""
AT_ONCE = 1e6
"""Quotes a second."""
KEY, SECRET = "HYDRA-BENCH", "bench"


class Tick(msgspec.Struct, frozen=True, array_like=True):
    """The order that came of a quote, "" if none did; when the quote was sent, the order there."""

    name: str
    sent: int
    arrived: int


class Broker:
    """The running process. Every method waits for its answer, and raises `CouldNotMeasure`."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self._lines: SimpleQueue[bytes] = SimpleQueue()
        assert process.stdout is not None
        reader = threading.Thread(target=self._read, args=(process.stdout,), daemon=True)
        reader.start()
        rest, stream, self.ahead = self._answer(tuple[int, int, int], "its ports", ANSWER_WITHIN_S)
        self.rest_url = f"http://127.0.0.1:{rest}"
        self.rest_port = rest
        self.stream_url = f"ws://127.0.0.1:{stream}"

    def require_one_clock(self) -> None:
        """Moments of the two processes can only be compared if both read the same clock."""
        before = monotonic_ns()
        its = self._ask(int, "clock")
        after = monotonic_ns()
        if not before <= its <= after:
            raise CouldNotMeasure(
                f"the clock of another process says {its}, wanted {before} to {after}"
            )

    def ticks(self, count: int, pause_s: float) -> list[Tick]:
        """See `broker_probe.ticks`."""
        return self._ask(list[Tick], f"ticks {count} {pause_s}")

    def flood(self, rate: float, count: int, a_frame: int) -> int:
        """See `broker_probe.flood`."""
        return self._ask(int, f"flood {rate} {count} {a_frame}")

    def client(self) -> HttpClient:
        """Our client, as the engine has it."""
        return HttpClient(
            self.rest_url, Keys(Secret(KEY), Secret(SECRET)), Network(loopback_only=True)
        )

    def _ask(self, kind: type[T], command: str) -> T:
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(f"{command}\n".encode())
            self.process.stdin.flush()
        except OSError as error:
            raise CouldNotMeasure(f"the broker has ended: {self._last_words()}") from error
        return self._answer(kind, command, ANSWER_WITHIN_S)

    def _answer(self, kind: type[T], what: str, within_s: float) -> T:
        line = answer_from(self._lines, f"the broker's answer to {what}", within_s=within_s)
        if not line:
            raise CouldNotMeasure(f"the broker has ended: {self._last_words()}")
        return msgspec.json.decode(line, type=kind)

    def _read(self, lines: IO[bytes]) -> None:
        with contextlib.suppress(OSError, ValueError):
            for line in lines:
                self._lines.put(line)
        self._lines.put(b"")

    def _last_words(self) -> str:
        assert self.process.stderr is not None
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(END_WITHIN_S)
        if self.process.poll() is None:
            return "it does not answer"
        said = self.process.stderr.read().decode(errors="replace").strip()
        return said.rpartition("\n")[2] or f"exit {self.process.returncode}"


@contextmanager
def broker(kind: str) -> Iterator[Broker]:
    """A broker that will `accept` every order, or `refuse` it; gone afterwards."""
    process = subprocess.Popen(
        [sys.executable, "-m", PROBE, kind],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        yield Broker(process)
    finally:
        assert process.stdin is not None and process.stdout is not None
        assert process.stderr is not None
        with contextlib.suppress(OSError):
            process.stdin.close()
        try:
            process.wait(END_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stderr.close()
        process.stdout.close()


def feed_of(
    peer: Broker,
    symbols: tuple[str, ...],
    market_time: Callable[[], int],
    tell: Callable[[Any], None],
) -> AlpacaFeed:
    """The adapter's feed on the broker's stream; it is not started."""
    calls = Calls(
        peer.client(),
        NO_LIMIT,
        minutes_by=machine_time,
        market_time=market_time,
        ended=lambda _: None,
    )
    return AlpacaFeed(
        symbols,
        base_url=peer.stream_url,
        key_id=Secret(KEY),
        secret=Secret(SECRET),
        stock_feed=StockFeed.IEX,
        option_feed=OptionFeed.INDICATIVE,
        reads=MarketReads(calls, StockFeed.IEX, market_time=market_time),
        connect=Network(loopback_only=True).connect,
        market_time=market_time,
        tell=tell,
    )


@contextmanager
def started(feed: AlpacaFeed, peer: Broker) -> Iterator[None]:
    """The feed begins to connect; afterwards it has ended."""
    feed.start()
    try:
        yield
    finally:
        feed.stop(0.0)
        # A stream that waits for news hears of its end a second later, or with the next quote.
        with contextlib.suppress(CouldNotMeasure):
            peer.flood(AT_ONCE, 1, 1)
        feed.stop(END_WITHIN_S)
