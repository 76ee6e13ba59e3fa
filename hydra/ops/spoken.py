"""What is said reaches whoever listens, whatever letters his terminal has, and files theirs."""

import io
from typing import TextIO


def speak_in_any_letters(*streams: TextIO) -> None:
    """What a stream cannot show it shows as an escape, where it would have failed instead.

    A halt's reason or a dash must not keep a person in a plain locale from the state of his engine.
    """
    for stream in streams:
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")


def unusable_name(error: UnicodeEncodeError) -> str | None:
    """One line, if it is the name of a file that cannot be said to SQLite; None: it is not."""
    if not any("\udc80" <= letter <= "\udcff" for letter in error.object):
        return None
    return (
        f"{error.object}: the name of a file or folder is not UTF-8; nothing was done; give the"
        " folder another name, or say another with --state-dir and --log-dir"
    )
