"""`hydra-trader verify`: is what the engine has on record whole, and does it go together."""

import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hydra.ops.as_said import AsSaid, as_said
from hydra.ops.exit_codes import ExitCode
from hydra.ops.offline import (
    CONFIG,
    ConfigDir,
    ForVenue,
    Json,
    LogDir,
    StateDir,
    end,
    files_to_read,
    one_line_for_faults,
)

if TYPE_CHECKING:
    from hydra.ops.audit import Audit
    from hydra.store.engine_files import EngineFiles
    from hydra.store.journal_check import Progress
    from hydra.store.verification import Check, Verification

LedgerFile = Annotated[
    Path | None,
    typer.Option(
        "--ledger",
        metavar="FILE",
        help="Only this ledger, or a backup of one, by itself: without journal and halt marker.",
        show_default=False,
    ),
]

Decisions = Annotated[
    bool,
    typer.Option(
        "--decisions",
        help="Also make every judgement in the journal again, and hold the orders against them.",
    ),
]


def verify(
    venue: ForVenue = None,
    config: ConfigDir = CONFIG,
    state_dir: StateDir = None,
    log_dir: LogDir = None,
    ledger: LedgerFile = None,
    decisions: Decisions = False,
    json: Json = False,
) -> None:
    """Check all that the engine has on record. Changes nothing; the engine may
    run meanwhile.

    Reads the ledger whole (SQLite's own check, the chain of its events, its
    tables, and whether replaying the events gives the same state after each
    commit), the journal whole (each line, in all its files), and whether the
    two go together; and the halt marker. One line a check: `ok`, or `BAD`
    with what was found, what was wanted, where, and what to do.

    With --decisions also whether every order was approved, and every approval
    and denial is what the checks say to the situation in the journal.

    Exit code 0: all is well; 13: something is not; 12: a later Hydra wrote
    it; 10: the settings are not fit, and nothing else says where the record
    is; 2: there is no ledger.
    """
    from hydra.store.verification import verify_file, verify_record

    audit = None
    said = as_said(venue, config, state_dir, log_dir)
    with one_line_for_faults(said), shown_progress() as progress:
        if ledger is not None:
            if decisions:
                end("--decisions needs the journal too: leave out --ledger", ExitCode.USAGE)
            found = verify_file(ledger, progress)
        else:
            files, name, _ = files_to_read(config, venue, state_dir, log_dir)
            found = verify_record(files, name, progress)
            if decisions and not found.is_newer:
                found, audit = _with_decisions(found, files, progress)
    if json:
        _write_json(found, audit)
    else:
        _write_lines(found, said)
    raise typer.Exit(int(_exit_code(found)))


def _with_decisions(
    found: "Verification", files: "EngineFiles", progress: "Progress"
) -> "tuple[Verification, Audit | None]":
    from msgspec import structs

    from hydra.ops.audit import decisions_checked

    checks, audit = decisions_checked(files, lambda done: progress("decisions", done, None))
    return structs.replace(found, checks=(*found.checks, *checks)), audit


def _exit_code(found: "Verification") -> ExitCode:
    if found.is_newer:
        return ExitCode.VERSION_FENCE
    return ExitCode.CLEAN if found.is_well else ExitCode.DURABILITY_REFUSED


def _write_lines(found: "Verification", said: AsSaid) -> None:
    from hydra.ops.debug import render

    width = max(len(check.name) for check in found.checks)
    for check in found.checks:
        verdict = "ok " if check.is_well else "BAD"
        render.write(
            f"{verdict}  {check.name.ljust(width)}  {render.clean(said.in_words(in_words(check)))}"
        )
    if found.ledger is not None:
        counts, mark = found.ledger.counts, found.ledger.mark
        render.write(
            f"{counts.events:,} events in {counts.commits:,} commits, {counts.orders:,} orders"
            f" ({counts.open_orders:,} open), {counts.fills:,} fills of {counts.bots:,} bots,"
            f" {counts.halts:,} halts standing"
            + (f": {render.clean(', '.join(found.ledger.halts))}" if found.ledger.halts else "")
        )
        render.write(f"event {mark.seq:,}, chain {mark.chain}, state {found.ledger.state_hash}")
    if found.newest_proven_backup is not None:
        newest = found.newest_proven_backup
        render.write(f"the newest backup that passes is {newest}")
        word = shlex.quote(str(newest))
        what_next = f"to go on from it, halted: hydra-trader restore {word} --reason …"
        render.write(said.in_words(what_next))
    bad = sum(not check.is_well for check in found.checks)
    render.write("all is well" if not bad else f"NOT WELL: {bad} of {len(found.checks)} are BAD")


def in_words(check: "Check") -> str:
    """What was found, and of the rest what it does not say itself."""
    parts = [f"wanted {check.wanted}" if check.wanted else "", check.where, check.advice]
    return "; ".join([check.found, *(part for part in parts if part and part not in check.found)])


def _write_json(found: "Verification", audit: "Audit | None") -> None:
    import msgspec

    from hydra.ops.debug.engine import write_json
    from hydra.store.verification import as_plain

    told = {**as_plain(found), "exit_code": int(_exit_code(found))}
    if audit is not None:
        told["decisions"] = msgspec.to_builtins(audit)
    write_json(told)


@contextmanager
def shown_progress() -> "Iterator[Progress]":
    """Tells how far it is, on a terminal only, and takes it away at the end."""
    if not sys.stderr.isatty():
        yield _say_nothing
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns: list[Any] = [TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()]
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        yield _teller(shown)


def _teller(shown: Any) -> "Callable[[str, int, int | None], None]":
    task = shown.add_task("looking", total=None)

    def tell(doing: str, done: int, total: int | None) -> None:
        shown.update(task, description=doing, completed=done, total=total)

    return tell


def _say_nothing(_doing: str, _done: int, _total: int | None) -> None:
    pass
