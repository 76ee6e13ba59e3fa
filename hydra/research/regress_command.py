"""`hydra-trader regress`: does the engine still trade a fixed session as it did?"""

from __future__ import annotations

import os
import pwd
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hydra.ops.exit_codes import ExitCode
from hydra.ops.offline import end, one_line_for_faults

if TYPE_CHECKING:
    from hydra.research.baseline import Baseline
    from hydra.research.dataset import Dataset
    from hydra.research.regression import RegressionRun

DIFFERENT = 1
SEED = 7
SEED_KEY = "HYDRA_SEED"
OUTPUT = Path("runs/regress")

Seed = Annotated[
    int,
    typer.Option(
        "--seed",
        min=0,
        max=999_999_999,
        envvar=SEED_KEY,
        help="Of the run, and the number in its folder's name. A baseline is of one seed.",
    ),
]
Label = Annotated[
    str, typer.Option("--label", metavar="NAME", help="The rest of the folder's name.")
]
OutputDir = Annotated[
    Path,
    typer.Option(
        "--output-dir",
        metavar="DIR",
        help="Where the folder is made; files of an earlier run of that seed and label go.",
    ),
]
DatasetDir = Annotated[
    Path | None,
    typer.Option(
        "--dataset",
        metavar="DIR",
        help="A folder with dataset.yaml, settings.yaml, bots.yaml and bars as .csv. Else the"
        " session of generated prices that comes with Hydra.",
        show_default=False,
    ),
]
BaselineFile = Annotated[
    Path | None,
    typer.Option(
        "--baseline",
        metavar="FILE",
        help="What to compare with. Else the one that comes with Hydra, or baseline.json in a data"
        " set of your own.",
        show_default=False,
    ),
]
Refresh = Annotated[
    bool, typer.Option("--refresh-baseline", help="Show what a new baseline would change.")
]
Confirm = Annotated[
    bool, typer.Option("--confirm-refresh", help="And make it the baseline, with --reason.")
]
Why = Annotated[
    str | None,
    typer.Option(
        "--reason",
        metavar="TEXT",
        help="Why the baseline may change: goes on record beside it, in CHANGES.md.",
        show_default=False,
    ),
]
By = Annotated[
    str | None,
    typer.Option(
        "--by",
        metavar="NAME",
        help="Who approves the change. Else who is logged in.",
        show_default=False,
    ),
]


def regress(
    seed: Seed = SEED,
    label: Label = "regression",
    output_dir: OutputDir = OUTPUT,
    dataset: DatasetDir = None,
    baseline: BaselineFile = None,
    refresh_baseline: Refresh = False,
    confirm_refresh: Confirm = False,
    reason: Why = None,
    by: By = None,
) -> None:
    """Play one fixed session and compare it with the baseline, to the byte.

    It takes two seconds and needs no keys, no data and no network. A folder
    named by seed and label, 0007-regression say, gets snapshot.json (order
    intents, executions, positions, P&L), artifacts/ with metrics.json,
    equity_curve.csv, orders.csv and trades.csv, and checksums.json.

    After a change that was meant to trade otherwise, look at the difference,
    then take it as the new baseline: --refresh-baseline --confirm-refresh
    --reason "…". One of the two alone changes nothing.

    Exit code 0: the same, or the baseline was refreshed; 1: different, and
    nothing was changed; 2: usage, no baseline, or one that is not whole; 10:
    the data set's settings are not fit; 13: a file cannot be read or written;
    20: the engine did not get through the session.
    """
    from hydra.research.baseline import baseline_of, usual_baseline
    from hydra.research.dataset import SHIPPED

    _require_fit_words(label, refresh=refresh_baseline, confirm=confirm_refresh, reason=reason)
    folder = dataset or SHIPPED
    path = baseline or usual_baseline(folder)
    with one_line_for_faults():
        found = _dataset_in(folder)
        old = _baseline_in(path, None if refresh_baseline else seed)
        run = _run(found, seed)
        place = _left(output_dir, run, label)
    new = baseline_of(run)
    if old is not None and new.checksum == old.checksum:
        _say(
            f"same as the baseline {path.stem} (seed {seed}, {_extent(run)}, checksum"
            f" {new.checksum}); files: {place}"
        )
        return
    _tell_what_differs(path, old, new, run, place)
    how = '--refresh-baseline --confirm-refresh --reason "…"'
    if not refresh_baseline:
        _say(f"nothing was changed; if this is meant: {how}")
        raise typer.Exit(DIFFERENT)
    if not confirm_refresh or reason is None:
        end(f"the baseline was not changed; wanted also the rest of {how}", ExitCode.USAGE)
    _refresh(path, new, old, by or _who(), reason)


def _require_fit_words(label: str, *, refresh: bool, confirm: bool, reason: str | None) -> None:
    """What can be refused without reading anything."""
    from hydra.research.labels import fault_in_label

    fault = fault_in_label(label)
    if fault is not None:
        end(fault, ExitCode.USAGE)
    if confirm and not refresh:
        end("found --confirm-refresh alone; wanted --refresh-baseline with it", ExitCode.USAGE)
    if confirm and not (reason or "").strip():
        end(
            "found --confirm-refresh without --reason; wanted why the baseline may change; add it",
            ExitCode.USAGE,
        )
    if reason is not None and not confirm:
        end("found --reason without --confirm-refresh; it is for a refresh alone", ExitCode.USAGE)


def _dataset_in(folder: Path) -> Dataset:
    from hydra.research.dataset import BadDataset, read_dataset
    from hydra.research.window import BadReplayWindow
    from hydra.settings import SettingsRefused
    from hydra.venues.bar_rows import BadData

    try:
        return read_dataset(folder)
    except SettingsRefused as refused:
        end(str(refused), ExitCode.CONFIGURATION_REFUSED)
    except (BadData, BadDataset) as bad:
        end(str(bad), ExitCode.USAGE)
    except BadReplayWindow as bad:
        end(f"{folder / 'dataset.yaml'}: {bad}", ExitCode.USAGE)


def _baseline_in(path: Path, seed: int | None) -> Baseline | None:
    """The baseline; `seed` is that of the run, None: it is to be replaced, if there is one."""
    from hydra.research.baseline import (
        BadBaseline,
        NoBaseline,
        read_baseline,
        require_same_seed,
    )

    try:
        found = read_baseline(path)
        if seed is not None:
            require_same_seed(path, found, seed)
        return found
    except NoBaseline as none:
        if seed is None:
            return None
        end(str(none), ExitCode.USAGE)
    except BadBaseline as bad:
        end(str(bad), ExitCode.USAGE)


def _run(dataset: Dataset, seed: int) -> RegressionRun:
    from hydra.research.interrupting import interruptible
    from hydra.research.regression import regression_run
    from hydra.research.replaying import LookAhead, ReplayFailed

    try:
        with interruptible() as is_stopping:
            return regression_run(dataset, seed, is_stopping=is_stopping)
    except (LookAhead, ReplayFailed) as failed:
        end(f"the session was not played to its end: {failed}", ExitCode.FAIL_CLOSED)


def _left(output_dir: Path, run: RegressionRun, label: str) -> Path:
    from hydra.research.regression import write_run
    from hydra.research.replay_run import folder_of

    place = folder_of(output_dir, run.seed, label)
    write_run(place, run, label)
    return place


def _tell_what_differs(
    path: Path, old: Baseline | None, new: Baseline, run: RegressionRun, place: Path
) -> None:
    from hydra.research.regression_diff import differences

    if old is None:
        _say(f"NO BASELINE {path.stem} yet; this run has {_extent(run)}, checksum {new.checksum}")
    else:
        _say(f"DIFFERENT from the baseline {path.stem} (seed {new.seed}): {path}")
        for line in differences(old, new):
            _say(line)
    _say(f"this run: {place}")


def _refresh(path: Path, new: Baseline, old: Baseline | None, by: str, reason: str) -> None:
    from hydra.research.baseline import NOTHING, RECORD, write_baseline

    with one_line_for_faults():
        write_baseline(path, new, old, day=datetime.now(UTC).date(), by=by, reason=reason)
    before = NOTHING if old is None else old.checksum
    _say(f"the baseline is new: {path}, {before} -> {new.checksum}")
    _say(f"on record in {path.with_name(RECORD)}; commit both together")


def _extent(run: RegressionRun) -> str:
    from hydra.research.snapshot import EXECUTIONS, INTENTS

    intents, executions = len(run.snapshot[INTENTS]), len(run.snapshot[EXECUTIONS])
    return f"{intents} order intents, {executions} executions, {len(run.files)} files"


def _who() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return f"uid {os.geteuid()}"


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
