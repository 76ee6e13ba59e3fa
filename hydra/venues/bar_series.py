"""One symbol's rows, wherever they are from: checked by themselves and as a series, made bars."""

from collections import Counter
from collections.abc import Callable, Iterable
from itertools import compress, islice, repeat
from operator import lt, sub

from hydra.trading.bar_checks import are_sound, fault_in
from hydra.trading.bars import Bar
from hydra.trading.durations import DAY, MINUTE
from hydra.venues.bar_rows import AGAIN, CORRECT, BadData, Columns, Row, shown, shown_time

SESSIONS = ("pre", "regular", "post")
REGULAR_ONLY = ("regular",)


class Series:
    """Sound rows of one symbol in the order of time, on a grid of `interval` ns.

    `place` and `unit` say where they are from, for error messages. `columns` are None where they
    could not be read at once; `rows` are the same one by one. Raises `BadData`.
    """

    def __init__(
        self,
        place: str,
        unit: str,
        columns: Columns | None,
        rows: Callable[[], Iterable[Row]],
    ) -> None:
        self._place = place
        self._unit = unit
        if columns is None or not _are_sound(columns):
            columns = _transposed(_in_order(place, unit, rows()))
        self._columns = columns
        self.interval = _interval_of(place, unit, columns)

    def bars(self, symbol: str, sessions: tuple[str, ...] = SESSIONS) -> tuple[Bar, ...]:
        """The rows of these sessions, and those without a session, as bars of this symbol."""
        rows = self._columns
        starts = rows.starts
        numbers = [rows.opens, rows.highs, rows.lows, rows.closes, rows.volumes]
        if rows.sessions is not None:
            kept = [session in sessions for session in rows.sessions]
            starts = list(compress(starts, kept))
            numbers = [list(compress(column, kept)) for column in numbers]
        if not starts:
            raise BadData(
                f"{self._place}: found no rows of session {' or '.join(sessions)}; wanted some; "
                "take another file or other sessions"
            )
        ends = [start_at + self.interval for start_at in starts]
        return tuple(map(Bar, repeat(symbol), starts, ends, *numbers))


def _are_sound(columns: Columns) -> bool:
    """Whether `_in_order` would find nothing: the same checks at a fraction of the time."""
    starts = columns.starts
    return (
        len(starts) > 0
        and all(map(lt, starts, islice(starts, 1, None)))
        and not any(start_at % MINUTE for start_at in starts)
        and (columns.sessions is None or set(columns.sessions) <= set(SESSIONS))
        and are_sound(columns.opens, columns.highs, columns.lows, columns.closes, columns.volumes)
    )


def _in_order(place: str, unit: str, rows: Iterable[Row]) -> list[Row]:
    """All rows, each checked by itself and against the one before it."""
    checked: list[Row] = []
    before = _BEFORE_ALL_TIME
    for row in rows:
        number, start_at, open_price, high, low, close, volume, session = row
        fault = fault_in(open_price, high, low, close, volume)
        if fault is not None:
            raise BadData(f"{place}, {unit} {number}: {fault}; {CORRECT}")
        if session is not None and session not in SESSIONS:
            raise BadData(
                f"{place}, {unit} {number}: found session {shown(session)}; "
                f"wanted {', '.join(SESSIONS)}; {CORRECT}"
            )
        if start_at % MINUTE:
            raise BadData(
                f"{place}, {unit} {number}: found ts_utc {shown_time(start_at)}; "
                f"wanted a whole minute; {CORRECT}"
            )
        if start_at <= before:
            raise _not_rising(place, unit, row, checked[-1])
        before = start_at
        checked.append(row)
    if not checked:
        raise BadData(f"{place}: found a header and no rows; wanted rows; {AGAIN}")
    return checked


def _transposed(rows: list[Row]) -> Columns:
    numbers, starts, opens, highs, lows, closes, volumes, sessions = map(
        list, zip(*rows, strict=True)
    )
    return Columns(
        numbers=numbers,
        starts=starts,
        opens=opens,
        highs=highs,
        lows=lows,
        closes=closes,
        volumes=volumes,
        sessions=None if sessions[0] is None else sessions,
    )


def _not_rising(place: str, unit: str, row: Row, before: Row) -> BadData:
    time, time_before = shown_time(row[1]), shown_time(before[1])
    if row[1] == before[1]:
        return BadData(
            f"{place}, {unit} {row[0]}: found ts_utc {time} again, as in {unit} {before[0]}; "
            "wanted each time once; remove the wrong one"
        )
    return BadData(
        f"{place}, {unit} {row[0]}: found ts_utc {time}, a step back from {time_before}; "
        "wanted rising times; take a file that is in order, or find out why this one is not"
    )


def _interval_of(place: str, unit: str, rows: Columns) -> int:
    """The length of the bars: the most frequent step between rows, and the smallest of several.

    Rows may be missing, but none may lie between two places of that grid.
    """
    starts = rows.starts
    steps = Counter(map(sub, starts[1:], starts))
    if not steps:
        raise BadData(
            f"{place}: found one row; wanted two or more, to know the length of a bar; {AGAIN}"
        )
    interval: int = max(steps, key=lambda step: (steps[step], -step))
    if interval > _INTERVAL_MAX:
        raise BadData(
            f"{place}: found bars of {interval // MINUTE} minutes; "
            f"wanted 1 to {_INTERVAL_MAX // MINUTE}, the most frequent step between rows; "
            "take a file without so many holes"
        )
    offsets = Counter(start_at % interval for start_at in starts)
    usual = max(offsets, key=lambda offset: (offsets[offset], -offset))
    if len(offsets) > 1:
        number, start_at = next(
            (number, start_at)
            for number, start_at in zip(rows.numbers, starts, strict=True)
            if start_at % interval != usual
        )
        raise BadData(
            f"{place}, {unit} {number}: found ts_utc {shown_time(start_at)}, "
            f"which is not on the grid of {interval // MINUTE} minutes that the other rows "
            f"are on; wanted whole intervals; {CORRECT}"
        )
    return interval


_BEFORE_ALL_TIME = -(2**63)
_INTERVAL_MAX = DAY
