"""A manifest: which files of bars make one market together, and by how many weeks each is moved.

```yaml
bars:
  - file: AAPL_1m_2016.csv.gz      # beside the manifest, or a path from there
    symbol: AAPL
  - file: SPY_1m_2011.csv.gz
    symbol: SPY
    shift_weeks: 275               # whole weeks, later or (under 0) earlier; 0 if it is not there
chains:                            # may be left out; then the options on each share are generated
  - file: SPY_options_eod_2021.csv.gz
    symbol: SPY
    shift_weeks: -261
```

So data of different years make one market. A coin's bars are moved by exactly so many weeks. A
share's are moved by sessions: each keeps its place in the day in New York, also where one of the
two days has daylight saving time and the other has not. That is only taken where it makes a real
market: every bar lies in a session of its exchange, and the day to which a session is moved is one
with the same opening and closing time in New York, so no holiday and no half day for a whole one.

Of the files under `chains`, end-of-day quotes of options, `moved_options` says what becomes.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import pairwise
from operator import attrgetter
from pathlib import Path

import msgspec
from msgspec import structs

from hydra.settings.strict_yaml import Document, read_document
from hydra.trading.bars import Bar
from hydra.trading.durations import MINUTE
from hydra.trading.instruments import is_crypto
from hydra.trading.local_time import in_new_york
from hydra.trading.sessions import ExchangeSession, SessionTable, utc_date
from hydra.venues.bar_files import COUNTS_AS_USD, read_bars
from hydra.venues.bar_rows import (
    BadData,
    shown,
    shown_time,
)
from hydra.venues.exchange_calendar import UnknownYear, sessions


class Entry(msgspec.Struct, frozen=True):
    """One line of a manifest; `place` says where it stands, for error messages."""

    file: Path
    symbol: str
    shift_weeks: int
    place: str

    @property
    def told(self) -> str:
        """For people: what it is, and that it was moved."""
        rate = f" ({COUNTS_AS_USD} counted as USD)" if COUNTS_AS_USD in self.file.name else ""
        if not self.shift_weeks:
            return f"{self.symbol}{rate}"
        return f"{self.symbol}{rate} SHIFTED by {self.shift_weeks:+} weeks"


class ManifestBars(msgspec.Struct, frozen=True):
    """What a manifest stands for: its entries, and all bars by end, then in the entries' order.

    `chains` are of options, and not read yet.
    """

    entries: tuple[Entry, ...]
    bars: tuple[Bar, ...]
    chains: tuple[Entry, ...] = ()

    @property
    def symbols(self) -> tuple[str, ...]:
        """Every symbol once."""
        return tuple(dict.fromkeys(entry.symbol for entry in self.entries))


def read_manifest(path: Path, cache_dir: Path | None) -> ManifestBars:
    """Read, moved and put together. Raises `BadData`, one line that says where."""
    document = read_document(path)
    _require_the_sections(path, document)
    entries = tuple(_entries(path, document, "bars"))
    chains = tuple(_entries(path, document, "chains"))
    _refuse_a_second_chain(chains)
    by_symbol: dict[str, list[Bar]] = {}
    read: list[tuple[Entry, tuple[Bar, ...]]] = []
    for entry in entries:
        bars = _moved(entry, read_bars(entry.file, entry.symbol), cache_dir)
        _refuse_another_length(entry, bars, read)
        _refuse_overlap(entry, bars, by_symbol.setdefault(entry.symbol, []))
        read.append((entry, bars))
    order = {symbol: number for number, symbol in enumerate(by_symbol)}
    together = [bar for bars in by_symbol.values() for bar in bars]
    together.sort(key=lambda bar: (bar.end_at, order[bar.symbol]))
    return ManifestBars(entries, tuple(together), chains)


def files_of_bars(path: Path) -> tuple[Path, ...]:
    """The manifest itself and the files of bars that it names, unread. Raises `BadData`."""
    document = read_document(path)
    _require_the_sections(path, document)
    return (path, *(entry.file for entry in _entries(path, document, "bars")))


def _require_the_sections(path: Path, document: Document) -> None:
    for problem in document.problems:
        line = "" if problem.line is None else f", line {problem.line}"
        key = "".join(f"{part}: " for part in problem.loc[-1:] if isinstance(part, str))
        raise BadData(f"{path}{line}: {key}{problem.message}; {_CORRECT}")
    data = document.data or {}
    lists = all(isinstance(items, list) and items for items in data.values())
    if not {"bars"} <= set(data) <= {"bars", "chains"} or not lists:
        raise BadData(
            f"{path}: found {shown(', '.join(data))} at the top; wanted a list of files under "
            f"bars, one under chains if there are any, and nothing else; {_CORRECT}"
        )


def _entries(path: Path, document: Document, section: str) -> Iterator[Entry]:
    items = (document.data or {}).get(section, ())
    assert isinstance(items, list | tuple), "the sections were looked at"
    for number, item in enumerate(items):
        place = f"{path}, line {document.line_of((section, number))}"
        yield _entry(path, place, item)


def _entry(path: Path, place: str, item: object) -> Entry:
    if not isinstance(item, dict) or not {"file", "symbol"} <= set(item) <= _KEYS:
        found = ", ".join(item) if isinstance(item, dict) else "no section"
        raise BadData(
            f"{place}: found {shown(found)}; wanted file, symbol and, if it is to be moved, "
            f"shift_weeks; {_CORRECT}"
        )
    file, symbol, weeks = item["file"], item["symbol"], item.get("shift_weeks", "0")
    if not isinstance(file, str) or not file:
        raise BadData(f"{place}: found no file's name; wanted one; {_CORRECT}")
    if not isinstance(symbol, str) or not _SYMBOL.fullmatch(symbol):
        raise BadData(
            f"{place}: found symbol {shown(str(symbol))}; "
            f"wanted a share such as AAPL or a pair such as BTC/USD; {_CORRECT}"
        )
    if not isinstance(weeks, str) or not _WEEKS.fullmatch(weeks):
        raise BadData(
            f"{place}: found shift_weeks {shown(str(weeks))}; "
            f"wanted a whole number of weeks from -9999 to 9999; {_CORRECT}"
        )
    return Entry(path.parent / file, symbol, int(weeks), place)


def _moved(entry: Entry, bars: tuple[Bar, ...], cache_dir: Path | None) -> tuple[Bar, ...]:
    if is_crypto(entry.symbol):
        by = entry.shift_weeks * _WEEK_NS
        if not 0 <= bars[0].start_at + by <= bars[-1].end_at + by <= _TIME_MAX:
            raise BadData(f"{_found(entry)} before 1970 or after 2261; {_ANOTHER_SHIFT}")
        return tuple([_later(bar, by) for bar in bars])
    return tuple(_moved_by_sessions(entry, bars, cache_dir))


def _moved_by_sessions(
    entry: Entry, bars: tuple[Bar, ...], cache_dir: Path | None
) -> Iterator[Bar]:
    first, last = utc_date(bars[0].start_at), utc_date(bars[-1].end_at)
    real = _calendar(entry, first, last, cache_dir)
    new = _calendar(entry, _new_date(entry, first), _new_date(entry, last), cache_dir)
    session: ExchangeSession | None = None
    by = 0
    for bar in bars:
        if session is None or not session.open_at <= bar.start_at < session.close_at:
            session = real.at(bar.start_at)
            if session is not None:
                by = _new_session(entry, session, new).open_at - session.open_at
        if session is None or bar.end_at > session.close_at:
            raise BadData(
                f"{entry.place}: found a bar of {entry.symbol} at {shown_time(bar.start_at)}, "
                "outside of the sessions of the exchange; wanted shares in regular hours alone; "
                "take another file"
            )
        yield _later(bar, by)


def _new_session(entry: Entry, session: ExchangeSession, new: SessionTable) -> ExchangeSession:
    """The session to which this one is moved, of the same hours in New York."""
    day = _new_date(entry, session.date)
    found = new.of_date(day)
    if found is None:
        raise BadData(
            f"{_found(entry)} from {session.date} to {day}, which is no session of the exchange; "
            f"{_ANOTHER_SHIFT}"
        )
    if _hours(found) != _hours(session):
        raise BadData(
            f"{_found(entry)} from {session.date} ({_hours(session)} in New York) to {day} "
            f"({_hours(found)}); wanted the same hours; {_ANOTHER_SHIFT}"
        )
    return found


def _new_date(entry: Entry, day: str) -> str:
    try:
        return (date.fromisoformat(day) + timedelta(weeks=entry.shift_weeks)).isoformat()
    except OverflowError:
        raise BadData(f"{_found(entry)} out of the calendar; {_ANOTHER_SHIFT}") from None


def _calendar(entry: Entry, first: str, last: str, cache_dir: Path | None) -> SessionTable:
    try:
        rows = sessions(first, last, cache_dir)
    except UnknownYear as error:
        raise BadData(f"{entry.place}: {error}; {_ANOTHER_SHIFT}") from error
    return SessionTable(tuple(ExchangeSession(*row) for row in rows))


def _hours(session: ExchangeSession) -> str:
    opens, closes = in_new_york(session.open_at), in_new_york(session.close_at)
    return f"{opens:%H:%M} to {closes:%H:%M}"


def _refuse_a_second_chain(chains: Sequence[Entry]) -> None:
    found: set[str] = set()
    for entry in chains:
        if entry.symbol in found:
            raise BadData(
                f"{entry.place}: found options on {entry.symbol} a second time; "
                f"wanted one file for each share; {_CORRECT}"
            )
        found.add(entry.symbol)


def _refuse_another_length(
    entry: Entry, bars: tuple[Bar, ...], read: Sequence[tuple[Entry, tuple[Bar, ...]]]
) -> None:
    """The engine waits for the next bar by one measure; a second length would look like silence."""
    if read and _length(bars) != _length(read[0][1]):
        raise BadData(
            f"{entry.place}: found bars of {_length(bars) // MINUTE} minutes in "
            f"{entry.file.name} and of {_length(read[0][1]) // MINUTE} in "
            f"{read[0][0].file.name}; wanted one length; take files that agree"
        )


def _refuse_overlap(entry: Entry, bars: tuple[Bar, ...], earlier: list[Bar]) -> None:
    """Adds `bars` to what there is of the symbol, if no two of them are of one time."""
    earlier.extend(bars)
    earlier.sort(key=attrgetter("start_at"))
    for one, other in pairwise(earlier):
        if one.end_at > other.start_at:
            raise BadData(
                f"{entry.place}: found bars of {entry.symbol} at {shown_time(other.start_at)} in "
                f"{entry.file.name} and in a file before it; wanted each time once; "
                f"{_ANOTHER_SHIFT}"
            )


def _found(entry: Entry) -> str:
    return f"{entry.place}: found {entry.symbol} moved by {entry.shift_weeks:+} weeks"


def _later(bar: Bar, by: int) -> Bar:
    return structs.replace(bar, start_at=bar.start_at + by, end_at=bar.end_at + by)


def _length(bars: tuple[Bar, ...]) -> int:
    return bars[0].end_at - bars[0].start_at


_CORRECT = "correct the manifest"
_ANOTHER_SHIFT = "choose another shift_weeks"
_KEYS = {"file", "symbol", "shift_weeks"}
_SYMBOL = re.compile(r"[A-Z][A-Z0-9]{0,5}(\.[A-Z]{1,3})?|[A-Z0-9]{1,10}/USD", re.ASCII)
_WEEKS = re.compile(r"-?(0|[1-9][0-9]{0,3})", re.ASCII)
_WEEK_NS = 7 * 24 * 60 * MINUTE
_TIME_MAX = 2**63 - 1 - _WEEK_NS
