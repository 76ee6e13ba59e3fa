"""Tells the service manager the truth: ready once preflight has passed, alive while trading could.

It is systemd's protocol (sd_notify): lines of text in datagrams to the socket that NOTIFY_SOCKET
names. `READY=1` is sent once, when preflight has passed; `WATCHDOG=1` for as long as the gate's
lease is being renewed, which is the proof that every member of the safety chain makes progress
(I77). When one hangs there are no more of them, and the manager starts the engine anew, which then
begins halted. Without the variables, and without anybody at the socket, nothing happens.
"""

import os
import re
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress

from hydra.runtime.runtime import Runtime

PERIOD_S = 1.0
STATUS_LENGTH_MAX = 200

_MICROSECONDS = re.compile(r"[1-9][0-9]{0,17}")


class ServiceNotifier:
    """A thread that tells the manager every second, or more often if its watchdog needs that.

    Nothing that it does can hold anybody up, and nothing that fails in it reaches trading: that the
    socket does not take a datagram is tried again with the next one, and should the thread die, the
    manager does what it does about an engine that hangs.
    """

    def __init__(
        self,
        runtime: Runtime,
        environ: Mapping[str, str],
        preflight_passed: Callable[[], bool],
    ) -> None:
        """`preflight_passed`: whether it has, in this run; asked until it says so once."""
        self._runtime = runtime
        self._address = _address(environ.get("NOTIFY_SOCKET", ""))
        self._watchdog_s = _watchdog_s(environ, os.getpid())
        self._preflight_passed = preflight_passed
        self._is_ready = False
        self._status_told = ""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self.keep_telling, name="notify", daemon=True)

    @property
    def period_s(self) -> float:
        """Seconds between two notes; three of them at least before the watchdog's time is up."""
        return PERIOD_S if self._watchdog_s is None else min(PERIOD_S, self._watchdog_s / 4)

    def start(self) -> None:
        """Begin to tell, until `stop`; nothing if there is nobody to tell."""
        if self._address is not None:
            self._thread.start()

    def stop(self, within_s: float) -> bool:
        """Tell that the engine is stopping, and no more after that. False if that took longer."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(within_s)
        return not self._thread.is_alive()

    def keep_telling(self) -> None:
        """What the thread does."""
        is_stopping = False
        while not is_stopping:
            self.tell_once()
            is_stopping = self._stopping.wait(self.period_s)
        self.tell_once()  # a run that was over at once has been ready too
        self._send(["STOPPING=1"])

    def tell_once(self) -> None:
        """Tell what is true now and is not told yet, and that the engine is alive, if it is."""
        lines = []
        becomes_ready = not self._is_ready and self._preflight_passed()
        if becomes_ready:
            lines.append("READY=1")
        status = self._status()
        if status != self._status_told:
            lines.append(f"STATUS={status}")
        if self._watchdog_s is not None and self._runtime.gate.lease_left() > 0:
            lines.append("WATCHDOG=1")
        if lines and self._send(lines):
            self._is_ready = self._is_ready or becomes_ready
            self._status_told = status

    def _status(self) -> str:
        gate = self._runtime.gate
        codes = ", ".join(cause.code for cause in gate.standing())
        return f"trading is {gate.state.name}{codes and ': '}{codes}"[:STATUS_LENGTH_MAX]

    def _send(self, lines: list[str]) -> bool:
        """Whether the manager's socket took it."""
        if self._address is None:
            return False
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sending:
            sending.setblocking(False)
            sending.sendto("\n".join(lines).encode(), self._address)
            return True
        return False


def _address(name: str) -> bytes | None:
    """Of a socket in the file system, or of an abstract one, whose name begins with `@`."""
    if name.startswith("@"):
        return b"\0" + os.fsencode(name[1:])
    return os.fsencode(name) if name.startswith("/") else None


def _watchdog_s(environ: Mapping[str, str], own_pid: int) -> float | None:
    """The time within which the manager wants a sign of life; None: it wants none, or not of us."""
    if environ.get("WATCHDOG_PID", str(own_pid)) != str(own_pid):
        return None
    microseconds = environ.get("WATCHDOG_USEC", "")
    return int(microseconds) / 1e6 if _MICROSECONDS.fullmatch(microseconds) else None
