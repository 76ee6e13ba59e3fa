"""Journals made for tests, and what is in them."""

from decimal import Decimal
from pathlib import Path

from hydra.store.journal import JournalFile
from hydra.store.journal_files import files_of
from hydra.store.journal_reading import read_journal
from tests.store.orders import AT

SMALL = 900
"""A file of eight lines; a few less where one is a link."""


def record(number: int) -> dict[str, object]:
    return {"ts": AT + number, "event": "Counted", "number": number, "price": Decimal("187.30")}


def write(path: Path, *records: dict[str, object], file_bytes_max: int = 2**26) -> None:
    journal = JournalFile.open(path, at=AT, file_bytes_max=file_bytes_max)
    for each in records:
        journal.append(each)
    journal.close()


def write_numbers(path: Path, count: int, file_bytes_max: int = SMALL) -> None:
    """`count` records, in files of a few lines."""
    write(path, *(record(number) for number in range(1, count + 1)), file_bytes_max=file_bytes_max)


def new_file(path: Path, content: bytes) -> Path:
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.touch(mode=0o600)
    path.write_bytes(content)
    return path


def numbers_in(path: Path) -> list[object]:
    """Those of the records that `record` made."""
    return [each["number"] for each in read_journal(path) if "number" in each]


def events_in(path: Path) -> list[tuple[object, object]]:
    return [(each["seq"], each["event"]) for each in read_journal(path)]


def contents_of(path: Path) -> dict[Path, bytes]:
    """Every file of the journal, in order."""
    return {file: file.read_bytes() for file in files_of(path)}


def lay_out(contents: dict[Path, bytes]) -> None:
    """Exactly these files, and no other in their folder."""
    (folder,) = {file.parent for file in contents}
    for file in folder.iterdir():
        file.unlink()
    for file, content in contents.items():
        new_file(file, content)


def lines_in(path: Path) -> list[tuple[bytes, dict[str, object]]]:
    """Every line of the journal with its record."""
    lines = [
        line for content in contents_of(path).values() for line in content.splitlines(keepends=True)
    ]
    return list(zip(lines, read_journal(path), strict=True))
