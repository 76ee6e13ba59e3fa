"""How the rows are shown: a table on a terminal, aligned text elsewhere, JSON for programs."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TextIO

import msgspec

from hydra.ops.bench.rows import Measurement, Row

HEADINGS = ("", "what", "value", "unit", "bar", "bound", "bound's value", "ratio", "aim")
RIGHT = (2, 6, 7)
"""The columns that are numbers."""


def json_of(rows: Sequence[Row]) -> str:
    """A list of objects, one a row."""
    return msgspec.json.format(msgspec.json.encode(list(rows)), indent=2).decode()


def write_text(rows: Sequence[Row], aims: dict[str, str], out: TextIO) -> None:
    """A line a row, in columns."""
    table = [HEADINGS, *(_cells(row, aims) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for cells in table:
        padded = (
            cell.rjust(width) if index in RIGHT else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        out.write("  ".join(padded).rstrip() + "\n")


def write_table(rows: Sequence[Row], aims: dict[str, str], out: TextIO) -> None:
    """The same for a terminal."""
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table

    table = Table(*HEADINGS, box=SIMPLE, padding=(0, 1, 0, 0))
    table.columns[HEADINGS.index("what")].no_wrap = True
    for index in RIGHT:
        table.columns[index].justify = "right"
        table.columns[index].no_wrap = True
    for row in rows:
        style = None if row.passed else "bold red"
        table.add_row(*_cells(row, aims), style=style)
    Console(file=out).print(table)


def explanations(measurements: Iterable[Measurement]) -> Iterator[str]:
    """What each figure counts, a paragraph a figure."""
    for measurement in measurements:
        for figure in measurement.figures:
            bar = f"; bar: {figure.bar}" if str(figure.bar) else ""
            yield (
                f"{figure.name} ({figure.unit}, measured by --only {measurement.name})\n"
                f"    {figure.what}\n    beside: {figure.bound}{bar}"
            )


def _cells(row: Row, aims: dict[str, str]) -> tuple[str, ...]:
    verdict = "FAIL" if not row.passed else "ok" if row.bar else ""
    return (
        verdict,
        row.name,
        number_text(row.value),
        row.unit,
        row.bar,
        row.bound,
        number_text(row.bound_value),
        number_text(row.ratio),
        aims.get(row.name, ""),
    )


def number_text(value: float | None) -> str:
    """Three digits that matter, never an exponent; a dash for nothing."""
    if value is None:
        return "-"
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}"
    digits = 2 - _magnitude(value)
    return f"{value:.{min(digits, 9)}f}"


def _magnitude(value: float) -> int:
    """The power of ten of the first digit that is not zero."""
    return int(f"{value:e}".partition("e")[2])
