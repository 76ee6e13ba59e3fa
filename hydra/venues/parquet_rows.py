"""The rows of a Parquet file of bars. The library for it is an extra and imported on first use."""

from pathlib import Path
from typing import Any

from hydra.venues.bar_rows import (
    COLUMNS,
    SESSION_COLUMN,
    BadData,
    Columns,
    shown,
    start_of,
    wanted_columns,
)
from hydra.venues.one_line import one_line


def parquet_columns(path: Path) -> Columns:
    """Every row, numbered from 1; only types and missing values are checked here.

    `ts_utc` is a timestamp with a time zone, or text as in a CSV file. Raises `BadData`.
    """
    table = _table(path)
    try:
        return _columns_of(path, table)
    except UnicodeDecodeError as error:
        raise BadData(
            f"{path}: found text that is not UTF-8 ({error.reason}); wanted UTF-8; "
            "write the file again from its source"
        ) from error


def _columns_of(path: Path, table: Any) -> Columns:
    names = table.column_names
    if not set(COLUMNS) <= set(names) <= {*COLUMNS, SESSION_COLUMN} or len(names) != len(
        set(names)
    ):
        raise BadData(
            f"{path}: found columns {shown(','.join(names))}; wanted {wanted_columns()}; "
            "rename or drop columns"
        )
    starts = _starts(path, table.column(COLUMNS[0]))
    opens, highs, lows, closes, volumes = (
        _numbers(path, name, table.column(name)) for name in COLUMNS[1:]
    )
    sessions = None
    if SESSION_COLUMN in names:
        sessions = _texts(path, SESSION_COLUMN, table.column(SESSION_COLUMN))
    return Columns(
        numbers=range(1, len(starts) + 1),
        starts=starts,
        opens=opens,
        highs=highs,
        lows=lows,
        closes=closes,
        volumes=volumes,
        sessions=sessions,
    )


def _table(path: Path) -> Any:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise BadData(
            f"{path}: found no pyarrow to read Parquet with; wanted it installed; "
            'run pip install "hydra-trader[parquet]"'
        ) from error
    # An open file and not its path, which could be taken for a data set with partitions.
    with path.open("rb") as file:
        try:
            return pyarrow.parquet.read_table(file)
        except (pyarrow.ArrowException, OSError) as error:
            raise BadData(
                f"{path}: found damaged Parquet data ({one_line(error)}); "
                "wanted a whole file; fetch or write it again"
            ) from error


def _starts(path: Path, column: Any) -> list[int]:
    """The time stamps in nanoseconds, from timestamps with a zone or from texts."""
    import pyarrow

    kind = column.type
    if not pyarrow.types.is_timestamp(kind):
        midnights: dict[str, int] = {}
        return [
            _start(path, row, text, midnights)
            for row, text in enumerate(_texts(path, COLUMNS[0], column), start=1)
        ]
    if kind.tz is None:
        raise BadData(
            f"{path}: found ts_utc without a time zone; wanted timestamps in UTC; "
            "write the column with its zone"
        )
    _refuse_missing(path, COLUMNS[0], column)
    try:
        nanoseconds = column.cast(pyarrow.timestamp("ns", "UTC")).cast(pyarrow.int64())
    except pyarrow.ArrowInvalid as error:
        raise BadData(
            f"{path}: found ts_utc beyond what nanoseconds can hold; "
            "wanted years from 1970 to 2261; correct the column"
        ) from error
    starts: list[int] = nanoseconds.to_pylist()
    return starts


def _start(path: Path, row: int, text: str, midnights: dict[str, int]) -> int:
    try:
        return start_of(text, midnights)
    except ValueError as fault:
        raise BadData(f"{path}, row {row}: {fault}; correct the row") from None


def _numbers(path: Path, name: str, column: Any) -> list[float]:
    import pyarrow

    kind = column.type
    types = pyarrow.types
    # A single-precision price is not the number that was written: 112.11 becomes 112.1100006.
    if not (types.is_float64(kind) or types.is_integer(kind) or types.is_decimal(kind)):
        raise BadData(
            f"{path}: found {name} of type {kind}; wanted double, decimal or integer numbers; "
            "write the column again from its source"
        )
    _refuse_missing(path, name, column)
    return [float(value) for value in column.to_pylist()]


def _texts(path: Path, name: str, column: Any) -> list[str]:
    import pyarrow

    kind, types = column.type, pyarrow.types
    if types.is_dictionary(kind):
        kind = kind.value_type
    if not (types.is_string(kind) or types.is_large_string(kind)):
        raise BadData(
            f"{path}: found {name} of type {kind}; wanted text"
            f"{' or timestamps in UTC' if name == COLUMNS[0] else ''}; write the column again"
        )
    _refuse_missing(path, name, column)
    texts: list[str] = column.to_pylist()
    return texts


def _refuse_missing(path: Path, name: str, column: Any) -> None:
    if column.null_count:
        row = column.is_null().to_pylist().index(True) + 1
        raise BadData(f"{path}, row {row}: found no {name}; wanted a value; correct the row")
