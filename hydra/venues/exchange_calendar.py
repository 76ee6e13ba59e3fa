"""The exchange's sessions, from exchange-calendars, cached because that takes a second to import.

The library brings pandas, which must stay off the path of a start. So the sessions of one year are
computed once and kept in a small file that names the library's version; what cannot be read or
does not fit is computed anew.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import TypeAlias

import msgspec

CALENDAR = "XNYS"

SessionRow: TypeAlias = tuple[str, int, int, bool]
"""ISO date, open and close (UTC ns), early close."""


class UnknownYear(ValueError):
    """The calendar does not reach as far as asked; what it does not know must count as closed."""


def sessions(first: str, last: str, cache_dir: Path | None) -> tuple[SessionRow, ...]:
    """The sessions with dates from `first` to `last` (ISO, both included), in order.

    `cache_dir` is created if need be; None computes each time. Raises `UnknownYear`.
    """
    years = range(date.fromisoformat(first).year, date.fromisoformat(last).year + 1)
    rows = (row for year in years for row in _year(year, cache_dir))
    return tuple(row for row in rows if first <= row[0] <= last)


def _year(year: int, cache_dir: Path | None) -> tuple[SessionRow, ...]:
    if cache_dir is None:
        return tuple(_computed(year))
    file = cache_dir / f"{CALENDAR}-{year}-{version('exchange_calendars')}.json"
    cached = _read(file, year)
    if cached is not None:
        return cached
    rows = tuple(_computed(year))
    _write(file, rows)
    return rows


def _read(file: Path, year: int) -> tuple[SessionRow, ...] | None:
    """What the file holds, or None if that is not a year's sessions."""
    try:
        rows = msgspec.json.decode(file.read_bytes(), type=tuple[SessionRow, ...])
    except (OSError, msgspec.MsgspecError):
        return None
    fits = all(row[0].startswith(f"{year:04d}-") and row[1] < row[2] for row in rows) and all(
        earlier[0] < later[0] for earlier, later in pairwise(rows)
    )
    return rows if fits and len(rows) > 200 else None


def _write(file: Path, rows: tuple[SessionRow, ...]) -> None:
    """Whole or not at all. A cache that cannot be written costs a second at the next start."""
    partial = file.with_suffix(f".{os.getpid()}.part")
    try:
        for folder in reversed((file.parent, *file.parent.parents)):
            if not folder.exists():  # `parents=True` would give the outer ones other rights
                folder.mkdir(mode=0o700)
        partial.touch(mode=0o600)  # whatever the umask
        partial.write_bytes(msgspec.json.encode(rows))
        partial.replace(file)
    except OSError:
        with suppress(OSError):
            partial.unlink()


def _computed(year: int) -> Iterator[SessionRow]:
    import exchange_calendars  # a second and pandas: only when nothing is cached

    try:
        calendar = exchange_calendars.get_calendar(
            CALENDAR, start=f"{year}-01-01", end=f"{year}-12-31"
        )
    except ValueError as error:
        raise UnknownYear(f"the {CALENDAR} calendar does not know {year}: {error}") from error
    early = {stamp.date().isoformat() for stamp in calendar.early_closes}
    for session, row in calendar.schedule.iterrows():
        day = session.date().isoformat()
        yield (day, int(row["open"].value), int(row["close"].value), day in early)
