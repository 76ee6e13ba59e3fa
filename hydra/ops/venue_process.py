"""The embedded venue's process: the broker's stand-in, which lives no longer than its engine.

It is a process of its own, so that the engine meets it as it meets the real broker: over sockets,
with everything that can go wrong there, its death included. It holds the reading end of a pipe of
ours and ends when that closes, however the engine ended.
"""

from __future__ import annotations

import contextlib
import secrets
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import IO

import msgspec

from hydra.ops.venue.pipe import GO, Ready, VenueTold, told_in

LAST_WORDS = 5
"""So many of its last lines are kept, to say why it ended."""
LINE_LENGTH_MAX = 4096


class VenueKeys(msgspec.Struct, frozen=True):
    """What lets a client in; made anew for each process, and never shown."""

    key: str
    secret: str

    def __repr__(self) -> str:
        return "VenueKeys(<hidden>)"


class VenueDidNotStart(Exception):
    """There is no venue. Its text says why, in one line."""


def new_keys() -> VenueKeys:
    """Keys that nobody can guess, and that nobody can take for the real broker's."""
    return VenueKeys(f"HYDRA{secrets.token_hex(8).upper()}", secrets.token_urlsafe(32))


class VenueProcess:
    """Starts the venue, knows where it serves, and says so once when it ends unasked."""

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        ended: Callable[[str], None],
        told: Callable[[VenueTold], None] = lambda _: None,
    ) -> None:
        """`command` serves a venue and prints `ready <url>` first. `told` hears all that it says
        besides, of what is in `pipe`; `ended` is called with why if the process ends before `stop`.
        Both are called on threads of this object's.
        """
        self._command = tuple(command)
        self._environment = dict(environment)
        self._ended = ended
        self._told = told
        self._process: subprocess.Popen[str] | None = None
        self._last_words: deque[str] = deque(maxlen=LAST_WORDS)
        self._ready = threading.Event()
        self._url: str | None = None
        self._stopping = threading.Event()
        self._listeners: list[threading.Thread] = []

    def start(self, within_s: float) -> str:
        """Start it; gives the URL at which it serves. Raises `VenueDidNotStart`."""
        try:
            self._process = subprocess.Popen(
                self._command,
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                # Ctrl-C is the engine's: it may still have orders to take out, at this venue.
                start_new_session=True,
            )
        except OSError as error:
            raise VenueDidNotStart(f"the embedded venue cannot be started: {error}") from error
        process = self._process
        self._listen("venue-out", process.stdout, self._hear)
        self._listen("venue-err", process.stderr, self._last_words.append)
        in_time = self._ready.wait(within_s)
        if self._url is None:
            self.stop(within_s=1.0)
            how = f"ended with {_exit(process.returncode)}"
            if not in_time:
                how = f"did not serve within {within_s:g} s"
            raise VenueDidNotStart(f"the embedded venue {how}{self._said()}")
        watcher = threading.Thread(target=self._watch, name="venue-watch", daemon=True)
        watcher.start()
        self._listeners.append(watcher)
        return self._url

    @property
    def pid(self) -> int | None:
        """The process's number, once it was started."""
        return None if self._process is None else self._process.pid

    def go(self) -> None:
        """Let market time run, if it was started to wait for this. One that is gone is told of."""
        self.say(GO)

    def say(self, line: str) -> None:
        """Say a line to it. One that is gone is told of, and hears nothing."""
        assert self._process is not None and self._process.stdin is not None
        with contextlib.suppress(OSError, ValueError):
            self._process.stdin.write(f"{line}\n")
            self._process.stdin.flush()

    def stop(self, within_s: float) -> None:
        """Let it end by itself, and make it end if it does not. Stopping twice does nothing."""
        self._stopping.set()
        process = self._process
        if process is None:
            return
        assert process.stdin is not None
        with contextlib.suppress(OSError):
            process.stdin.close()
        try:
            process.wait(within_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for listener in self._listeners:
            if listener is not threading.current_thread():
                listener.join(1.0)
        for stream in (process.stdout, process.stderr):
            assert stream is not None
            with contextlib.suppress(OSError):
                stream.close()

    def _listen(self, name: str, stream: IO[str] | None, hear: Callable[[str], object]) -> None:
        assert stream is not None

        def listen() -> None:
            # Read to its end whatever it says: a full pipe would hold the venue up.
            with contextlib.suppress(OSError, ValueError):
                while line := stream.readline(LINE_LENGTH_MAX):
                    hear(line.strip())
            if stream is (self._process and self._process.stdout):
                self._ready.set()

        listener = threading.Thread(target=listen, name=name, daemon=True)
        listener.start()
        self._listeners.append(listener)

    def _hear(self, line: str) -> None:
        told = told_in(line)
        if isinstance(told, Ready):
            if not self._ready.is_set():
                self._url = told.url
                self._ready.set()
        elif told is not None:
            self._told(told)

    def _watch(self) -> None:
        assert self._process is not None
        code = self._process.wait()
        if not self._stopping.is_set():
            for listener in self._listeners:
                if listener is not threading.current_thread():
                    listener.join(1.0)  # its last words are still on their way
            self._ended(f"the embedded venue ended with {_exit(code)}{self._said()}")

    def _said(self) -> str:
        words = " | ".join(line for line in self._last_words if line)
        return f"; it said: {words}" if words else ""


def _exit(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"
