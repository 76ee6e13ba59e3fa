"""The other side of the protocol: finds an engine's socket, asks, reads the answers."""

import os
import socket
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

import orjson

from hydra.actor import SECOND
from hydra.ops.debug.endpoint import path_to
from hydra.ops.debug.protocol import REPLY_MAX, request
from hydra.store.private_files import RightsTooOpen

SOCKET_NAME = "debug.sock"
SUBFOLDERS = ("", "embedded", "live")
"""Where in the state folder an engine may have put it: paper's own is the folder itself."""

CHUNK = 64 * 1024
RETRY_S = 0.02


class NoEngine(Exception):
    """Nobody answers, or nobody is let in: what was looked for, where, what to do, in one line."""


class CommandFailed(Exception):
    """The engine answered that it did not do it, and why."""


class EngineClient:
    """One connection to a socket. Raises `NoEngine` where the engine is not, or no longer, there.

    `timeout`: seconds that each answer may take.
    """

    _impatient: ClassVar[str] = ""
    """What to say to whom an answer took too long."""

    def __init__(self, path: Path, timeout: float = 5.0) -> None:
        self._path = path
        self._timeout = timeout
        self._numbers = count(1)
        self._rest = b""
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(timeout)
        try:
            self._connect(os.fsencode(path_to(path)))
        except FileNotFoundError as error:
            self._socket.close()
            raise NoEngine(f"no engine has made a socket at {path}") from error
        except ConnectionRefusedError as error:
            self._socket.close()
            raise NoEngine(f"the engine that made {path} is no longer running") from error
        except (OSError, RightsTooOpen) as error:
            self._socket.close()
            raise NoEngine(f"cannot connect to {path}: {error}") from error

    def _connect(self, address: bytes) -> None:
        until = time.monotonic() + self._timeout
        while True:
            try:
                return self._socket.connect(address)
            except BlockingIOError:  # as many are waiting to be let in as may
                if time.monotonic() > until:
                    raise
            time.sleep(RETRY_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Hang up. Again is harmless."""
        self._socket.close()

    def call(self, command: str, **arguments: Any) -> dict[str, Any]:
        """Ask and give the answer's data. Raises `CommandFailed` with what the engine says."""
        self._ask(command, arguments)
        data: dict[str, Any] = self._next_reply(self._timeout)["data"]
        return data

    def stream(self, command: str, **arguments: Any) -> Iterator[dict[str, Any]]:
        """Ask for what goes on: gives each event as it comes, and at the end `{"ended": …}`.

        It looks from the moment this returns; events are waited for without limit.
        """
        self._ask(command, arguments)
        first = self._next_reply(self._timeout)
        return self._events(first)

    def _events(self, reply: dict[str, Any]) -> Iterator[dict[str, Any]]:
        while reply.get("more"):
            reply = self._next_reply(None)
            yield reply["data"]

    def _ask(self, command: str, arguments: dict[str, Any]) -> None:
        try:
            until = time.monotonic_ns() + round(self._timeout * SECOND)
            self._socket.sendall(request(next(self._numbers), command, arguments, until))
        except OSError:
            return  # why it hung up may still be there to read

    def _next_reply(self, timeout: float | None) -> dict[str, Any]:
        self._socket.settimeout(timeout)
        try:
            while b"\n" not in self._rest:
                received = self._socket.recv(CHUNK)
                if not received:
                    raise NoEngine(f"the engine at {self._path} hung up without an answer")
                self._rest += received
                if len(self._rest) > 2 * REPLY_MAX:
                    raise NoEngine(f"what answers at {self._path} is no engine of this version")
        except TimeoutError as error:
            raise NoEngine(
                f"no answer from {self._path} within {self._timeout:g} s{self._impatient}"
            ) from error
        except OSError as error:
            raise NoEngine(f"the connection to {self._path} broke: {error}") from error
        line, self._rest = self._rest.split(b"\n", 1)
        reply: dict[str, Any] = orjson.loads(line)
        if not reply["ok"]:
            # Without the number of what was asked, it was not taken in: there is no room, say.
            raise (NoEngine if reply.get("id") is None else CommandFailed)(reply["error"])
        return reply


class DebugClient(EngineClient):
    """A connection to the debug socket."""

    _impatient = "; --timeout waits longer"


def connect(state_dir: Path, timeout: float = 5.0) -> DebugClient:
    """Connect to the engine that has its state there. Raises `NoEngine` with all that was tried."""
    tried = [state_dir / folder / SOCKET_NAME for folder in SUBFOLDERS]
    failures: list[NoEngine] = []
    for path in tried:
        try:
            return DebugClient(path, timeout)
        except NoEngine as failure:
            if path.is_symlink() or path.exists():
                failures.append(failure)
    if failures:
        raise failures[0]
    places = ", ".join(str(path) for path in tried)
    raise NoEngine(
        f"no engine is running here: looked for {places}; start one with `hydra-trader run`, or"
        " say where its state is with --state-dir"
    )
