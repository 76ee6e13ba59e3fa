"""`hydra-trader drill`: whether the stops work, on this machine, with this configuration."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hydra.ops.exit_codes import ExitCode
from hydra.ops.offline import CONFIG, ConfigDir, end, one_line_for_faults

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hydra.ops.drill.drills import Drill
    from hydra.ops.drill.report import DrillReport, DrillResult
    from hydra.ops.drill.stage import Scene

NOT_PASSED = 1
OUTPUT = Path("runs/drill")


class On(StrEnum):
    """Whose account is drilled on."""

    EMBEDDED = "embedded"
    PAPER = "paper"


Only = Annotated[
    list[str] | None,
    typer.Option("--only", metavar="NAME", help="Only this drill; may be repeated."),
]
Listed = Annotated[bool, typer.Option("--list", help="Say which drills there are, and do none.")]
OnVenue = Annotated[
    On,
    typer.Option(
        "--on",
        help="paper: on your paper account, without sending an order; the drills that need none.",
    ),
]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Of the market that is played.")]
OutputDir = Annotated[
    Path,
    typer.Option(
        "--output-dir",
        metavar="DIR",
        help="Where report.json and report.txt are left, and what a failed drill has left.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="For programs: the report as JSON.")]


def drill(
    config: ConfigDir = CONFIG,
    only: Only = None,
    listed: Listed = False,
    on: OnVenue = On.EMBEDDED,
    seed: Seed = 0,
    output_dir: OutputDir = OUTPUT,
    as_json: Json = False,
) -> None:
    """Try the stops of a real engine, and say how long each took.

    Each drill starts an engine with your configuration on the embedded
    venue, in folders of its own (never yours), causes one fault, and measures
    the time until what has to follow is on the disk. What the engine did is
    judged by the venue's log, the ledger and the journal.

    With --on paper the engine connects to your paper account, sends nothing
    (as with --dry-run), and keeps its record in a folder of its own. The
    account has to be flat, and its own engine stopped.

    Exit code 0: every drill passed; 1: one did not, or could not be done.
    Ctrl-C ends it; nothing is left running.
    """
    from hydra.ops.drill.drills import DRILLS, named

    if listed:
        for each in DRILLS:
            where = "embedded, paper" if each.on_paper else "embedded"
            typer.echo(f"{each.name:14} {each.fault}: {each.rule} ({each.invariants}; {where})")
        return
    try:
        chosen = named(tuple(only or ()))
    except LookupError as unknown:
        end(str(unknown.args[0]), ExitCode.USAGE)
    if on is On.PAPER:
        chosen = tuple(each for each in chosen if each.on_paper)
        if not chosen:
            end("--on paper: found no drill among --only that needs no order", ExitCode.USAGE)
    with one_line_for_faults():
        report = _done(chosen, config, on, seed, output_dir, as_json=as_json)
    if report is None:
        sys.stderr.write("interrupted: nothing is left running, and no report was written\n")
        raise typer.Exit(NOT_PASSED)
    if not report.passed:
        raise typer.Exit(NOT_PASSED)


def _done(
    drills: Sequence[Drill], config: Path, on: On, seed: int, output_dir: Path, *, as_json: bool
) -> DrillReport | None:
    """Do them, and leave the report; None: somebody interrupted."""
    import shutil
    import time

    from hydra.ops.code_version import code_version
    from hydra.ops.drill.interrupting import Interrupted, Interruptions
    from hydra.ops.drill.report import DrillReport, lines_of, summary_of
    from hydra.ops.drill.report import as_json as json_of
    from hydra.ops.drill.running import drilled, scratch_in
    from hydra.ops.stamp import stamp

    def keep(name: str, folder: Path) -> Path:
        kept = output_dir / f"failed-{name}"
        shutil.rmtree(kept, ignore_errors=True)
        shutil.move(folder, kept)
        return kept

    for each in drills:  # of an earlier run
        shutil.rmtree(output_dir / f"failed-{each.name}", ignore_errors=True)
    code, began, at = code_version(), time.monotonic(), stamp()
    results: list[DrillResult] = []
    interruptions = Interruptions()
    try:
        with interruptions.heard(), scratch_in(output_dir) as scratch:
            given, scene = _scene(config, on, seed, scratch)
            for result in drilled(drills, scene, scratch, keep, interruptions):
                results.append(result)
                if not as_json:
                    _say(result)
    except Interrupted:
        return None
    report = DrillReport(
        version=code.version,
        code=code.code,
        commit=code.commit,
        configuration=given,
        drilled=scene.settings.digest,
        at=at,
        venue=scene.ground.value,
        lasted_s=round(time.monotonic() - began, 1),
        results=tuple(results),
    )
    (output_dir / "report.json").write_bytes(json_of(report))
    (output_dir / "report.txt").write_text("".join(f"{line}\n" for line in lines_of(report)))
    if as_json:
        sys.stdout.write(json_of(report).decode())
    else:
        typer.echo(summary_of(report.results, report.lasted_s, report.venue))
        typer.echo(f"report: {output_dir / 'report.json'}")
    return report


def _say(result: DrillResult) -> None:
    from hydra.ops.drill.report import details_of, line_of

    for line in (line_of(result), *details_of(result)):
        typer.echo(line)


def _scene(config: Path, on: On, seed: int, scratch: Path) -> tuple[str, Scene]:
    """The digest of the settings as they were given, and what is drilled with."""
    from hydra.ops.drill.running import embedded_scene, loaded, paper_scene
    from hydra.ops.drill.stage import NotDone
    from hydra.settings import SettingsRefused, VenueName
    from hydra.store.engine_files import NamesClash
    from hydra.store.engine_lock import HeldByAnother

    try:
        given = loaded(config, VenueName(on.value)).digest
        if on is On.PAPER:
            return given, paper_scene(config)
        return given, embedded_scene(config, seed, scratch)
    except (SettingsRefused, NamesClash) as refused:
        end(str(refused), ExitCode.CONFIGURATION_REFUSED)
    except HeldByAnother as held:
        end(str(held), ExitCode.HELD_BY_ANOTHER)
    except NotDone as why:
        end(str(why), ExitCode.USAGE)
