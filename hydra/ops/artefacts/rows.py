"""The tables of a bundle: which files there are, what their columns are, and rows as CSV.

Money, prices and quantities are decimals as they are recorded; a time has two columns, ISO 8601 in
UTC and nanoseconds.
"""

import csv
import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeAlias

from hydra.store.export_writing import as_csv_rows, text_in_csv
from hydra.store.exporting import Cell
from hydra.store.journal_line import timestamp

Row: TypeAlias = tuple[Cell, ...]

ORDERS, TRADES, POSITIONS, ACCOUNT = "orders.csv", "trades.csv", "positions.csv", "account.csv"


def _columns(names: str) -> tuple[str, ...]:
    return tuple(names.split())


COLUMNS: Mapping[str, tuple[str, ...]] = {
    ORDERS: _columns(
        "decided_at decided_at_ns client_order_id venue_order_id bot symbol session signal role"
        " side quantity order_type time_in_force limit_price stop_price protective_stop"
        " reference_price intent_reason status status_reason filled_quantity average_price"
        " accepted_at accepted_at_ns over_at over_at_ns"
    ),
    TRADES: _columns(
        "bot symbol side quantity entry_price exit_price opened_at opened_at_ns closed_at"
        " closed_at_ns realised entry_reason exit_reason entry_order exit_order"
    ),
    POSITIONS: _columns(
        "at at_ns bot symbol position average_price cost_basis price unrealised realised"
    ),
    ACCOUNT: _columns("at at_ns told_by equity cash market_value unrealised realised fees"),
}
"""By file. `orders.csv` has every order, and every intent that was denied, once, when it is over;
those that are not over stand at its end. `trades.csv` has every lot that was closed. The other two
have a row for each change, at the time at which it was on record; prices in them are the newest
that the story names. While a session runs, an order's row comes when it is over."""


def header(file: str) -> bytes:
    """The first line of a table's file."""
    return as_csv_rows([COLUMNS[file]])


def as_rows(rows: Iterable[Row]) -> bytes:
    """Rows as lines of CSV."""
    return as_csv_rows(rows)


def time_cells(at: int | None) -> tuple[str | None, int | None]:
    """The two columns of a time."""
    return (None, None) if at is None else (timestamp(at), at)


def rows_in(path: Path) -> list[dict[str, str]]:
    """The whole rows of a table's file, by column; one that was torn at the end does not count."""
    rows = csv.reader(io.StringIO(_whole(path).decode(errors="replace"), newline=""))
    columns = COLUMNS[path.name]
    return [
        dict(zip(columns, map(text_in_csv, row), strict=True))
        for row in rows
        if len(row) == len(columns) and tuple(row) != columns
    ]


def _whole(path: Path) -> bytes:
    content = path.read_bytes() if path.exists() else b""
    # What was torn behind a line's end within a text lacks cells: no table's last one is a text.
    return content[: content.rfind(_END) + len(_END)] if _END in content else b""


_END = b"\r\n"
