"""Which signals have their end on record: eight bytes each, and kept beside the log of them.

What is kept only spares reading. It names the place in the log up to which it is right; whatever is
odd about it, or about the log at that place, means that it is not there.
"""

import hashlib
from array import array
from bisect import bisect_left
from pathlib import Path

import msgspec

from hydra.store.followed_file import fingerprint
from hydra.store.private_files import make_private_file
from hydra.trading.trade_signals import number_of

_NUMBERS = "Q"
_NUMBER_BYTES = array(_NUMBERS).itemsize


class LogPlace(msgspec.Struct, frozen=True, kw_only=True):
    """Where a line of a log begins: its offset, the lines before it, what stands just before it."""

    offset: int
    lines: int
    fingerprint: str

    @classmethod
    def of(cls, log: int, offset: int, lines: int) -> "LogPlace":
        """That of an open file."""
        return cls(offset=offset, lines=lines, fingerprint=fingerprint(log, offset))


class EndedSignals:
    """The ids that were added. An id is known by its number, as everywhere (decision 10)."""

    def __init__(self, numbers: bytes = b"") -> None:
        """`numbers` as they were kept, in rising order."""
        self._settled = array(_NUMBERS, numbers)
        self._since: set[int] = set()

    def __contains__(self, signal_id: str) -> bool:
        number = number_of(signal_id)
        at = bisect_left(self._settled, number)
        is_settled = at < len(self._settled) and self._settled[at] == number
        return is_settled or number in self._since

    def add(self, signal_id: str) -> None:
        """To add what is there does nothing."""
        self._since.add(number_of(signal_id))

    def settle(self) -> None:
        """Hold all that was added in the least room."""
        self._since.update(self._settled)
        self._settled = array(_NUMBERS, sorted(self._since))
        self._since = set()

    def keep(self, path: Path, until: LogPlace) -> None:
        """Write down what is settled: all that the log says before `until`. Raises OSError."""
        numbers = self._settled.tobytes()
        first = msgspec.json.encode(_FirstLine(until=until, digest=_digest(numbers)))
        beside = path.with_suffix(".new")
        beside.unlink(missing_ok=True)
        make_private_file(beside)
        beside.write_bytes(first + b"\n" + numbers)
        beside.replace(path)


class _FirstLine(msgspec.Struct, frozen=True, kw_only=True):
    """What stands before the numbers."""

    until: LogPlace
    digest: str


def kept_in(path: Path, log: int, log_size: int) -> tuple[EndedSignals, LogPlace]:
    """What was kept of an open log, and up to where; nothing, where that is not to be trusted."""
    nothing = EndedSignals(), LogPlace.of(log, 0, 0)
    try:
        line, _, numbers = path.read_bytes().partition(b"\n")
        first = msgspec.json.decode(line, type=_FirstLine)
    except (FileNotFoundError, msgspec.MsgspecError):
        return nothing
    until = first.until
    is_of_this_log = 0 <= until.offset <= log_size and until == LogPlace.of(
        log, until.offset, until.lines
    )
    if not is_of_this_log or len(numbers) % _NUMBER_BYTES or _digest(numbers) != first.digest:
        return nothing
    return EndedSignals(numbers), until


def _digest(numbers: bytes) -> str:
    return hashlib.blake2b(numbers, digest_size=16).hexdigest()
