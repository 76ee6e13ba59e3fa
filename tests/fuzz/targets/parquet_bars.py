"""Bars in Parquet files, apart from the others: what reads them takes a second to import."""

import contextlib
import io
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow
from pyarrow import parquet as parquet_module

from hydra.venues.bar_series import SESSIONS
from tests.fuzz.spoiling import NUMBERS, spoilt_bytes
from tests.fuzz.target import Target, Verdict
from tests.fuzz.targets.bars import ODD_FIELDS, ROWS, TIMES, read


@contextmanager
def parquet(folder: Path) -> Iterator[Target]:
    """A table of columns."""
    path = folder / "AAPL_1m.parquet"

    def feed(data: bytes) -> Verdict:
        path.write_bytes(data)
        return Verdict.REFUSED if read(path) is None else Verdict.ACCEPTED

    seeds = (_table(_columns()), _table({**_columns(), "session": list(SESSIONS[:1]) * 5}))
    yield Target(name="parquet", feed=feed, seeds=seeds, spoil=_spoilt_table)


def _columns() -> dict[str, Any]:
    names = ("open", "high", "low", "close", "volume")
    columns: dict[str, Any] = {"ts_utc": pyarrow.array(TIMES, pyarrow.timestamp("ms", "UTC"))}
    for number, name in enumerate(names):
        columns[name] = [float(row[number]) for row in ROWS]
    return columns


def _table(columns: dict[str, Any]) -> bytes:
    sink = io.BytesIO()
    parquet_module.write_table(pyarrow.table(columns), sink, compression="none")
    return sink.getvalue()


COLUMNS_MADE: tuple[Callable[[random.Random], Any], ...] = (
    lambda dice: pyarrow.array([dice.choice(NUMBERS) or 1.0 for _ in range(5)], from_pandas=False),
    lambda dice: [None, 1.0, 2.0, 3.0, 4.0],
    lambda dice: [f"{at:%Y-%m-%dT%H:%M:%SZ}" for at in TIMES],
    lambda dice: [dice.choice(ODD_FIELDS) for _ in range(5)],
    lambda dice: pyarrow.array([2**62, 1, 2, 3, -(2**62)], pyarrow.timestamp("s", "UTC")),
    lambda dice: pyarrow.array(TIMES, pyarrow.timestamp("us")),
    lambda dice: pyarrow.array(range(5), pyarrow.timestamp("ns", "Europe/Nowhere")),
    lambda dice: pyarrow.array([1.5, 2, 3, 4, 5], pyarrow.float32()),
    lambda dice: pyarrow.array([1, 2, 3, 4, 5], pyarrow.decimal128(38, 2)),
    lambda dice: pyarrow.array([10**40] * 5, pyarrow.decimal256(60, 3)),
    lambda dice: pyarrow.array([2**64 - 1] * 5, pyarrow.uint64()),
    lambda dice: pyarrow.array(["a", "b", "a", "b", "a"]).dictionary_encode(),
    lambda dice: [[1.0]] * 5,
    lambda dice: [{"a": 1}] * 5,
    lambda dice: [True, False, True, False, True],
    lambda dice: [b"\xff"] * 5,
    lambda dice: pyarrow.nulls(5),
)


def _spoilt_table(data: bytes, dice: random.Random) -> bytes:
    if dice.random() < 0.4:
        return spoilt_bytes(data, dice)
    columns: dict[str, Any] = _columns()
    for _ in range(dice.choice((1, 1, 2))):
        name = dice.choice([*columns, "session", "other"])
        with contextlib.suppress(pyarrow.ArrowException, OverflowError, TypeError):
            columns[name] = pyarrow.array(dice.choice(COLUMNS_MADE)(dice))
    if dice.random() < 0.2:
        del columns[dice.choice(list(columns))]
    with contextlib.suppress(pyarrow.ArrowException, OverflowError, TypeError, ValueError):
        return _table(columns)
    return data
