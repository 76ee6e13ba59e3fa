"""The journal on the disk: no line is given that was not written, whatever became of the file."""

import json
import random
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path

from hydra.ports import LedgerMark
from hydra.store.journal_files import JournalDamaged, JournalFailed
from hydra.store.journal_line import line_of
from hydra.store.journal_opening import journal_end
from hydra.store.journal_reading import Finding, everything_in, findings_in, read_journal
from tests.fuzz.spoiling import spoilt_bytes, spoilt_json, spoilt_lines
from tests.fuzz.target import Target, Verdict, require

AT = 1_795_444_267_000_000_000
SEAL = b',"crc":"'
ODD = (
    ("text", 'a\n"b"\\ \0 \u2028 é'),
    ("ts", "mine"),
    ("number", float("nan")),
    ("nested", {"a": [1, {"b": None}]}),
)
WORDS = ("ts", "seq", "event", "crc", "journal_continued", "previous", "kept_from", "ledger_seq")


def _lines(first: int, count: int, *fields: tuple[object, object]) -> bytes:
    mark = LedgerMark(7, "ab" * 16)
    return b"".join(
        line_of(AT + number, number, "Counted", fields, mark=mark if number % 3 == 0 else None)
        for number in range(first, first + count)
    )


SEEDS = (
    _lines(1, 4),
    _lines(1, 2, *ODD),
    _lines(5, 3) + b'{"ts":"2026-11-23T14:3',
    _lines(1, 2) + b"\0" * 300,
    _lines(1, 2, ("text", "x" * 70_000)),
)


HUGE = (
    lambda: b"x" * 4_000_000,
    lambda: SEEDS[0] + b'{"ts":"' + b"x" * 4_000_000,
    lambda: b"\n" * 20_000,
    lambda: SEEDS[0] + b"\0" * 2_000_000,
    lambda: SEEDS[0] + _resealed(b'{"seq":5,"a":' + b"[" * 30_000) + b"\n",
    lambda: SEEDS[0] + _resealed(b'{"a":1,"seq":' + b"9" * 60_000) + b"\n",
)


@contextmanager
def journal(folder: Path) -> Iterator[Target]:
    """The content of the live file, read strictly, read whole, and looked at as before an opening.

    A flipped bit must not be given on as a record, nor may two readers see different ones.
    """
    path = folder / "journal" / "events.jsonl"
    path.parent.mkdir(mode=0o700)

    def feed(data: bytes) -> Verdict:
        path.write_bytes(data)
        path.chmod(0o600)
        items = list(everything_in(path))
        records = [item for item in items if not isinstance(item, Finding)]
        findings = [item for item in items if isinstance(item, Finding)]
        require(findings == list(findings_in(path)), "two looks find different faults")
        _require_written(data, records)
        whole = list(takewhile(lambda item: not isinstance(item, Finding), items))
        strict: list[dict[str, object]] = []
        is_refused = False
        try:
            strict.extend(read_journal(path))
        except JournalDamaged:
            is_refused = True
        require(strict == whole, "the strict reader gave other records")
        require(is_refused is bool(findings), "the strict reader refused otherwise")
        _require_good_by_seq(records, findings)
        try:
            end = journal_end(path)
        except (JournalDamaged, JournalFailed):
            require(bool(findings), "it cannot be opened, and nothing is wrong with it")
        else:
            newest = max((_seq(record) for record in records), default=0)
            is_whole = all(each.is_left_by_a_crash for each in findings)
            require(not is_whole or end.last_seq == newest, f"its end is {end}, not {newest}")
        return Verdict.REFUSED if findings else Verdict.ACCEPTED

    yield Target(
        name="journal", feed=feed, seeds=SEEDS, spoil=_spoil, huge=HUGE, input_bytes_max=200_000
    )


def _require_written(data: bytes, records: list[dict[str, object]]) -> None:
    """Each record is a line of the file whose checksum fits, by another reckoning, in order."""
    lines = iter(data.split(b"\n"))
    for record in records:
        require(
            any(_says(line, record) for line in lines), f"no line says what {_seq(record)} does"
        )


def _says(line: bytes, record: dict[str, object]) -> bool:
    body, found, seal = line.rpartition(SEAL)
    if not (found and b"%08x" % zlib.crc32(body + b"}") == seal[:8] and seal[8:] == b'"}'):
        return False
    try:
        return bool(record == json.loads(line, parse_int=_whole_number))
    except (ValueError, RecursionError):
        return False


def _whole_number(text: str) -> float:
    """What needs more than 64 bits is read as a float; none of ours does."""
    number = int(text)
    return number if -(2**63) <= number < 2**64 else float(number)


def _require_good_by_seq(records: list[dict[str, object]], findings: list[Finding]) -> None:
    """Where nothing is wrong, each line is the next one."""
    if not findings and records:
        first = _seq(records[0])
        wanted = list(range(first, first + len(records)))
        require([_seq(record) for record in records] == wanted, "lines are missing, and it is fine")


def _seq(record: dict[str, object]) -> int:
    seq = record["seq"]
    assert isinstance(seq, int)
    return seq


def _spoil(data: bytes, dice: random.Random) -> bytes:
    match dice.randrange(6):
        case 0:
            return spoilt_bytes(data, dice)
        case 1 | 2:
            return spoilt_lines(data, dice)
        case 3:
            return data + dice.choice((data, data[: len(data) // 3], b"\0" * 40, b"\n"))
        case _:
            lines = data.split(b"\n")
            at = dice.randrange(len(lines))
            lines[at] = _resealed(spoilt_json(lines[at], dice, WORDS))
            return b"\n".join(lines)


def _resealed(line: bytes) -> bytes:
    """With a checksum that fits: a forger would make one."""
    body = line.rpartition(SEAL)[0] or line.rstrip(b"}")
    return body + SEAL + b'%08x"}' % zlib.crc32(body + b"}")
