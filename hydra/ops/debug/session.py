"""One client of a command server: reads its requests, answers them, and drops it in time."""

import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import msgspec

from hydra.actor import SECOND
from hydra.ops.debug.asking import Caller
from hydra.ops.debug.command_table import CommandTable
from hydra.ops.debug.describing import Refused
from hydra.ops.debug.endpoint import Peer
from hydra.ops.debug.pacing import CpuBudget
from hydra.ops.debug.protocol import Lines, Malformed, Request, failure, parse, reply
from hydra.ops.debug.streams import Stream
from hydra.runtime.life import in_words
from hydra.runtime.runtime import Runtime
from hydra.trading.trading_state import TradingState

CHUNK = 16 * 1024
STREAM_POLL_S = 0.1
"""How long a stream may wait for its next event before it looks whether the client has gone."""

FAULTS = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
"""What a fault of a command itself would raise: its asker is told, and nobody else notices."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What clients may use of the engine. Times in seconds.

    `line_s`: for the whole of a line, from its first byte. `write_s`: for the whole of a reply; who
    reads more slowly is dropped. `cpu_share`: of one core, over all clients together.
    """

    clients: int = 16
    idle_s: float = 60.0
    line_s: float = 5.0
    write_s: float = 2.0
    cpu_share: float = 0.01
    cpu_advance_s: float = 0.1


class Session:
    """See the module. Runs in a thread of its own, and holds no lock while it looks or waits."""

    def __init__(
        self,
        runtime: Runtime,
        table: CommandTable,
        connection: socket.socket,
        peer: Peer,
        limits: Limits,
        budget: CpuBudget,
        closing: threading.Event,
    ) -> None:
        self._runtime = runtime
        self._table = table
        self._connection = connection
        self._limits = limits
        self._budget = budget
        self._closing = closing
        self._caller = Caller(name=str(peer), runs_simulation=False)
        self._lines = Lines()
        self._line_begun = 0.0
        self.quiet_since: float | None = time.monotonic()
        """When it began to wait for the client; None while it works for it."""

    def run(self, ended: Callable[[], None]) -> None:
        """Serve until the client goes, is too slow, or says what is no request."""
        try:
            while not self._closing.is_set():
                for line in self._read():
                    if not self._serve(line):
                        return
        except OSError:  # it has gone, or reads or writes too slowly
            return
        finally:
            self._connection.close()
            ended()

    def _read(self) -> list[bytes]:
        """The lines that have come, after waiting for something. Raises `OSError` at the end."""
        now = time.monotonic()
        if self._lines.has_begun:
            wait = self._line_begun + self._limits.line_s - now
        else:
            self._line_begun = now
            wait = self._limits.idle_s
        self.quiet_since = now
        self._connection.settimeout(max(wait, 0.001))
        received = self._connection.recv(CHUNK)
        self.quiet_since = None
        if not received:
            raise ConnectionError("the client has gone")
        begun = self._lines.has_begun
        try:
            lines = self._lines.feed(received)
        except Malformed as malformed:
            self._send(failure(None, str(malformed)))
            raise ConnectionError("dropped") from malformed
        if lines or not begun:
            self._line_begun = time.monotonic()
        return lines

    def _serve(self, line: bytes) -> bool:
        """Answer one line; False if the client is to be dropped."""
        try:
            wanted = parse(line)
        except Malformed as malformed:
            self._send(failure(None, str(malformed)))
            return False
        is_urgent = wanted.command in self._table.urgent
        if not is_urgent or self._runtime.gate.state is TradingState.HALTED:
            self._wait_turn()
        began = time.thread_time_ns()
        try:
            answer = self._too_late(wanted) or self._answer(wanted)
            if isinstance(answer, bytes):
                self._send(answer)
        finally:
            self._budget.spend(time.thread_time_ns() - began)
        if not isinstance(answer, bytes):
            self._stream(wanted, answer)
        return True

    def _wait_turn(self) -> None:
        owed = self._budget.owed()
        if owed > 0:
            self._closing.wait(owed)

    def _too_late(self, wanted: Request) -> bytes | None:
        """What to say if nobody waits for it any more: a process that stood still, or a machine,
        finds in its sockets what operators wanted long ago.
        """
        until = wanted.until
        if until is None or wanted.command in self._table.even_late:
            return None
        late = time.monotonic_ns() - until
        if late <= 0:
            return None
        return failure(
            wanted.id,
            f"{wanted.command} was not done: it came to be read {late / SECOND:.1f} s after whoever"
            " asked had given up",
        )

    def _answer(self, wanted: Request) -> "bytes | Stream":
        try:
            data: Any = self._table.execute(
                self._runtime, wanted.command, wanted.arguments, self._caller
            )
        except Refused as refused:
            return failure(wanted.id, str(refused))
        except FAULTS as fault:
            what = in_words(fault)
            whose = f"a fault of the {self._table.name} server, not of the engine"
            return failure(wanted.id, f"{whose}: {what}")
        return reply(wanted.id, data) if isinstance(data, dict) else data

    def _stream(self, wanted: Request, stream: Stream) -> None:
        """Send what comes until the stream ends, or the client speaks or goes."""
        try:
            self._send(reply(wanted.id, {"opened": wanted.command}, more=True))
            while stream.ended is None and not self._closing.is_set():
                self._wait_turn()
                event = stream.next(STREAM_POLL_S)
                if event is not None:
                    began = time.thread_time_ns()
                    self._send(reply(wanted.id, event, more=True))
                    self._budget.spend(time.thread_time_ns() - began)
                if self._client_spoke_or_went():
                    break
            self._send(reply(wanted.id, stream.summary()))
        finally:
            stream.close()

    def _client_spoke_or_went(self) -> bool:
        self._connection.setblocking(False)
        try:
            self._connection.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        return True

    def _send(self, line: bytes) -> None:
        self._connection.settimeout(self._limits.write_s)
        self._connection.sendall(line)
