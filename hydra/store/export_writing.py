"""An export as files: CSV for any spreadsheet, JSON for programs, and all of it or nothing."""

import csv
import io
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import chain, islice
from pathlib import Path
from typing import Any, TypeVar

import orjson

from hydra.store.exporting import Cell, Export
from hydra.store.folder_lock import held_alone
from hydra.store.private_files import FILE_RIGHTS, FOLDER_RIGHTS
from hydra.store.syncing import sync_folder

FORMAT = 1
"""Of the files; a change that would break a reader makes it one more."""

STATE = "state.json"
ABOUT = "about.csv"
ROWS_AT_ONCE = 1_000
"""Are put into words together."""

E = TypeVar("E")

_END = b"\n}"


class ExportRefused(Exception):
    """Nothing was written: something is there already, or the folder cannot be made."""


def write_export(export: Export, folder: Path, *, with_csv: bool, with_json: bool) -> list[str]:
    """Write it to `folder`, which is there only once everything is in it; gives the files' names.

    Raises ExportRefused if there is anything in `folder`, FolderInUse, OSError.
    """
    _require_free(folder)
    files: dict[str, Iterator[bytes]] = {}
    if with_csv:
        files[ABOUT] = _csv_parts(("name", "value"), _about(export))
        for table in export.tables:
            files[f"{table.name}.csv"] = _csv_parts(table.columns, table.rows)
    if with_json:
        files[STATE] = _json_parts(export)
    partial = folder.with_name(f".{folder.name}.partial")
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial.mkdir(mode=FOLDER_RIGHTS, exist_ok=True)
    with held_alone(partial, "export"):
        for left in partial.iterdir():  # of one that was killed
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        for name, parts in files.items():
            _write(partial / name, parts)
        sync_folder(partial)
        _require_free(folder)
        partial.rename(folder)  # in the place of nothing, or of an empty folder
        sync_folder(folder.parent)
    return list(files)


def as_csv(columns: Iterable[str], rows: Iterable[Iterable[Cell]]) -> bytes:
    """As RFC 4180 has it, in UTF-8. Numbers stand as they are recorded; nothing is an empty cell.

    A spreadsheet would take text that begins with = + - @, or a tab or a line's end, for a formula,
    and texts come from venues too. So an apostrophe is put before it, which makes it text, and one
    before an apostrophe, so that taking one away always gives the text back. Numbers are no texts:
    a negative one stays one.
    """
    return b"".join(_csv_parts(columns, rows))


def as_csv_rows(rows: Iterable[Iterable[Cell]]) -> bytes:
    """Rows as `as_csv` writes them, for a file that has its columns already."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerows([_in_csv(cell) for cell in row] for row in rows)
    return text.getvalue().encode()


def text_in_csv(cell: str) -> str:
    """The text that `as_csv` wrote as this cell."""
    return cell.removeprefix("'")


def as_json(export: Export) -> bytes:
    """Everything, with the same names as in CSV; decimals are strings, as they are recorded."""
    return b"".join(_json_parts(export))


def _csv_parts(columns: Iterable[str], rows: Iterable[Iterable[Cell]]) -> Iterator[bytes]:
    """The file, piece by piece: of a long record it is large."""
    for part in _batches(chain([tuple(columns)], rows)):
        yield as_csv_rows(part)


def _json_parts(export: Export) -> Iterator[bytes]:
    """The same file piece by piece, as it would be written at once."""
    yield _indented(dict(_about(export))).removesuffix(_END)
    for table in export.tables:
        yield b',\n  "%s": [' % table.name.encode()
        between = b"\n"
        for part in _batches(table.rows):
            records = [dict(zip(table.columns, row, strict=True)) for row in part]
            head, end = b'{\n  "": [\n', b"\n  ]" + _END
            yield between + _indented({"": records}).removeprefix(head).removesuffix(end)
            between = b",\n"
        yield b"\n  ]" if table.rows else b"]"
    yield _END + b"\n"


def _indented(content: dict[str, Any]) -> bytes:
    return orjson.dumps(content, default=_in_json, option=orjson.OPT_INDENT_2)


def _batches(rows: Iterable[E]) -> Iterator[list[E]]:
    left = iter(rows)
    while part := list(islice(left, ROWS_AT_ONCE)):
        yield part


def _about(export: Export) -> list[tuple[str, Cell]]:
    return [
        ("format", FORMAT),
        ("schema_version", export.schema),
        ("ledger_seq", export.mark.seq),
        ("ledger_chain", export.mark.chain),
        ("state_hash", export.state_hash),
    ]


def _in_csv(cell: Cell) -> Cell:
    if type(cell) is str and _LOOKS_LIKE_A_FORMULA.match(cell) and not _NUMBER.fullmatch(cell):
        return f"'{cell}"
    return cell


def _in_json(value: object) -> str:
    assert isinstance(value, Decimal), "a cell is text, an integer, a decimal or nothing"
    return str(value)


def _require_free(folder: Path) -> None:
    if not os.path.lexists(folder):
        return
    if folder.is_symlink() or not folder.is_dir():
        found = "a file, or a link"
    elif any(folder.iterdir()):
        found = "files in it"
    else:
        return
    raise ExportRefused(
        f"{folder}: found {found}, wanted a new or an empty folder, so that nothing is mixed or"
        " overwritten; name another one"
    )


def _write(path: Path, parts: Iterable[bytes]) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_RIGHTS)
    with open(descriptor, "wb") as file:  # noqa: PTH123 (by its descriptor)
        file.writelines(parts)
        file.flush()
        os.fsync(descriptor)


_LOOKS_LIKE_A_FORMULA = re.compile("[-=+@'\t\r\n\uff0d\uff1d\uff0b\uff20]")
"""Spreadsheets in East Asian settings take the full-width signs for the same."""

_NUMBER = re.compile(r"-[0-9]+(\.[0-9]+)?", re.ASCII)
"""A text that is a negative number and nothing else means no harm as a number."""
