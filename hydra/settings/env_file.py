"""Reads `.env`: names and values with their lines, from a file that only its user can read."""

import io
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SIZE_MAX = 64 * 1024


class EnvFileRefused(Exception):
    """The file as such cannot be used: what it says is not looked at."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.line = line


@dataclass(frozen=True, slots=True)
class Assignment:
    """One `NAME=value`. No value: the name stands alone. No name: the line is nothing of both.

    Its text is not shown: a value may have slipped into anything.
    """

    line: int
    name: str | None
    value: str | None

    def __repr__(self) -> str:
        return f"Assignment(line={self.line})"


def read_env_file(path: Path) -> tuple[Assignment, ...] | None:
    """What stands in the file, as it is: nothing is expanded, and the environment stays untouched.

    None if there is no such file. Raises `EnvFileRefused`.
    """
    content = _read_private(path)
    return None if content is None else tuple(_assignments(_decoded(content)))


def _assignments(text: str) -> Iterator[Assignment]:
    from dotenv.parser import parse_stream  # only if there is such a file: it takes 10 ms to load

    for binding in parse_stream(io.StringIO(text)):
        written = binding.original.string
        blank = len(written) - len(written.lstrip())
        line = binding.original.line + written[:blank].count("\n")
        if binding.error:
            yield Assignment(line, None, None)
        elif binding.key is not None:
            yield Assignment(line, binding.key, binding.value)


def _read_private(path: Path) -> bytes | None:
    # A link could lead to a file of somebody else's; opening a pipe would wait for a writer.
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags)
    except FileNotFoundError:
        return None
    except OSError as error:
        if path.is_symlink():
            raise EnvFileRefused(
                "is a link to another file, wanted the file itself; "
                f"replace it: install -m 600 <the other file> {path}"
            ) from error
        raise EnvFileRefused(f"cannot be read: {error.strerror or error}") from error
    try:
        _refuse_unless_private(path, os.fstat(descriptor))
        with os.fdopen(descriptor, "rb", closefd=False) as stream:
            content = stream.read(SIZE_MAX + 1)
    except OSError as error:
        raise EnvFileRefused(f"cannot be read: {error.strerror or error}") from error
    finally:
        os.close(descriptor)
    if len(content) > SIZE_MAX:
        raise EnvFileRefused(f"is larger than {SIZE_MAX} bytes")
    return content


def _refuse_unless_private(path: Path, facts: os.stat_result) -> None:
    if not stat.S_ISREG(facts.st_mode):
        raise EnvFileRefused("is not a regular file")
    if facts.st_uid != os.geteuid():
        raise EnvFileRefused(
            f"belongs to user {facts.st_uid}, wanted {os.geteuid()}, who runs this; "
            "make your own: install -m 600 .env.example .env"
        )
    if facts.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise EnvFileRefused(
            f"has rights {stat.S_IMODE(facts.st_mode):04o}, wanted 0600, as others could read the "
            f"keys: chmod 600 {path}, and change the keys if somebody may have"
        )


def _decoded(content: bytes) -> str:
    bad = None
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        bad, text = error.start, ""
    if bad is not None:  # not raised above: that error carries the whole content with it
        raise EnvFileRefused("is not UTF-8 text", content.count(b"\n", 0, bad) + 1)
    if text.startswith("\ufeff"):
        raise EnvFileRefused("a byte order mark; save the file as UTF-8 without one", 1)
    text = text.replace("\r\n", "\n")
    for number, line_text in enumerate(text.split("\n"), start=1):
        if not line_text.replace("\t", " ").isprintable():
            raise EnvFileRefused("a control character; write this line anew", number)
    return text
