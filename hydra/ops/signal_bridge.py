"""The bridge to an outside strategy: reads its file of signals, and keeps what was done with each.

One thread looks four times a second, at the file and at the bridge's own kill file, and tells the
signal bot. A disk that hangs, a file that cannot be trusted or a thread that died leaves the last
good look to grow old, and that alone closes the bridge's entries: it never needs to say so itself.
Its failure halts nobody else.
"""

import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from hydra.actor import Ref
from hydra.ops.repeated_look import RepeatedLook
from hydra.runtime.life import in_words
from hydra.runtime.runtime import Runtime
from hydra.store.followed_file import FollowedFile, FollowedLine, Unfollowable
from hydra.store.kill_file import read_kill_file
from hydra.store.signal_record import SignalRecord
from hydra.trading.causes import SIGNALS_CLOSED
from hydra.trading.kill_switch import Absent, Sight, Unreadable
from hydra.trading.trade_signals import LINE_BYTES_MAX, BadLine, TradeSignal, signal_in
from hydra.trading.trading_state import Cause
from messages.signals import SignalNote, SignalRead

SOURCE = "signal_bridge"
PERIOD_S = 0.25
GOOD_FOR_S = 2.0
"""A look that is older says nothing about the kill file."""
BAD_LINES_KEPT = 1_000
"""In one run; a writer gone mad does not fill the disk. All of them are counted."""


class SignalBridge(RepeatedLook):
    """See the module. Fulfils the port `Signals`: what the bot says is written at the next look."""

    def __init__(
        self,
        runtime: Runtime,
        bot: Ref[Any],
        signals: Path,
        kill_file: Path,
        record: SignalRecord,
        *,
        period_s: float = PERIOD_S,
        read_kill: Callable[[Path], Sight] = read_kill_file,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing is looked at yet. `record` is closed with it."""
        super().__init__(runtime, name="signal-bridge", period_s=period_s)
        self._voice = runtime.outside("signals")
        self._bot = bot
        self._path = signals
        self._kill_file = kill_file
        self._record = record
        self._file = FollowedFile(signals, record.place, LINE_BYTES_MAX)
        self._read_kill = read_kill
        self._monotonic = monotonic
        self._pending: dict[str, TradeSignal] = {}
        self._notes: SimpleQueue[SignalNote] = SimpleQueue()
        self._is_asked = threading.Event()
        self._looking = threading.Lock()
        self._closed: str | None = "the bridge has not looked yet"
        self._looked_at: float | None = None
        self._bad_lines = 0
        self._tells_at_once = True
        self._place_kept = record.place

    # The port, for the bot

    def why_closed(self) -> str | None:
        """See `Signals.why_closed`."""
        looked_at = self._looked_at
        if looked_at is None:
            return self._closed
        age = self._monotonic() - looked_at
        if not age <= GOOD_FOR_S:
            return f"the bridge's last look is {age:.1f} s old, at most {GOOD_FOR_S:g} s allowed"
        return self._closed

    def note(self, note: SignalNote) -> None:
        """See `Signals.note`."""
        self._notes.put(note)

    def report(self) -> None:
        """See `Signals.report`."""
        self._is_asked.set()

    # The watch

    def look_once(self) -> None:
        """Write what was said, look at both files, and tell the bot what is new."""
        with self._looking:
            self._write_notes()
            if self._is_asked.is_set():
                self._is_asked.clear()
                for signal in self._pending.values():
                    self._tell(signal)
            closed, unreadable = self._kill_words(), self._read_signals()
            self._say_if_new(closed, unreadable)
            self._looked_at = self._monotonic()

    def play(self, call_at: Callable[[int, Callable[[], None]], object], since: int) -> None:
        """For virtual time, instead of `start`: read everything now, and tell each when it is due.

        That is at its own time, or at `since` (market time), whichever is later.
        """
        self._tells_at_once = False
        before = self._file.place
        self.look_once()
        while self._file.place != before:
            before = self._file.place
            self.look_once()
        for signal in self._pending.values():
            call_at(max(since, signal.at), partial(self._tell, signal))

    def stop(self, within_s: float) -> bool:
        """Look no more; what was said by then is written. False if that took longer.

        What cannot be written any more is told to the journal alone: an engine that stops goes on.
        """
        stopped = super().stop(within_s)
        if stopped:
            try:
                self._write_notes()
            except OSError as error:
                self._halt(self._cannot_go_on(in_words(error)))
            self.abandon()
        return stopped

    def abandon(self) -> None:
        """Let the files go as they are; what was said and is not written is lost, as in a crash."""
        self._file.close()
        self._record.close()

    def _cannot_go_on(self, reason: str) -> Cause:
        return SIGNALS_CLOSED.cause(
            subject=self._bot.name,
            since=self._market_time,
            detail=f"the signal bridge died: {reason}",
        )

    def _halt(self, cause: Cause) -> None:
        """Only this bridge is closed: its looks grow old."""
        self._runtime.log("signals_closed", SOURCE, {"reason": cause.detail})

    def _write_notes(self) -> None:
        while True:
            try:
                note = self._notes.get_nowait()
            except Empty:
                break
            self._record.note(note)
            if note.done.is_final:
                self._pending.pop(note.id, None)
        self._keep_place()

    def _keep_place(self) -> None:
        """Only where nothing is under way: what was not brought to its end is read again."""
        place = self._file.place
        if place is not None and place != self._place_kept and not self._pending:
            self._record.keep_place(place)
            self._place_kept = place

    def _kill_words(self) -> str | None:
        sight = self._read_kill(self._kill_file)
        match sight:
            case Absent():
                return None
            case Unreadable(reason=reason):
                return f"its kill file {self._kill_file} {reason}"
            case _:
                return f"its kill file {self._kill_file} is there; remove it to take that back"

    def _read_signals(self) -> str | None:
        """Take up the lines that came; gives why they cannot be read, None: they can."""
        try:
            lines = self._file.read()
        except Unfollowable as error:
            return str(error)
        for change in self._file.changes:
            self._runtime.log("signals_file_changed", SOURCE, {"reason": change})
        self._file.changes.clear()
        for line in lines:
            self._take(line)
        self._keep_place()
        return None

    def _take(self, line: FollowedLine) -> None:
        if line.is_whole and not line.content.strip():
            return
        try:
            if not line.is_whole:
                raise BadLine(f"it is longer than {LINE_BYTES_MAX} bytes, or has no end")
            signal = signal_in(line.content)
        except BadLine as bad:
            self._set_aside(line, str(bad))
            return
        if signal.id not in self._record.ended and signal.id not in self._pending:
            self._pending[signal.id] = signal
            if self._tells_at_once:
                self._tell(signal)

    def _set_aside(self, line: FollowedLine, reason: str) -> None:
        self._bad_lines += 1
        if self._bad_lines > BAD_LINES_KEPT:
            if self._bad_lines == BAD_LINES_KEPT + 1:
                self._say_bad(line, f"there are more than {BAD_LINES_KEPT}; no more are kept")
            return
        self._record.quarantine(self._path, line.number, line.content, reason, self._market_time)
        self._say_bad(line, reason)

    def _say_bad(self, line: FollowedLine, reason: str) -> None:
        fields = {"file": str(self._path), "line": line.number, "reason": reason}
        self._runtime.log("signal_line_bad", SOURCE, fields)

    def _say_if_new(self, closed: str | None, unreadable: str | None) -> None:
        if unreadable is not None and closed is None:
            closed = unreadable  # whoever may have changed the file may have changed its meaning
        if closed != self._closed and closed is not None:
            self._runtime.log("signals_closed", SOURCE, {"reason": closed})
        elif closed is None and self._looked_at is not None and self._closed is not None:
            self._runtime.log("signals_open", SOURCE, {})
        self._closed = closed

    def _tell(self, signal: TradeSignal) -> None:
        self._voice.tell(self._bot, SignalRead(signal=signal))

    @property
    def _market_time(self) -> int:
        return self._runtime.market_time_at(self._runtime.now())
