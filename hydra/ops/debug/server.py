"""The server behind a private socket: answers beside the actors, and whatever they do.

There is one for each command table: debug, and control. It has threads of its own (one that
accepts, one a client), takes no lock of an actor's, and never puts anything into a user lane unless
a command of its table does; so it answers while every actor hangs.
"""

import errno
import os
import selectors
import socket
import threading
import time
from pathlib import Path

from hydra.ops.debug.command_table import CommandTable
from hydra.ops.debug.commands import DEBUG
from hydra.ops.debug.endpoint import Endpoint, Peer, SocketTaken, peer_of
from hydra.ops.debug.pacing import CpuBudget
from hydra.ops.debug.protocol import failure
from hydra.ops.debug.session import Limits, Session
from hydra.runtime.runtime import Runtime
from hydra.store.private_files import RightsTooOpen

EVICTED_AFTER_S = 2.0
"""With all places taken, who has been quiet for so long makes room for somebody new."""

ACCEPT_SHARE = 0.01
ACCEPT_ADVANCE_S = 0.1
"""Of one core, for letting clients in: some hundred a second, however many try."""

LOOK_EVERY_S = 2.0
"""Somebody who tidies up may take the socket away. Then nobody could say halt any more."""

JOIN_S = 1.0
"""For all of them together. Who is still at work then finds its client gone, and ends."""


class CommandServer:
    """See the module. Can be opened again after `close`. `path` is where clients look for it.

    `user`: who may connect, by number; the user who runs the engine unless said otherwise.
    """

    def __init__(
        self,
        runtime: Runtime,
        path: Path,
        table: CommandTable,
        *,
        limits: Limits | None = None,
        user: int | None = None,
    ) -> None:
        self._runtime = runtime
        self._path = path
        self._table = table
        self._limits = limits if limits is not None else Limits()
        self._user = user
        self._lock = threading.Lock()  # guards `_open`; held for moments, never while working
        self._open: _Open | None = None

    def open(self) -> None:
        """Begin to serve, if it does not. Raises `SocketTaken`, `RightsTooOpen` or `OSError`."""
        with self._lock:
            if self._open is None:
                endpoint = Endpoint(self._path)
                user = os.geteuid() if self._user is None else self._user
                try:
                    self._open = _Open(self._runtime, endpoint, self._table, self._limits, user)
                except BaseException:
                    endpoint.close()
                    raise

    def close(self) -> None:
        """Drop all clients and remove the socket. Closing what is not open does nothing."""
        with self._lock:
            was, self._open = self._open, None
        if was is not None:
            was.close()

    @property
    def clients(self) -> int:
        """How many are connected now."""
        opened = self._open
        return 0 if opened is None else opened.clients


class DebugServer(CommandServer):
    """The one behind the debug socket."""

    def __init__(
        self, runtime: Runtime, path: Path, *, limits: Limits | None = None, user: int | None = None
    ) -> None:
        super().__init__(runtime, path, DEBUG, limits=limits, user=user)


class _Open:
    """The server between `open` and `close`."""

    def __init__(
        self,
        runtime: Runtime,
        endpoint: Endpoint,
        table: CommandTable,
        limits: Limits,
        user: int,
    ) -> None:
        self._runtime = runtime
        self._endpoint = endpoint
        self._table = table
        self._limits = limits
        self._user = user
        self._budget = CpuBudget(limits.cpu_share, limits.cpu_advance_s)
        # Of its own, so that a flood of questions keeps nobody from connecting to say halt.
        self._accepting = CpuBudget(ACCEPT_SHARE, ACCEPT_ADVANCE_S)
        self._closing = threading.Event()
        self._lock = threading.Lock()  # guards `_sessions`
        self._sessions: dict[int, tuple[Session, socket.socket, threading.Thread]] = {}
        self._number = 0
        self._wake, self._woken = socket.socketpair()
        self._endpoint.socket.setblocking(False)
        self._next: Endpoint | None = None
        """To be listened to from now on, in the place of the one that nobody finds any more."""
        self._thread = threading.Thread(
            target=self._accept_all, name=f"hydra-{table.name}-accept", daemon=True
        )
        # Of its own: a disk that hangs must keep nobody from being let in.
        self._looking = threading.Thread(
            target=self._keep_looking, name=f"hydra-{table.name}-look", daemon=True
        )
        self._thread.start()
        self._looking.start()

    @property
    def clients(self) -> int:
        """How many are connected now."""
        return len(self._sessions)

    def close(self) -> None:
        """See `CommandServer.close`."""
        self._closing.set()
        self._wake.send(b"\0")
        self._thread.join(JOIN_S)
        self._looking.join(JOIN_S)
        with self._lock:
            sessions = list(self._sessions.values())
            coming, self._next = self._next, None
        if coming is not None:
            coming.close()
        for _, connection, _ in sessions:
            _hang_up(connection)
        until = time.monotonic() + JOIN_S
        for _, _, thread in sessions:
            thread.join(max(0.0, until - time.monotonic()))
        self._endpoint.close()
        self._wake.close()
        self._woken.close()

    def _accept_all(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._endpoint.socket, selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            while not self._closing.is_set():
                selector.select()
                self._change_over(selector)
                began = time.thread_time_ns()
                self._accept()
                self._accepting.spend(time.thread_time_ns() - began)
                owed = self._accepting.owed()
                if owed > 0:
                    self._closing.wait(owed)

    def _change_over(self, selector: selectors.BaseSelector) -> None:
        """Listen where it can be found again. Who is connected already stays so."""
        with self._lock:
            coming, self._next = self._next, None
            if coming is None:
                return
            before, self._endpoint = self._endpoint, coming
        self._woken.recv(1)
        selector.unregister(before.socket)
        before.let_go()
        selector.register(coming.socket, selectors.EVENT_READ)

    def _keep_looking(self) -> None:
        """Whether the files that lead here still do, until it is closed."""
        told: str | None = None
        while not self._closing.wait(LOOK_EVERY_S):
            if self._next is not None:
                continue
            try:
                found = self._endpoint.made_again()
            except (OSError, RightsTooOpen, SocketTaken) as error:
                if str(error) != told:
                    told = str(error)
                    self._tell_lost(told)
                continue
            if found is not None:
                told = None
                self._tell_lost(None)
                self._listen_to(found)

    def _listen_to(self, coming: Endpoint) -> None:
        coming.socket.setblocking(False)
        with self._lock:
            is_late = self._closing.is_set()
            if not is_late:
                self._next = coming
                self._wake.send(b"\0")
        if is_late:
            coming.close()

    def _tell_lost(self, fault: str | None) -> None:
        """That what leads here went; `fault`: why it could not be made again, None: it was."""
        where = {"path": str(self._endpoint.wanted), "fault": fault}
        self._runtime.log("socket_lost", "sockets", where)

    def _accept(self) -> None:
        if self._closing.is_set():
            return
        try:
            connection, _ = self._endpoint.socket.accept()
        except OSError as error:  # it has gone again, or there is no file descriptor left
            if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM):
                self._closing.wait(0.1)
            return
        peer = peer_of(connection)
        if peer is None or peer.uid != self._user:
            who = "somebody unknown" if peer is None else str(peer)
            _turn_away(connection, f"refused: only user {self._user} may ask, not {who}")
        elif not self._has_room():
            _turn_away(connection, f"refused: {self._limits.clients} clients are here already")
        else:
            self._begin(connection, peer)

    def _has_room(self) -> bool:
        """Whether one more can be served, if need be in the place of one that says nothing."""
        with self._lock:
            if len(self._sessions) < self._limits.clients:
                return True
            quiet = [
                (session.quiet_since, number)
                for number, (session, _, _) in self._sessions.items()
                if session.quiet_since is not None
            ]
            since, number = min(quiet, default=(time.monotonic(), 0))
            if time.monotonic() - since < EVICTED_AFTER_S:
                return False
            _, connection, _ = self._sessions.pop(number)
        _hang_up(connection)
        return True

    def _begin(self, connection: socket.socket, peer: Peer) -> None:
        session = Session(
            self._runtime,
            self._table,
            connection,
            peer,
            self._limits,
            self._budget,
            self._closing,
        )
        self._number = number = self._number + 1

        def ended() -> None:
            with self._lock:
                self._sessions.pop(number, None)

        thread = threading.Thread(
            target=session.run,
            args=(ended,),
            name=f"hydra-{self._table.name}-{number}",
            daemon=True,
        )
        with self._lock:
            self._sessions[number] = (session, connection, thread)
        try:
            thread.start()
        except RuntimeError:  # no more threads in this process
            ended()
            _turn_away(connection, "refused: no thread left to serve you")


def _turn_away(connection: socket.socket, reason: str) -> None:
    """Say why and hang up; whoever does not read it is not waited for."""
    with connection:
        connection.setblocking(False)
        try:
            connection.send(failure(None, reason))
        except OSError:
            return


def _hang_up(connection: socket.socket) -> None:
    """Wake the thread that serves it: it finds that the client has gone."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
