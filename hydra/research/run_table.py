"""The results of parameter runs: as a table for people, and as files for programs.

What differs from run to run of the same command, how long each took, is on the screen alone: the
files of the same runs are the same to the byte.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from hydra.ops.artefacts.folder import replace
from hydra.ops.debug import render
from hydra.research.overrides import Grid
from hydra.research.runs import OK, Run, RunResult
from hydra.store.export_writing import as_csv_rows

if TYPE_CHECKING:
    from hydra.store.exporting import Cell

CSV, JSON = "runs.csv", "runs.json"

SORTABLE = (
    "number",
    "trades",
    "realised",
    "fees",
    "final_equity",
    "max_drawdown_pct",
    "orders",
    "denials",
    "seconds",
)
"""What `--sort` takes, with a minus before it for the greatest first."""

_FIGURES = tuple(name for name in SORTABLE if name not in ("number", "seconds"))
_TENTHS = 10


class BadSort(ValueError):
    """There is nothing of that name to sort by. The message is one line."""


def sorted_runs(runs: Sequence[Run], by: str | None) -> tuple[Run, ...]:
    """By this figure, equal ones in the order of the grid; what has no result comes last.

    None: in the order of the grid. Raises `BadSort`.
    """
    if by is None:
        return tuple(sorted(runs, key=lambda run: run.number))
    name = by.removeprefix("-")
    if name not in SORTABLE:
        raise BadSort(f"found --sort {by}; wanted one of {', '.join(SORTABLE)}, or -NAME")
    sign = -1 if by.startswith("-") else 1

    def key(run: Run) -> tuple[bool, Decimal, int]:
        value = run.number if name == "number" else getattr(run.result, name, None)
        return value is None, sign * Decimal(str(value or 0)), run.number

    return tuple(sorted(runs, key=key))


def luck_warning(runs: Sequence[Run]) -> str | None:
    """What to keep in mind of the best of several; None: there is nothing to choose from."""
    tried = sum(run.outcome == OK for run in runs)
    if tried < 2:
        return None
    return (
        f"{tried} configurations were tried on one stretch of data: the best of so many is chosen"
        " by luck too; believe it after data that it has not seen"
    )


def show_runs(runs: Sequence[Run], grid: Grid) -> None:
    """The table, what the runs share, and what to keep in mind; `runs` in the order to show."""
    shared = [
        f"--set {chosen}"
        for chosen in (grid.choices[0] if grid.choices else ())
        if chosen.key not in grid.varied
    ]
    if shared:
        render.write(f"all with {' '.join(shared)}")
    columns = [
        render.number("RUN", "number"),
        *(render.text(title, key) for key, title in _titles(grid.varied).items()),
        render.number("TRADES", "trades"),
        render.number("REALISED", "realised"),
        render.number("FEES", "fees", may_go=True),
        render.number("EQUITY", "final_equity"),
        render.text("DRAWDOWN %", "max_drawdown_pct"),
        render.number("DENIALS", "denials", may_go=True),
        render.text("SECONDS", "took", may_go=True),
        render.text("LEDGER", "name", may_go=True),
        render.text("", "remark", folds=True),
    ]
    render.show_table(columns, [_row(run) for run in runs], nothing="there was nothing to run")
    if (warning := luck_warning(runs)) is not None:
        render.write(f"note: {warning}")


def write_runs(folder: Path, runs: Sequence[Run], grid: Grid) -> None:
    """`runs.csv` and `runs.json`, in the order given; `folder` is there. Raises OSError."""
    replace(folder / CSV, as_csv_rows(_csv_rows(runs, grid)))
    replace(folder / JSON, as_json(runs))


def as_json(runs: Sequence[Run]) -> bytes:
    """For programs: the same runs give the same bytes."""
    rows = [
        {
            "number": run.number,
            "set": {chosen.key: chosen.text for chosen in run.choice},
            "configuration": run.configuration,
            "outcome": run.outcome,
            "why": run.why,
            "result": None if run.result is None else _without_seconds(run.result),
        }
        for run in runs
    ]
    content = {"tried": sum(run.outcome == OK for run in runs), "runs": rows}
    return msgspec.json.format(msgspec.json.encode(content, order="sorted"), indent=2) + b"\n"


@contextmanager
def shown_progress(what: str = "runs") -> Iterator[Callable[[int, int], None]]:
    """Something to tell how many of how many runs are over, which shows it on the error output.

    `what`: how they are called.
    """
    if not sys.stderr.isatty():
        yield partial(_told_by_tenths, what)
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task(what, total=None)
        yield lambda over, of: progress.update(bar, completed=over, total=of)


def _told_by_tenths(what: str, over: int, of: int) -> None:
    if over * _TENTHS // of > (over - 1) * _TENTHS // of:
        sys.stderr.write(f"{over} of {of} {what} are over\n")


def _titles(keys: Sequence[str]) -> dict[str, str]:
    """For each key its last words, as many as it takes to tell it from the others."""
    titles = dict[str, str]()
    for key in keys:
        words = key.split(".")
        others = [f".{other}" for other in keys if other != key]
        tails = [".".join(words[-count:]) for count in range(1, len(words) + 1)]
        apart = (tail for tail in tails if not any(each.endswith(f".{tail}") for each in others))
        titles[key] = next(apart, key)
    return titles


def _row(run: Run) -> dict[str, Any]:
    row: dict[str, Any] = {"number": run.number, "remark": _remark(run)}
    row |= {chosen.key: chosen.text for chosen in run.choice}
    if run.result is not None:
        row |= {name: getattr(run.result, name) for name in _FIGURES}
        row["took"], row["name"] = f"{run.result.seconds:.1f}", run.result.ledger[:12]
    return row


def _remark(run: Run) -> str:
    if run.result is None:
        return f"{run.outcome}: {run.why}"
    return f"not open at the end: {', '.join(run.result.standing)}" if run.result.standing else ""


def _csv_rows(runs: Sequence[Run], grid: Grid) -> Iterator[Sequence[Cell]]:
    yield ("number", *grid.keys, "configuration", "outcome", *_FIGURES, "standing", "ledger", "why")
    for run in runs:
        found = run.result
        yield (
            run.number,
            *(chosen.text for chosen in run.choice),
            run.configuration,
            run.outcome,
            *(None if found is None else _cell(getattr(found, name)) for name in _FIGURES),
            None if found is None else " ".join(found.standing),
            None if found is None else found.ledger,
            run.why,
        )


def _cell(value: int | Decimal | float | None) -> Cell:
    return str(value) if isinstance(value, float) else value


def _without_seconds(result: RunResult) -> dict[str, Any]:
    content: dict[str, Any] = msgspec.to_builtins(result)
    del content["seconds"]
    return content
