"""`hydra-trader prove`: days of the whole engine under faults, each from its seed."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hydra.ops.exit_codes import ExitCode
from hydra.ops.offline import end, one_line_for_faults

if TYPE_CHECKING:
    from hydra.proving.plan import DayPlan
    from hydra.proving.proof import Proof

BROKEN = 1
DAYS = 100
OUTPUT = Path("runs/prove")

Days = Annotated[int, typer.Option("--days", min=1, max=1_000_000, help="How many.")]
Seed = Annotated[
    int, typer.Option("--seed", min=0, max=10**12, help="Of the first day; the next has the next.")
]
Jobs = Annotated[
    int | None,
    typer.Option(
        "--jobs", min=1, max=1_024, help="So many at once. Else one a core.", show_default=False
    ),
]
PlanFile = Annotated[
    Path | None,
    typer.Option(
        "--plan",
        metavar="FILE",
        help="Play this one plan, as a failed day has left it, and no seed.",
        show_default=False,
    ),
]
OutputDir = Annotated[
    Path,
    typer.Option(
        "--output-dir",
        metavar="DIR",
        help="Where report.txt, report.json and the plans of failed days are left.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="For programs: the report as JSON.")]


def prove(
    days: Days = DAYS,
    seed: Seed = 0,
    jobs: Jobs = None,
    plan: PlanFile = None,
    output_dir: OutputDir = OUTPUT,
    as_json: Json = False,
) -> None:
    """Play days of the whole engine under faults, and judge what it did.

    The production actors, supervisors, record and start-up, on real files
    in virtual time. The venue misbehaves; actors fail; the process is
    killed, stopped and started again; the feed is silent, or lies; people
    halt, flatten and resume. Each seed draws its own mixture. Then trouble
    ends, and trading has to be open again within ten minutes.

    What is judged is the venue's log, the ledger and the journal, by the
    judge of every other test. Exit code 0: no invariant was broken; 1: one
    was. A day that fails is named with its seed, made as small as it can
    be, and left as a plan that `--plan` plays again.
    """
    from hydra.ops.code_version import code_version
    from hydra.ops.stamp import stamp
    from hydra.proving.telling import as_json as json_of

    with one_line_for_faults():
        if plan is not None:
            _play_again(plan)
            return
        _try_to_write_in(output_dir)
        seeds = range(seed, seed + days)
        code, at = code_version(), stamp()
        found = _proved(seeds, jobs or os.cpu_count() or 1)
        report = json_of(found, code=code, asked=days, at=at)
        _leave(found, report, output_dir)
        _show(found, report if as_json else None)
    if found.failed or len(found.days) < days:
        raise typer.Exit(BROKEN)


def _try_to_write_in(folder: Path) -> None:
    """Before the days are played: hours may go by until the report is written. Raises OSError."""
    from tempfile import TemporaryFile

    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryFile(dir=folder):
        pass


def _proved(seeds: range, jobs: int) -> Proof:
    from threading import Event

    from hydra.ops.ending import StopSignals
    from hydra.proving.proof import prove
    from hydra.research.run_table import shown_progress

    stopping = Event()
    with StopSignals(stopping.set), shown_progress("days") as seen:
        return prove(
            seeds,
            jobs=min(jobs, len(seeds)),
            seen=lambda over: seen(over, len(seeds)),
            is_stopping=stopping.is_set,
        )


def _play_again(path: Path) -> None:
    import msgspec

    from hydra.proving.proof import breaches_of
    from hydra.proving.telling import plan_from

    try:
        plan = plan_from(path.read_bytes())
    except msgspec.MsgspecError as error:
        end(f"{path}: found no plan ({error}); wanted one that a failed day left", ExitCode.USAGE)
    breaches = breaches_of(plan)
    for line in map(str, breaches) if breaches else ("no invariant was broken",):
        typer.echo(line)
    if breaches:
        raise typer.Exit(BROKEN)


def _leave(proof: Proof, report: bytes, folder: Path) -> None:
    from hydra.proving.plan import day_of
    from hydra.proving.proof import shrunk
    from hydra.proving.telling import lines_of, plan_as_json

    folder.mkdir(parents=True, exist_ok=True)  # it may have been taken away meanwhile
    (folder / "report.txt").write_text("".join(f"{line}\n" for line in lines_of(proof)))
    (folder / "report.json").write_bytes(report)
    for day in proof.failed:
        path = folder / f"failed-{day.seed}.json"

        def keep(plan: DayPlan, path: Path = path) -> None:
            path.write_bytes(plan_as_json(plan))

        sys.stderr.write(f"seed {day.seed} failed; it is made smaller: {path}\n")
        keep(day_of(day.seed))
        shrunk(day_of(day.seed), keep)


def _show(proof: Proof, report: bytes | None) -> None:
    from hydra.proving.telling import lines_of

    if report is not None:
        sys.stdout.write(report.decode())
        return
    for line in lines_of(proof):
        typer.echo(line)
