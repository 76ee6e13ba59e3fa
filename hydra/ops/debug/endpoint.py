"""A private UNIX socket: where it lies, that nobody else's stands there, who is at its other end.

Only the user who runs the engine may speak to it: the folder has rights 0700, the socket 0600, and
the kernel is asked who connected. A UNIX socket's path has room for about a hundred bytes; where
the wanted path is longer, a symbolic link stands at the wanted place and leads to a short one.
"""

import hashlib
import os
import socket
import stat
import struct
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec

from hydra.store.private_files import FILE_RIGHTS, RightsTooOpen, make_private_folder

PATH_BYTES_MAX = 100
"""Linux has room for 107 bytes, macOS for 103."""

BACKLOG = 128
PROBE_S = 1.0


class SocketTaken(Exception):
    """Another engine answers there, or something that is no socket of ours is in the way."""


class Peer(msgspec.Struct, frozen=True):
    """The process at the other end, as the kernel knows it; `pid` is -1 where it does not say."""

    uid: int
    pid: int

    def __str__(self) -> str:
        return f"uid {self.uid}, pid {self.pid}"


class Endpoint:
    """A socket that listens, and the files that lead to it. `close` removes both."""

    def __init__(self, wanted: Path) -> None:
        """Bind and listen. Raises `SocketTaken`, `RightsTooOpen` or `OSError`."""
        self.wanted = Path(os.path.abspath(wanted))  # noqa: PTH100 - `resolve` would follow our link
        make_private_folder(self.wanted.parent)
        self.path = self.wanted if _fits(self.wanted) else _short_path(self.wanted)
        _make_way(self.wanted)
        if self.path != self.wanted:
            if self.path.parent.is_symlink():
                raise RightsTooOpen(f"{self.path.parent} is a link; remove it and start again")
            make_private_folder(self.path.parent)
            _make_way(self.path)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self.socket.bind(os.fsencode(self.path))
            self.path.chmod(FILE_RIGHTS)  # nobody can have connected: it does not listen yet
            self.socket.listen(BACKLOG)
            if self.path != self.wanted:
                self.wanted.symlink_to(self.path)
        except OSError:
            self.socket.close()
            raise
        self._made = [(path, path.lstat().st_ino) for path in {self.path, self.wanted}]
        self._folder = _identity_of(self.wanted.parent)

    def made_again(self) -> "Endpoint | None":
        """Have what leads here lead here again, if somebody took it away. None: it does; else
        another socket has to be listened to, and this one to be let go.

        Does nothing where the folder itself went, or is another: whose it is now nobody knows.
        Raises as at the start; then it can be tried again.
        """
        lost = [path for path, inode in self._made if not _is_still(path, inode)]
        if not lost or _identity_of(self.wanted.parent) != self._folder:
            return None
        if self.path != self.wanted and lost == [self.wanted]:
            self._link_again()
            return None
        return Endpoint(self.wanted)

    def _link_again(self) -> None:
        """Only the link went. The socket is in its place, and nobody may take it for another's."""
        if self.wanted.is_symlink() or self.wanted.exists():
            raise SocketTaken(f"{self.wanted} leads elsewhere; move it away")
        self.wanted.symlink_to(self.path)
        self._made = [(path, path.lstat().st_ino) for path in {self.path, self.wanted}]

    def let_go(self) -> None:
        """Stop listening, and leave all files: another socket has them by now."""
        self.socket.close()
        self._made = []

    def close(self) -> None:
        """Stop listening. Files that another engine has put in place of ours stay."""
        self.socket.close()
        for path, inode in self._made:
            try:
                if path.lstat().st_ino == inode:
                    path.unlink()
            except FileNotFoundError:
                continue
        self._made = []
        if self.path != self.wanted and self.path.parent.is_dir():
            self.path.parent.rmdir()


def _identity_of(folder: Path) -> tuple[int, int] | None:
    try:
        facts = folder.stat()
    except FileNotFoundError:
        return None
    return facts.st_dev, facts.st_ino


def _is_still(path: Path, inode: int) -> bool:
    """As long as we listen, no other file gets the number of our socket's."""
    try:
        return path.lstat().st_ino == inode
    except FileNotFoundError:
        return False


def path_to(wanted: Path) -> Path:
    """Where to connect for the socket at `wanted`: the same, or where the link there leads.

    Raises `FileNotFoundError` if nothing is there, `RightsTooOpen` if what is there is not ours.
    """
    path = Path(os.path.abspath(wanted))  # noqa: PTH100 - the last link is looked at first
    if path.is_symlink():
        path = path.readlink()
    facts = path.lstat()
    if not stat.S_ISSOCK(facts.st_mode):
        raise RightsTooOpen(f"{path} is not a socket")
    if facts.st_uid != os.geteuid():
        raise RightsTooOpen(f"{path} belongs to user {facts.st_uid}, not to {os.geteuid()}")
    return path


def peer_of(connection: socket.socket) -> Peer | None:
    """Who connected; None where the kernel does not say, and then nobody is to be trusted."""
    ask = _KERNELS.get(sys.platform)
    try:
        return None if ask is None else ask(connection)
    except (OSError, struct.error):
        return None


def _peer_on_linux(connection: socket.socket) -> Peer:
    form = "=iII"  # pid, uid, gid
    option = getattr(socket, "SO_PEERCRED", 17)  # Python knows the name on Linux only
    raw = connection.getsockopt(socket.SOL_SOCKET, option, struct.calcsize(form))
    pid, uid, _ = struct.unpack(form, raw)
    return Peer(uid, pid)


def _peer_on_macos(connection: socket.socket) -> Peer | None:
    level, credentials, pid_of_peer = 0, 1, 2  # from <sys/un.h>; Python does not name them
    uid = uid_in_xucred(connection.getsockopt(level, credentials, XUCRED_BYTES))
    (pid,) = struct.unpack("=i", connection.getsockopt(level, pid_of_peer, 4))
    return None if uid is None else Peer(uid, pid)


XUCRED_BYTES = 76
"""macOS: version, uid, number of groups with its padding, sixteen groups."""


def uid_in_xucred(raw: bytes) -> int | None:
    """The user in macOS's answer; None if it is of a version that we do not know."""
    version, uid = struct.unpack_from("=II", raw)
    return int(uid) if version == 0 else None


_KERNELS: dict[str, Callable[[socket.socket], Peer | None]] = {
    "linux": _peer_on_linux,
    "darwin": _peer_on_macos,
}


def _fits(path: Path) -> bool:
    return len(os.fsencode(path)) <= PATH_BYTES_MAX


def _short_path(wanted: Path) -> Path:
    """A path that fits and is always the same for the same wanted one and user."""
    digest = hashlib.blake2b(os.fsencode(wanted), digest_size=8).hexdigest()
    places = (os.environ.get("XDG_RUNTIME_DIR"), tempfile.gettempdir(), "/tmp")
    for place in places:
        if place and Path(place).is_dir() and os.access(place, os.W_OK):
            path = Path(place) / f"hydra-{os.geteuid()}-{digest}" / wanted.name
            if _fits(path):
                return path
    raise SocketTaken(
        f"{wanted} is too long for a socket, and so is every place for temporary files"
    )


def _make_way(path: Path) -> None:
    """Remove what a dead engine left at `path`. Raises `SocketTaken` for anything else."""
    try:
        facts = path.lstat()
    except FileNotFoundError:
        return
    if facts.st_uid != os.geteuid():
        raise SocketTaken(f"{path} belongs to user {facts.st_uid}; move it away and start again")
    if stat.S_ISLNK(facts.st_mode):
        target = path.readlink()
        if target.exists():
            _make_way(target)
    elif stat.S_ISSOCK(facts.st_mode):
        owner = _who_listens(path)
        if owner is not None:
            raise SocketTaken(f"{path}: another engine answers there ({owner})")
    else:
        raise SocketTaken(f"{path} is not a socket; move it away and start again")
    path.unlink(missing_ok=True)


def _who_listens(path: Path) -> str | None:
    """Who has the socket open; None if nobody has."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(PROBE_S)
        try:
            probe.connect(os.fsencode(path))
        except (ConnectionRefusedError, FileNotFoundError):
            return None
        except OSError as error:  # too busy to say: it is alive
            return f"it says {error}"
        return str(peer_of(probe) or "it does not say who it is")
