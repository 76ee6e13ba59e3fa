"""One line of the journal: any values in, one whole JSON object out, and back, checked."""

import math
import re
import zlib
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
import orjson
from msgspec import structs

from hydra.ports import LedgerMark
from hydra.store.redaction import Redactor
from hydra.trading.durations import SECOND
from hydra.trading.situation import Limits

MAX_LINE_BYTES = 64 * 1024
MAX_EVENT_CHARACTERS = 128
MAX_DEPTH = 16
_SEAL_KEY = "crc"
OWN_KEYS = ("ts", "seq", "event", _SEAL_KEY)
LINE_START = b'{"ts":"'
"""How every line begins, so that a torn one can be told from what was never ours."""


class BadLine(Exception):
    """These bytes are not a line of the journal as it was written."""


def line_of(
    ts: int,
    seq: int,
    event: str,
    fields: Iterable[tuple[object, object]],
    *,
    mark: LedgerMark | None = None,
    redactor: Redactor | None = None,
) -> bytes:
    """The line with its newline: `ts` (UTC ns) as ISO 8601, `seq`, `event`, mark, fields, `crc`.

    Everything is made to fit, as a record that is less pretty is better than none: a field named
    like one of ours gets a trailing underscore, what JSON has no words for becomes a string, and
    fields that would make the line longer than 64 KiB become `oversize_bytes`, their size. The mark
    of the ledger stays even then. Raises ValueError for a time outside the years 1 to 9999.
    """
    if len(event) > MAX_EVENT_CHARACTERS or not event.isascii():
        event = _event(event, redactor)
    head: dict[str, object] = {"ts": timestamp(ts), "seq": seq, "event": event}
    if mark is not None:
        head["ledger_seq"] = mark.seq
        head["ledger_chain"] = mark.chain
    content = _with_fields(head, fields)
    line = _sealed(content)
    if len(line) > MAX_LINE_BYTES:
        content = {**head, "oversize_bytes": len(line)}
        line = _sealed(content)
    if redactor is not None and redactor.may_be_in(content, line):
        line = _redacted(content, head, redactor)
    return line


def record_in(line: bytes) -> dict[str, object]:
    """Read a line with its newline back; raises BadLine if a single bit of it has changed."""
    if len(line) > MAX_LINE_BYTES:
        raise BadLine(f"longer than {MAX_LINE_BYTES} bytes")
    if not line.endswith(b"\n"):
        raise BadLine("torn: it has no end")
    content, seal = line[:-SEAL_BYTES] + b"}", line[-SEAL_BYTES:]
    if seal != _seal(content):
        raise BadLine("its checksum does not fit")
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise BadLine(f"not JSON: {error}") from error
    if type(record) is not dict or type(record.get("seq")) is not int:
        raise BadLine("it has no seq")
    return record


def seq_of(record: dict[str, object]) -> int:
    """The sequence number of a record that `record_in` gave."""
    seq = record["seq"]
    assert isinstance(seq, int), "record_in looked at it"
    return seq


def crc_of(line: bytes) -> str:
    """The checksum that `line_of` put into a line."""
    return line[-SEAL_BYTES:][len(',"crc":"') : -len('"}\n')].decode()


def mark_in(record: Mapping[str, object]) -> LedgerMark | None:
    """The mark of the ledger in a record or a line, if it has one."""
    seq, chain = record.get("ledger_seq"), record.get("ledger_chain")
    if type(seq) is not int or not 0 <= seq < 2**63:
        return None
    if type(chain) is not str or _CHAIN.fullmatch(chain) is None:
        return None
    return LedgerMark(seq, chain)


@lru_cache(maxsize=16)
def timestamp(ts: int) -> str:
    """ISO 8601 in UTC with nanoseconds: 1970-01-01T00:00:00.000000000Z for 0."""
    seconds, nanoseconds = divmod(ts, SECOND)
    try:
        return f"{_second(seconds)}.{nanoseconds:09d}Z"
    except OverflowError as error:
        raise ValueError(f"no such time: {ts} ns") from error


def moment_of(ts: str) -> int:
    """What `timestamp` has written, in ns."""
    seconds = datetime.fromisoformat(f"{ts[:19]}+00:00").timestamp()
    return int(seconds) * SECOND + int(ts[20:29])


@lru_cache(maxsize=16)
def _second(seconds: int) -> str:
    return (_EPOCH + timedelta(seconds=seconds)).isoformat().removesuffix("+00:00")


def _event(event: str, redactor: Redactor | None) -> str:
    text = _text(event)
    if redactor is not None:
        text = redactor.text(text)  # before the cut: half a secret would not be known again
    return text[:MAX_EVENT_CHARACTERS]


def _redacted(content: dict[str, object], head: dict[str, object], redactor: Redactor) -> bytes:
    ours = {name: value for name, value in head.items() if name != "event"}
    rest = {name: value for name, value in content.items() if name not in ours}
    clean = redactor.fields(rest)
    line = _sealed({**ours, **clean})
    if len(line) > MAX_LINE_BYTES:
        line = _sealed({**ours, "event": clean["event"], "oversize_bytes": len(line)})
    return line


def _with_fields(
    head: dict[str, object], fields: Iterable[tuple[object, object]]
) -> dict[str, object]:
    line = dict(head)  # it has all keys of ours but the last
    for name, value in fields:
        key = _key(name)
        while key in line or key == _SEAL_KEY:
            key += "_"
        line[key] = _plain(value, 1)
    return line


def _sealed(line: dict[str, object]) -> bytes:
    content = orjson.dumps(line)
    return content[:-1] + _seal(content)


def _seal(content: bytes) -> bytes:
    return b',"crc":"%08x"}\n' % zlib.crc32(content)


def _plain(value: Any, depth: int) -> object:
    """The value in the words of strict JSON. Never `repr`: who knows what it would give away."""
    kind = type(value)
    if kind is str:
        return value if value.isascii() else _text(value)
    if kind is int:
        return _integer(value)
    if kind is Decimal:
        return str(value)
    if value is None or kind is bool:
        return value
    if kind is float:
        return value if math.isfinite(value) else str(value)
    if depth > MAX_DEPTH:
        return f"<deeper than {MAX_DEPTH} levels>"
    return _WRITERS[kind](value, depth + 1)


class _Writers(dict[type, Callable[[Any, int], object]]):
    """What writes values of a type, at their own depth. It takes long to find out, so only once."""

    def __missing__(self, kind: type) -> Callable[[Any, int], object]:
        self[kind] = writer = _writer_of(kind)
        return writer


def _writer_of(kind: type) -> Callable[[Any, int], object]:
    if issubclass(kind, Enum):
        return _enum
    if issubclass(kind, msgspec.Struct):
        return _LIMITS.words if kind is Limits else _struct
    if issubclass(kind, Mapping):
        return _mapping
    if issubclass(kind, (list, tuple)):
        return _list
    if issubclass(kind, (set, frozenset)):
        return _set
    return _plain_scalar


def _enum(value: Enum, depth: int) -> object:
    return _plain(value._value_, depth)  # `value.value` is a call, and takes ten times as long


def _list(value: Iterable[object], depth: int) -> list[object]:
    return [_plain(item, depth) for item in value]


def _set(value: Iterable[object], depth: int) -> list[object]:
    # Sorted, so that the same record is the same line in every process.
    return sorted((_plain(item, depth) for item in value), key=orjson.dumps)


def _plain_scalar(value: object, _depth: int) -> object:
    match value:
        case str() | Path():
            return _text(str(value))
        case int():
            return _integer(int(value))
        case float():
            return _plain(float(value), 0)
        case datetime() | date() | time():
            return value.isoformat()
        case bytes() | bytearray() | memoryview():
            return f"<{len(value)} bytes>"
        case _:
            return f"<{type(value).__name__}>"


def _struct(value: msgspec.Struct, depth: int) -> dict[str, object]:
    config = value.__struct_config__
    line: dict[str, object] = {}
    if config.tag_field is not None:
        line[config.tag_field] = config.tag
    # A judgement has a hundred fields, and to call `_plain` for each took half of the time of its
    # line. So what most of them are is written here, in the same words.
    for key, item in zip(value.__struct_encode_fields__, structs.astuple(value), strict=True):
        kind = type(item)
        if kind is Decimal:
            line[key] = str(item)
        elif item is None or (kind is int and _LEAST <= item <= _MOST) or kind is bool:
            line[key] = item
        else:
            line[key] = item if kind is str and item.isascii() else _plain(item, depth)
    return line


class _LimitsWritten:
    """A bot's limits hold for a whole run and are in the line of every judgement, so they are kept.

    They are known by which object they are: of limits that are equal one may say 1 and one 1.0.
    """

    def __init__(self) -> None:
        self._kept: dict[tuple[int, int], tuple[Limits, dict[str, object]]] = {}
        """By their identity, which is theirs as long as they are kept here, and their depth."""

    def words(self, limits: Limits, depth: int) -> dict[str, object]:
        """As `_struct` says them."""
        kept = self._kept.get((id(limits), depth))
        if kept is not None:
            return kept[1]
        words = _struct(limits, depth)
        if _is_hashable(limits):  # what is not may change
            if len(self._kept) >= _LIMITS_KEPT:
                self._kept.clear()
            self._kept[id(limits), depth] = limits, words
        return words


def _is_hashable(value: object) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True


def _mapping(value: Mapping[object, object], depth: int) -> dict[str, object]:
    line: dict[str, object] = {}
    for name, item in value.items():
        key = _key(name)
        while key in line:
            key += "_"
        line[key] = _plain(item, depth)
    return line


def _key(name: object) -> str:
    if type(name) is str and name.isascii():
        return name
    plain = _plain(name, MAX_DEPTH)
    return plain if isinstance(plain, str) else orjson.dumps(plain).decode()


def _text(text: str) -> str:
    # JSON has no half of a character (a lone surrogate); it is written out as \udxxx instead.
    return text.encode("utf-8", "backslashreplace").decode()


def _integer(value: int) -> int | str:
    # What others read as 64 bits, and a limit to how many digits Python itself will print.
    if _LEAST <= value <= _MOST:
        return value
    bits = value.bit_length()
    return str(value) if bits <= _PRINTABLE_BITS else f"<integer of {bits} bits>"


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SEAL_BYTES = len(_seal(b""))
_LEAST, _MOST = -(2**63), 2**64 - 1
_PRINTABLE_BITS = 1024
_LIMITS_KEPT = 200
_LIMITS = _LimitsWritten()
_WRITERS = _Writers()
_CHAIN = re.compile(r"[0-9a-f]{64}", re.ASCII)
