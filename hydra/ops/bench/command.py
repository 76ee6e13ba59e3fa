"""`bench`: parse, measure, show, exit code."""

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TextIO

from hydra.ops.bench.machine import this_machine
from hydra.ops.bench.report import explanations, json_of, write_table, write_text
from hydra.ops.bench.rows import (
    FULL,
    QUICK,
    CouldNotMeasure,
    Effort,
    Measurement,
    Row,
    missing_row,
    row_of,
)

KEPT, NOT_KEPT, USAGE = 0, 1, 2


def main(argv: Sequence[str] | None = None) -> int:
    """Qualify this machine; 0 if every bar is kept, 1 if not, 2 for a wrong option."""
    arguments = _parser().parse_args(argv)
    # Imported here, so that `--help` and a wrong option answer at once.
    from hydra.ops.bench.measurements import all_measurements

    measurements = all_measurements(
        config=arguments.config, state_dir=folder_for_state(arguments.state_dir)
    )
    try:
        chosen = named(measurements, arguments.only)
    except NoSuchMeasurement as error:
        sys.stderr.write(f"{error}\n")
        return USAGE
    if arguments.explain:
        sys.stdout.write("\n".join(explanations(chosen)) + "\n")
        return KEPT
    return qualify(
        chosen, QUICK if arguments.quick else FULL, arguments.json, sys.stdout, sys.stderr
    )


class NoSuchMeasurement(Exception):
    """`--only` names nothing that is measured; the message names what is."""


def named(measurements: Sequence[Measurement], names: Sequence[str]) -> tuple[Measurement, ...]:
    """The measurements of these names, or that give figures of these names; of no names, all."""
    known: dict[str, Measurement] = {}
    for measurement in measurements:
        known |= dict.fromkeys((figure.name for figure in measurement.figures), measurement)
    known |= {measurement.name: measurement for measurement in measurements}
    for name in names:
        if name not in known:
            wanted = ", ".join(measurement.name for measurement in measurements)
            raise NoSuchMeasurement(f"--only {name}: no such measurement; there are {wanted}")
    wanted_ones = [known[name].name for name in names]
    return tuple(one for one in measurements if not names or one.name in wanted_ones)


def folder_for_state(state_dir: Path) -> Path:
    """Where the engine would keep its record; before its first run, where that would be made."""
    return state_dir if state_dir.is_dir() else Path.cwd()


def qualify(
    measurements: Iterable[Measurement], effort: Effort, as_json: bool, out: TextIO, err: TextIO
) -> int:
    """Take the measurements and show them; gives the exit code."""
    measurements = tuple(measurements)
    machine = this_machine()
    # Beside JSON only JSON may stand on the standard output.
    facts = err if as_json else out
    facts.write(f"{machine}\n")
    if machine.warning is not None:
        err.write(f"warning: {machine.warning}\n")
    rows = [row for measurement in measurements for row in rows_of(measurement, effort, err)]
    if as_json:
        out.write(json_of(rows) + "\n")
    else:
        aims = {figure.name: figure.aim for one in measurements for figure in one.figures}
        write = write_table if out.isatty() else write_text
        write(rows, aims, out)
    return exit_code(rows)


def rows_of(measurement: Measurement, effort: Effort, err: TextIO) -> tuple[Row, ...]:
    """The measurement's rows; rows without a value, and a line on `err`, if it was not possible."""
    if err.isatty():
        err.write(f"measuring {measurement.name} …\n")
    try:
        measured = measurement.take(effort)
    except CouldNotMeasure as error:
        err.write(f"{measurement.name}: not measured: {error}\n")
        return tuple(missing_row(figure) for figure in measurement.figures)
    return tuple(row_of(*pair) for pair in zip(measurement.figures, measured, strict=True))


def exit_code(rows: Sequence[Row]) -> int:
    """Whether every bar is kept. Nothing measured is nothing proven."""
    return KEPT if rows and all(row.passed for row in rows) else NOT_KEPT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hydra-trader bench",
        description="Qualify this machine: speed, memory and the safety of a halt, each figure "
        "beside a bound taken in the same run. Exit code 0 if every bar is kept, 1 if not. "
        "Takes about four minutes; stop other work first.",
    )
    add = parser.add_argument
    add("--quick", action="store_true", help="fewer repetitions: about a minute")
    add("--json", action="store_true", help="a list of rows instead of a table")
    add("--only", action="append", default=[], metavar="NAME", help="only this; may be repeated")
    add("--explain", action="store_true", help="say what each figure counts, and measure nothing")
    add("--config", type=Path, default=Path("config"), metavar="DIR", help="settings (config)")
    add("--state-dir", type=Path, default=Path("state"), metavar="DIR", help="whose disk (state)")
    return parser
