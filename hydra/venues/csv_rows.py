"""The rows of a CSV file of bars, gzipped or not; only shape and types are checked here."""

import csv
import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path

from hydra.venues.bar_rows import (
    AGAIN,
    COLUMNS,
    CORRECT,
    SESSION_COLUMN,
    BadData,
    Columns,
    Row,
    in_blocks,
    shown,
    start_of,
    starts_of,
    wanted_columns,
)


def csv_columns(text: str) -> Columns | None:
    """Every row, if all are of the usual form; None: `csv_rows` reads them or says what is wrong.

    The same as `csv_rows` gives, in half the time.
    """
    if '"' in text:  # a quoted field may have several lines, and a row another number than its line
        return None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    width = len(next(reader))
    midnights: dict[str, int] = {}
    starts: list[int] = []
    numbers: tuple[list[float], ...] = ([], [], [], [], [])
    sessions: list[str] = []
    try:
        for block in in_blocks(reader):
            times, *texts = zip(*block, strict=True)
            if len(texts) != width - 1:
                return None
            starts += starts_of(times, midnights)
            for column, of_block in zip(numbers, texts, strict=False):
                column.extend(map(float, of_block))
            if width > len(COLUMNS):
                sessions += texts[-1]
    except (csv.Error, ValueError):
        return None
    opens, highs, lows, closes, volumes = numbers
    return Columns(
        numbers=range(2, len(starts) + 2),
        starts=starts,
        opens=opens,
        highs=highs,
        lows=lows,
        closes=closes,
        volumes=volumes,
        sessions=sessions or None,
    )


def csv_rows(path: Path, text: str) -> Iterator[Row]:
    """Every row, numbered by its line. Raises `BadData` at the first that cannot be read."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    midnights: dict[str, int] = {}
    try:
        width = len(next(reader))
        for fields in reader:
            if len(fields) != width:
                raise _bad_width(path, reader.line_num, fields, width)
            try:
                start_at = start_of(fields[0], midnights)
            except ValueError as fault:
                raise _bad_line(path, reader.line_num, str(fault)) from None
            try:
                open_price, high, low, close, volume = map(float, fields[1:6])
            except ValueError:
                raise _bad_line(path, reader.line_num, _fault_in_numbers(fields)) from None
            session = fields[6] if width > len(COLUMNS) else None
            yield reader.line_num, start_at, open_price, high, low, close, volume, session
    except csv.Error as error:
        raise _not_csv(path, reader.line_num, error) from error


def csv_text(path: Path) -> str:
    """The whole file as text, without a byte order mark; its header is the right one.

    Raises `BadData`, and `OSError` of a file that cannot be read.
    """
    text = _text_of(path)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, [])
    except csv.Error as error:
        raise _not_csv(path, reader.line_num, error) from error
    _check_header(path, header)
    _refuse_strange_characters(path, text)
    return text


def _text_of(path: Path) -> str:
    data = path.read_bytes()
    if path.name.endswith(".csv.gz"):
        data = _unzipped(path, data)
    elif not path.name.endswith(".csv"):
        raise BadData(
            f"{path}: found a file of another kind; wanted .csv, .csv.gz or .parquet; "
            "convert or rename it"
        )
    if not data.strip():
        raise BadData(f"{path}: found an empty file; wanted a header and rows; {AGAIN}")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BadData(
            f"{path}, line {line}: found byte 0x{data[error.start]:02x}, which is not UTF-8; "
            f"wanted UTF-8 text; {AGAIN}"
        ) from None
    return text.removeprefix("\ufeff")


def _unzipped(path: Path, data: bytes) -> bytes:
    try:
        return gzip.decompress(data)
    except EOFError:
        fault = "gzip data that is cut off"
    except (zlib.error, gzip.BadGzipFile):
        fault = "damaged gzip data"
    raise BadData(f"{path}: found {fault}; wanted a whole gzip file; {AGAIN}")


def _refuse_strange_characters(path: Path, text: str) -> None:
    """Python reads "1_000" and the digits of every script as numbers; no bar file means them.

    Looked for at once, because a closer look at each field would take longer than reading it.
    """
    without_underscore = text.replace(COLUMNS[0], "", 1)
    if not without_underscore.encode().translate(None, _PLAIN):
        return
    plain = _PLAIN.decode()
    number, character = next(
        (number, character)
        for number, line in enumerate(without_underscore.split("\n"), start=1)
        for character in line
        if character not in plain
    )
    raise _bad_line(
        path, number, f"found the character {character!a}; wanted plain numbers, times and words"
    )


def _check_header(path: Path, header: list[str]) -> None:
    if tuple(header) not in (COLUMNS, (*COLUMNS, SESSION_COLUMN)):
        raise BadData(
            f"{path}, line 1: found columns {shown(','.join(header))}; "
            f"wanted {wanted_columns()}; rename or reorder the columns"
        )


def _bad_width(path: Path, line: int, fields: list[str], width: int) -> BadData:
    if not fields:
        return _bad_line(path, line, f"found an empty line; wanted {width} fields")
    return _bad_line(path, line, f"found {len(fields)} fields; wanted {width}")


def _fault_in_numbers(fields: list[str]) -> str:
    for name, text in zip(COLUMNS[1:], fields[1:], strict=False):
        try:
            float(text)
        except ValueError:
            return f"found {name} {shown(text)}; wanted a number"
    raise AssertionError("asked for a fault in numbers that have none")


def _bad_line(path: Path, line: int, fault: str) -> BadData:
    return BadData(f"{path}, line {line}: {fault}; {CORRECT}")


def _not_csv(path: Path, line: int, error: csv.Error) -> BadData:
    fault = f"found a line that is not CSV ({error}); wanted plain fields"
    return _bad_line(path, line, fault)


_PLAIN = b'0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz.,:+- "\r\n'
