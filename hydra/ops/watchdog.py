"""`python -m hydra.ops.watchdog`: ends an engine that hangs, where the service manager does not.

supervisord starts a program again when its process has ended, and sees nothing of one that hangs.
The engine tells whoever is at NOTIFY_SOCKET that it is alive for as long as its whole safety chain
makes progress (see `notify`, I77): this process is there, and kills an engine that has said so once
and says it no more. The manager then starts it anew, halted. An engine that has not been alive yet
is left alone: it may wait for its broker.

Who speaks is asked of the kernel, so nobody can speak for another, and what is killed is held by a
handle, not by its number. Linux only.
"""

import argparse
import os
import select
import signal
import socket
import stat
import struct
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Never

from hydra.ops.exit_codes import ExitCode

WITHIN_S = 30.0
TICK_S = 1.0
DATAGRAM_MAX = 64 * 1024
CREDENTIALS = struct.Struct("3i")
"""pid, uid and gid, as the kernel tells them with a datagram."""


class SignsOfLife:
    """Which process has said that it is alive, and when. Times are seconds of any one clock."""

    def __init__(self, within_s: float) -> None:
        self._within_s = within_s
        self._alive_at: dict[int, float] = {}

    def hear(self, pid: int, lines: Sequence[str], at: float) -> bool:
        """What the process says. One that says that it stops is watched no more: it ends itself.

        Whether it is watched from here on, and was not before.
        """
        if "STOPPING=1" in lines:
            self.forget(pid)
            return False
        is_new = pid not in self._alive_at
        if "WATCHDOG=1" in lines:
            self._alive_at[pid] = at
        return is_new and pid in self._alive_at

    def forget(self, pid: int) -> None:
        """It has ended. Who is not known is not known afterwards either."""
        self._alive_at.pop(pid, None)

    def overdue(self, at: float) -> tuple[int, ...]:
        """Those who were alive once and have not been for too long."""
        return tuple(pid for pid, was in self._alive_at.items() if not at - was <= self._within_s)


class Watchdog:
    """A socket that hears engines of its own user, and a handle of each that was heard."""

    def __init__(self, path: Path, within_s: float, say: Callable[[str], None]) -> None:
        """Bind. Raises OSError, also where something that is no socket is in the way."""
        self._say = say
        self._within_s = within_s
        self._signs = SignsOfLife(within_s)
        self._handles: dict[int, int] = {}
        if path.exists() and not stat.S_ISSOCK(path.lstat().st_mode):
            raise FileExistsError(None, "found a file that is no socket; say another path", path)
        path.unlink(missing_ok=True)  # of a watchdog before this one
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        before = os.umask(0o177)
        try:
            self._socket.bind(os.fsencode(path))
        finally:
            os.umask(before)

    def close(self) -> None:
        """Hear no more, and watch nobody."""
        for handle in self._handles.values():
            os.close(handle)
        self._handles.clear()
        self._socket.close()

    def keep_watching(self) -> Never:
        """Until the process is ended."""
        while True:
            select.select([self._socket], [], [], TICK_S)
            self.look_once(time.monotonic())

    def look_once(self, at: float) -> None:
        """Hear all that has come, and only then judge: what came late because we did counts."""
        while self._hear_one(at):
            pass
        for pid, handle in list(self._handles.items()):
            if select.select([handle], [], [], 0)[0]:  # readable: it has ended
                self._forget(pid)
        for pid in self._signs.overdue(at):
            with suppress(ProcessLookupError):  # it has just ended by itself
                signal.pidfd_send_signal(self._handles[pid], signal.SIGKILL)
            self._say(f"process {pid}: no sign of life for {self._within_s:g} s; killed")
            self._forget(pid)

    def _hear_one(self, at: float) -> bool:
        """False: nothing is there."""
        try:
            data, told, _, _ = self._socket.recvmsg(
                DATAGRAM_MAX, socket.CMSG_SPACE(CREDENTIALS.size)
            )
        except BlockingIOError:
            return False
        for level, kind, content in told:
            if (level, kind) != (socket.SOL_SOCKET, socket.SCM_CREDENTIALS):
                continue
            pid, uid, _ = CREDENTIALS.unpack(content)
            lines = data.decode(errors="replace").split("\n")
            if uid != os.geteuid() or not self._has_handle(pid):
                continue
            if self._signs.hear(pid, lines, at):
                self._say(f"process {pid}: alive, and watched from here on")
        return True

    def _has_handle(self, pid: int) -> bool:
        """False: it has ended since it spoke, or the kernel does not say who it was."""
        if pid not in self._handles:
            try:
                self._handles[pid] = os.pidfd_open(pid)
            except OSError:
                return False
        return True

    def _forget(self, pid: int) -> None:
        self._signs.forget(pid)
        os.close(self._handles.pop(pid))


def main(argv: Sequence[str] | None = None) -> int:
    """Watch until it is ended; gives an exit code where it cannot."""
    arguments = _parser().parse_args(argv)
    if sys.platform != "linux":
        sys.stderr.write("found no Linux, whose kernel says who speaks; wanted it: do without\n")
        return int(ExitCode.USAGE)
    try:
        watchdog = Watchdog(arguments.socket, arguments.within, _say)
    except OSError as error:
        sys.stderr.write(f"{arguments.socket}: {error.strerror or error}\n")
        return int(ExitCode.USAGE)
    _say(f"ready {arguments.socket}")
    try:
        watchdog.keep_watching()
    except KeyboardInterrupt:
        return int(ExitCode.CLEAN)
    finally:
        watchdog.close()


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m hydra.ops.watchdog",
        description="Kill an engine that was alive and no longer says that it is, so that a service"
        " manager starts it again. The engine is told of it by NOTIFY_SOCKET=PATH and"
        " WATCHDOG_USEC in its environment.",
    )
    parser.add_argument("--socket", type=Path, required=True, metavar="PATH", help="made anew")
    parser.add_argument(
        "--within", type=_seconds, default=WITHIN_S, metavar="S", help=f"seconds ({WITHIN_S:g})"
    )
    return parser


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 2 * TICK_S <= seconds <= 3600:
        raise argparse.ArgumentTypeError(f"found {text}, wanted {2 * TICK_S:g} to 3600 seconds")
    return seconds


if __name__ == "__main__":
    sys.exit(main())
