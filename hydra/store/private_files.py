"""Files that belong to the service user alone: folders 0700, files 0600."""

import os
import shlex
import stat
from contextlib import suppress
from pathlib import Path

FOLDER_RIGHTS = 0o700
FILE_RIGHTS = 0o600
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW


class RightsTooOpen(Exception):
    """Somebody else could read or change our state. Correct owner and rights, then start again."""


def make_private_folder(folder: Path) -> None:
    """Create what is missing of `folder` with rights 0700, or prove that it is private already.

    An empty folder of ours is tightened: nothing in it can have been read. One that holds files
    and is open to others is refused.
    """
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        with suppress(FileExistsError):  # somebody was faster; whether it is private is seen below
            path.mkdir(mode=FOLDER_RIGHTS)
            path.chmod(FOLDER_RIGHTS)  # an odd umask may have taken rights from us too
    facts = folder.stat()
    if not stat.S_ISDIR(facts.st_mode):
        raise NotADirectoryError(f"{folder} is not a folder")
    if _is_loose(facts) and facts.st_uid == os.geteuid() and not any(folder.iterdir()):
        folder.chmod(FOLDER_RIGHTS)
        facts = folder.stat()
    _require_private(folder, facts, FOLDER_RIGHTS)


def require_private_folder(folder: Path) -> None:
    """Refuse unless the folder is ours and closed to others; nothing is changed."""
    _require_private(folder, folder.stat(), FOLDER_RIGHTS)


def make_private_file(path: Path) -> None:
    """An empty file with rights 0600 from its first moment on. Raises FileExistsError."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    os.close(os.open(path, flags, FILE_RIGHTS))


def put_private_file(path: Path, content: bytes) -> None:
    """Put a file with rights 0600 in place whole: a reader never sees half of it. Raises OSError.

    It need not outlive a power cut, which may leave the one before or none.
    """
    new = path.with_name(f".{path.name}.new")
    descriptor = os.open(new, _NEW_FILE, FILE_RIGHTS)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    new.replace(path)


def require_private_file(path: Path, facts: os.stat_result) -> None:
    """Refuse unless `facts` speak of an ordinary file of ours that nobody else can touch."""
    if not stat.S_ISREG(facts.st_mode):
        raise RightsTooOpen(f"{path} is not an ordinary file; move it away and start again")
    _require_private(path, facts, FILE_RIGHTS)


def _require_private(path: Path, facts: os.stat_result, wanted: int) -> None:
    if facts.st_uid != os.geteuid():
        raise RightsTooOpen(
            f"{path} belongs to user {facts.st_uid}, wanted {os.geteuid()}, who runs this"
        )
    if _is_loose(facts):
        way_out = (
            "others use it, so name a folder of our own, such as one in it"
            if _is_of_everybody(path, facts)
            else f"chmod {wanted:o} {shlex.quote(str(path))}"
        )
        raise RightsTooOpen(
            f"{path} has rights {stat.S_IMODE(facts.st_mode):04o}, wanted {wanted:04o}: {way_out}"
        )


def _is_of_everybody(path: Path, facts: os.stat_result) -> bool:
    """As /tmp, or the root of all: nobody must be told to close that to others."""
    is_shared = stat.S_ISDIR(facts.st_mode) and facts.st_mode & stat.S_ISVTX
    return bool(is_shared) or path.resolve() == Path(path.resolve().anchor)


def _is_loose(facts: os.stat_result) -> bool:
    return facts.st_mode & (stat.S_IRWXG | stat.S_IRWXO) != 0
