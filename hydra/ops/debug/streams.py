"""The commands that go on until they are full or nobody listens: `trace`, and dead letters."""

import threading
from collections import deque
from queue import Empty, SimpleQueue
from typing import Annotated, Any, Protocol

from msgspec import Meta

from hydra.actor import SECOND
from hydra.ops.debug.asking import Caller
from hydra.ops.debug.describing import (
    PAYLOAD_MAX,
    Refused,
    Row,
    cell_at,
    in_ms,
    listed,
    market_text,
    message_row,
    newest,
)
from hydra.ops.debug.looking import Arguments, Limit, MaybePath
from hydra.runtime.dead_letters import Dead
from hydra.runtime.envelope import DeadLetterReason
from hydra.runtime.inspection import shown
from hydra.runtime.runtime import Runtime
from hydra.runtime.taps import Tapped


class Stream(Protocol):
    """What a command gives that goes on. To be closed by whoever reads it, whatever happens."""

    @property
    def ended(self) -> str | None:
        """Why nothing more will come; None: something may."""

    def next(self, within: float) -> Row | None:
        """The next event, waited for up to `within` seconds; None if there was none."""

    def summary(self) -> Row:
        """What to say at the end."""

    def close(self) -> None:
        """Stop looking. Again is harmless."""


class Trace(Arguments, frozen=True):
    """`target`: an actor's path, or a type of message. `rate`: events a second at most."""

    target: Annotated[str, Meta(min_length=1, max_length=500)]
    below: bool = False
    max: Annotated[int, Meta(ge=1, le=10_000)] = 100
    rate: Annotated[int, Meta(ge=1, le=1_000)] = 50
    payload: bool = False


def trace(runtime: Runtime, arguments: Trace, _caller: Caller) -> "TraceStream":
    """See what an actor receives, sends and answers, or where messages of a type go."""
    if arguments.target.startswith("/"):
        return TraceStream(runtime, arguments, path=cell_at(runtime, arguments.target).path)
    if any(cell.name == arguments.target for cell in list(runtime.cells.values())):
        return TraceStream(runtime, arguments, path=cell_at(runtime, arguments.target).path)
    if not arguments.target.isidentifier():
        cell_at(runtime, arguments.target)  # says who is near
    return TraceStream(runtime, arguments, type_name=arguments.target)


class TraceStream:
    """A tap with an end: it takes so many events, so many a second, and drops the rest.

    What it counts in the actors' threads is not locked, so that no actor can wait for another here;
    it may take a few events more than it should.
    """

    def __init__(
        self, runtime: Runtime, arguments: Trace, *, path: str = "", type_name: str = ""
    ) -> None:
        self._runtime = runtime
        self._path = path
        self._below = f"{path}/" if arguments.below else None
        self._type_name = type_name
        self._max = arguments.max
        self._rate = arguments.rate
        self._payload = arguments.payload
        self._seen: SimpleQueue[Tapped] = SimpleQueue()
        self._taken = 0
        self._dropped = 0
        self._told = 0
        self._closed = False
        self._allowance = float(arguments.rate)
        self._allowed_at = runtime.now()
        runtime.taps.open(self, list(runtime.cells.values()))

    def wants(self, path: str) -> bool:
        """See `Tap.wants`."""
        if not self._path:
            return True
        return path == self._path or (self._below is not None and path.startswith(self._below))

    def saw(self, tapped: Tapped) -> None:
        """See `Tap.saw`."""
        if self._type_name not in ("", type(tapped.envelope.message).__name__):
            return
        if self._closed or self._taken >= self._max:
            return
        passed = max(0, tapped.at - self._allowed_at)
        self._allowed_at += passed
        allowance = min(float(self._rate), self._allowance + passed * self._rate / SECOND)
        if allowance < 1.0:
            self._allowance = allowance
            self._dropped += 1
            return
        self._allowance = allowance - 1.0
        self._taken += 1
        self._seen.put(tapped)

    @property
    def ended(self) -> str | None:
        """See `Stream.ended`."""
        if self._closed:
            return "closed"
        return f"{self._max} events, the maximum" if self._told >= self._max else None

    def next(self, within: float) -> Row | None:
        """See `Stream.next`."""
        try:
            tapped = self._seen.get(timeout=within) if within > 0 else self._seen.get_nowait()
        except Empty:
            return None
        self._told += 1
        row = {
            "at": market_text(self._runtime, tapped.at),
            "path": tapped.path,
            "seen": tapped.seen.value,
            "to": tapped.to,
            **message_row(tapped.envelope, tapped.at, payload=self._payload),
        }
        row["wait_ms"] = row.pop("age_ms")
        return row

    def summary(self) -> Row:
        """See `Stream.summary`."""
        return {"ended": self.ended, "told": self._told, "dropped_over_rate": self._dropped}

    def close(self) -> None:
        """See `Stream.close`."""
        if not self._closed:
            self._closed = True
            self._runtime.taps.close(self, list(self._runtime.cells.values()))


class DeadLetters(Arguments, frozen=True):
    """`reason`, `path`: only those. `follow`: go on with new ones as they come, up to `limit`."""

    reason: MaybePath = ""
    path: MaybePath = ""
    limit: Limit = 50
    follow: bool = False
    payload: bool = False


def dead_letters(
    runtime: Runtime, arguments: DeadLetters, _caller: Caller
) -> "dict[str, Any] | DeadLetterStream":
    """Messages that reached nobody, newest last, with how many there have been of each kind."""
    reasons = [reason.value for reason in DeadLetterReason]
    if arguments.reason not in ("", *reasons):
        raise Refused(f"no such reason: {arguments.reason}; one of {listed(reasons, 20)}")
    if arguments.follow:
        return DeadLetterStream(runtime, arguments)
    now = runtime.now()
    letters = [dead for dead in list(runtime.dead_letters.ring) if _is_meant(dead, arguments)]
    rows = [dead_row(dead, now, payload=arguments.payload) for dead in letters]
    return newest(rows, arguments.limit, **dead_letter_counts(runtime))


def dead_letter_counts(runtime: Runtime) -> dict[str, Any]:
    """How many dead letters there have been: in all, and by reason."""
    by_reason: dict[str, int] = {}
    counts = dict(runtime.dead_letters.counts)
    for (_, reason), number in sorted(counts.items()):
        by_reason[reason] = by_reason.get(reason, 0) + number
    return {"ever": sum(by_reason.values()), "by_reason": by_reason}


def dead_row(dead: Dead, now: int, *, payload: bool) -> Row:
    """One dead letter."""
    envelope = dead.envelope
    row = {
        "ago_ms": in_ms(now - dead.at),
        "reason": dead.reason.value,
        "path": dead.path,
        **message_row(envelope, now),
        "error": dead.error,
    }
    if payload:
        row["payload"] = shown(envelope.message, PAYLOAD_MAX)
    return row


def _is_meant(dead: Dead, arguments: DeadLetters) -> bool:
    path = arguments.path
    return arguments.reason in ("", dead.reason.value) and (
        not path or dead.path == path or dead.path.startswith(f"{path}/")
    )


class DeadLetterStream:
    """Looks at the ring again and again: so it costs whoever makes dead letters nothing."""

    def __init__(self, runtime: Runtime, arguments: DeadLetters) -> None:
        self._runtime = runtime
        self._arguments = arguments
        self._closed = threading.Event()
        ring = runtime.dead_letters.ring
        self._last = ring[-1] if ring else None
        self._fresh: deque[Dead] = deque()
        self._told = 0

    @property
    def ended(self) -> str | None:
        """See `Stream.ended`."""
        if self._closed.is_set():
            return "closed"
        limit = self._arguments.limit
        return f"{limit} events, the maximum" if self._told >= limit else None

    def next(self, within: float) -> Row | None:
        """See `Stream.next`."""
        if not self._fresh:
            self._look()
        if not self._fresh:
            if within > 0:
                self._closed.wait(within)
            self._look()
        if not self._fresh:
            return None
        self._told += 1
        now = self._runtime.now()
        return dead_row(self._fresh.popleft(), now, payload=self._arguments.payload)

    def _look(self) -> None:
        fresh: list[Dead] = []
        for dead in reversed(list(self._runtime.dead_letters.ring)):
            if dead is self._last:
                break
            fresh.append(dead)
        if fresh:
            self._last = fresh[0]
        self._fresh.extend(dead for dead in reversed(fresh) if _is_meant(dead, self._arguments))

    def summary(self) -> Row:
        """See `Stream.summary`."""
        return {"ended": self.ended, "told": self._told}

    def close(self) -> None:
        """See `Stream.close`."""
        self._closed.set()
