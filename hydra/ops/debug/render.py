"""How answers look: tables and trees on a terminal, as aligned text where there is none."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

import msgspec

Row: TypeAlias = Mapping[str, Any]

FOLDED_MIN = 24
"""Characters that a column which may take several lines should have."""


class Column(msgspec.Struct, frozen=True):
    """One column of a table. `form` is how its values are written; numbers stand to the right."""

    title: str
    key: str
    form: Literal["text", "count", "ms", "yes"] = "text"
    may_go: bool = False
    """Whether it is left out, the last one first, where the terminal is too narrow."""
    folds: bool = False
    """Whether it may take several lines: what people wrote, and errors."""


def text(title: str, key: str, *, may_go: bool = False, folds: bool = False) -> Column:
    """A column of words."""
    return Column(title, key, may_go=may_go, folds=folds)


def number(title: str, key: str, *, may_go: bool = False) -> Column:
    """A column of numbers."""
    return Column(title, key, "count", may_go)


def span(title: str, key: str, *, may_go: bool = False) -> Column:
    """A column of durations, told in milliseconds."""
    return Column(title, key, "ms", may_go)


def yes(title: str, key: str, *, may_go: bool = False) -> Column:
    """A column that says yes, or nothing."""
    return Column(title, key, "yes", may_go)


def duration(milliseconds: float | None) -> str:
    """In the unit that a person would choose: `250 µs`, `12 ms`, `3.4 s`, `2 min`, `5 h`."""
    if milliseconds is None:
        return "–"
    size = abs(milliseconds)
    if size < 0.0005:
        return "0"
    for below, unit, factor in _UNITS:
        if size < below:
            value = milliseconds * factor
            return f"{value:.0f} {unit}" if abs(value) >= 9.95 else f"{value:.2g} {unit}"
    return f"{milliseconds / 86_400_000:.1f} d"


_UNITS = (
    (0.9995, "µs", 1_000.0),
    (999.5, "ms", 1.0),
    (99_500.0, "s", 1 / 1_000),
    (5_970_000.0, "min", 1 / 60_000),
    (172_800_000.0, "h", 1 / 3_600_000),
)


def written(value: Any, form: str) -> str:
    """A value as text, safe for a terminal."""
    if value is None:
        return "–"
    if form == "ms":
        return duration(value)
    if form == "yes":
        return "yes" if value else ""
    if form == "count":
        return f"{value:,}"
    return clean(str(value))


def cell(row: Row, column: Column) -> str:
    """One value of a row as text. What hangs says so instead of that it runs."""
    if column.key == "status" and row.get("hangs"):
        return "HANGS"
    return written(row.get(column.key), column.form)


def clean(text: str) -> str:
    """The text in one line and without anything that a terminal would obey."""
    return "".join(c if c.isprintable() else " " if c in "\n\t" else "�" for c in text)


def has_terminal() -> bool:
    """Whether somebody looks, rather than a file or another program."""
    return sys.stdout.isatty()


def write(line: str = "") -> None:
    """One line of output."""
    sys.stdout.write(f"{line}\n")


def show_table(columns: Sequence[Column], rows: Sequence[Row], *, nothing: str) -> None:
    """The rows in columns. `nothing`: what to say if there are none."""
    if not rows:
        write(nothing)
        return
    if not has_terminal():
        for line in aligned(columns, [[cell(row, each) for each in columns] for row in rows]):
            write(line)
        return
    # Here and below: rich takes 50 ms to load, which a script that wants text need not wait for.
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    fitting, all_fit = _fitting(columns, rows, console.width)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in fitting:
        table.add_column(
            column.title,
            justify="right" if column.form in ("count", "ms") else "left",
            no_wrap=all_fit and not column.folds,
            overflow="fold",
        )
    for row in rows:
        table.add_row(*(Text(cell(row, column)) for column in fitting), style=style_of(row))
    console.print(table)
    if gone := [column.title for column in columns if column not in fitting]:
        write(f"left out: {', '.join(gone)}; a wider window or --json has them")


def _fitting(
    columns: Sequence[Column], rows: Sequence[Row], width: int
) -> tuple[list[Column], bool]:
    """The columns for which there is room, and whether there is room even for those that stay."""
    kept = list(columns)
    wanted = [max(len(each.title), *(_room_for(row, each) for row in rows)) + 2 for each in kept]
    for place in reversed(range(len(columns))):
        if sum(wanted) - 2 > width and columns[place].may_go:
            del kept[place], wanted[place]
    return kept, sum(wanted) - 2 <= width


def _room_for(row: Row, column: Column) -> int:
    length = len(cell(row, column))
    return min(length, FOLDED_MIN) if column.folds else length


def aligned(columns: Sequence[Column], cells: Sequence[Sequence[str]]) -> Iterable[str]:
    """The lines of a table of plain text: never cut, so that a program finds what it looks for."""
    titles = [column.title for column in columns]
    widths = [max(map(len, texts)) for texts in zip(titles, *cells, strict=True)]
    for texts in (titles, *cells):
        padded = [
            text.rjust(width) if column.form in ("count", "ms") else text.ljust(width)
            for text, width, column in zip(texts, widths, columns, strict=True)
        ]
        yield "  ".join(padded).rstrip()


def style_of(row: Row) -> str:
    """Red for what hangs or failed, yellow for what somebody should look at."""
    status = row.get("status")
    if row.get("hangs") or status in ("failed", "quarantined"):
        return "bold red"
    if status in ("suspended", "backoff", "starting", "stopping"):
        return "yellow"
    return ""


def show_facts(facts: Iterable[tuple[str, Any]]) -> None:
    """Names and values, one below the other."""
    pairs = [(name, value) for name, value in facts if value is not None]
    width = max((len(name) for name, _ in pairs), default=0)
    for name, value in pairs:
        write(f"{name.ljust(width)}  {clean(str(value))}")


def show_tree(rows: Sequence[Row]) -> None:
    """Actors as a tree; without a terminal indented by two blanks a level."""
    if not has_terminal():
        for row in rows:
            write(f"{'  ' * row['level']}{_name(row)}  {vitals(row)}")
        return
    from rich.console import Console
    from rich.text import Text
    from rich.tree import Tree

    branches: list[Tree] = []
    for row in rows:
        label = Text(_name(row), style=style_of(row) or "bold").append(
            f"  {vitals(row)}", style=style_of(row) or "default"
        )
        level = row["level"]
        branch = Tree(label) if level == 0 else branches[level - 1].add(label)
        branches[level:] = [branch]
    if branches:
        Console().print(branches[0], no_wrap=True, overflow="ellipsis")


def _name(row: Row) -> str:
    path = str(row["path"])
    return clean(path if row["level"] == 0 else path.rpartition("/")[2])


def vitals(row: Row) -> str:
    """What is worth saying about an actor, and nothing of what is as it should be."""
    said = [clean(str(row["status"]))]
    if row["incarnation"] > 1:
        said.append(f"incarnation {row['incarnation']}")
    if row["depth"]:
        said.append(f"{row['depth']:,} waiting")
    if row["control_depth"]:
        said.append(f"{row['control_depth']:,} waiting in the control lane")
    if row["oldest_ms"] >= 1:
        said.append(f"oldest {duration(row['oldest_ms'])}")
    if row["busy_ms"] >= 1:
        said.append(f"{'HANGS' if row['hangs'] else 'busy'} for {duration(row['busy_ms'])}")
    if row["restarts"]:
        said.append(f"{row['restarts']} restarts")
    if row["failures"]:
        said.append(f"{row['failures']} failures")
    if row["rejected"]:
        said.append(f"{row['rejected']:,} rejected")
    return ", ".join(said)
