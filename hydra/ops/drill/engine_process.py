"""The engine of a drill: a process of its own, whose end takes everything with it."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

import psutil

LAST_WORDS = 3
GONE_WITHIN_S = 5.0
"""For what it had started, once it is gone itself."""


class EngineProcess:
    """Started at once, in a session of its own: a Ctrl-C is the drill's, which ends it in order."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], cwd: Path) -> None:
        self._said: deque[str] = deque(maxlen=LAST_WORDS)
        self._known: dict[int, psutil.Process] = {}
        self._process = subprocess.Popen(
            command,
            env=dict(environment),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            # A pipe, and no file: what limits its files must not keep it from saying why it ends.
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        assert self._process.stdout is not None, "it was asked for"
        self._listener = threading.Thread(
            target=self._listen, args=(self._process.stdout,), name="drill-engine", daemon=True
        )
        self._listener.start()

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None: it runs. Below 0: the signal that ended it."""
        return self._process.poll()

    @property
    def words(self) -> str:
        """What it said last, for people."""
        return " | ".join(self._said)

    def children(self) -> tuple[psutil.Process, ...]:
        """What it has started and what still runs of that; all of them are known from then on."""
        with contextlib.suppress(psutil.Error):
            for child in psutil.Process(self.pid).children(recursive=True):
                self._known[child.pid] = child
        return tuple(child for child in self._known.values() if child.is_running())

    def ask_to_stop(self) -> None:
        """As an operator's Ctrl-C does."""
        self._process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """As a power cut would, for the process: nothing of it runs any more when this returns."""
        self.children()
        self._process.kill()
        self._process.wait()

    def ended_within(self, seconds: float) -> int | None:
        """Its exit code, once it has ended; None if it has not by then."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def leave_nothing(self) -> None:
        """End it and all that it started, however it takes it."""
        children = self.children()
        if self.exit_code is None:
            self.kill()
        _, alive = psutil.wait_procs(children, timeout=GONE_WITHIN_S)
        for child in alive:
            with contextlib.suppress(psutil.Error):
                child.kill()
        psutil.wait_procs(alive, timeout=GONE_WITHIN_S)
        self._listener.join(GONE_WITHIN_S)
        assert self._process.stdout is not None, "it was asked for"
        self._process.stdout.close()

    def _listen(self, stream: IO[str]) -> None:
        with contextlib.suppress(OSError, ValueError):
            for line in stream:
                if line.strip():
                    self._said.append(line.strip())


def port_of(process: psutil.Process) -> int | None:
    """At which it listens; None as long as it does not."""
    with contextlib.suppress(psutil.Error):
        for each in process.net_connections(kind="tcp"):
            if each.status == psutil.CONN_LISTEN:
                return int(each.laddr.port)
    return None
