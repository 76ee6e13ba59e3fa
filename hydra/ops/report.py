"""`hydra-trader report`: what a session came to, from the bundle of files that it left."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

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
    from hydra.ops.artefacts.report import Report
    from hydra.store.engine_files import EngineFiles
    from hydra.store.redaction import Redactor

Folder = Annotated[
    Path | None,
    typer.Argument(
        metavar="FOLDER",
        help="The bundle of one session; without it, the newest session's.",
        show_default=False,
    ),
]
Other = Annotated[
    Path | None,
    typer.Option(
        "--compare",
        metavar="FOLDER",
        help="Say instead in what another bundle differs, besides names, clocks and durations.",
        show_default=False,
    ),
]


Analyst = Annotated[
    bool,
    typer.Option(
        "--analyst",
        help="Write it as one text to be judged by somebody else, or by a model: what is asked,"
        " the report, settings, trades, orders; no account, no keys.",
    ),
]


def report(
    folder: Folder = None,
    compare: Other = None,
    analyst: Analyst = False,
    venue: ForVenue = None,
    config: ConfigDir = CONFIG,
    state_dir: StateDir = None,
    log_dir: LogDir = None,
    json: Json = False,
) -> None:
    """Show what a session came to: trades, P&L by bot, denials, halts, troubles.

    Every session leaves a folder with orders.csv, trades.csv, positions.csv,
    account.csv, state.json, state.jsonl, session.md, logs/run.log and
    provenance.json; it is written while the session runs. A bundle that a
    killed session left is closed first, from the journal and the ledger.

    Exit code 0: it is shown, or with --compare: both tell the same; 1: they
    do not; 2: usage, or there is no such bundle; 10: the settings are not fit,
    and nothing else says where the record is.
    """
    from hydra.ops.artefacts.reading import NoBundle, differences, newest_in

    if analyst and (json or compare is not None):
        end("--analyst: found --json or --compare beside it, wanted it alone", ExitCode.USAGE)
    files, _, said = files_to_read(config, venue, state_dir, log_dir)
    try:
        with one_line_for_faults(said):
            bundle = newest_in(files.runs) if folder is None else folder
            if compare is None:
                found_there = _whole_report(bundle, files)
                if found_there.is_closed and found_there.trades:
                    _have_plots(bundle)
                if analyst:
                    _write_dossier(bundle, found_there, files)
                else:
                    _show(bundle, found_there, as_json=json)
                return
            found = differences(bundle, compare)
    except NoBundle as none:
        end(str(none), ExitCode.USAGE)
    if json:
        from hydra.ops.debug.engine import write_json

        write_json({"same": not found, "differences": found})
    else:
        for line in found or ["both tell the same"]:
            sys.stdout.write(f"{line}\n")
    raise typer.Exit(1 if found else 0)


def _whole_report(bundle: Path, files: "EngineFiles") -> "Report":
    """The session's report; one that was killed is closed first, one that runs is read as it is."""
    from contextlib import suppress

    from hydra.ops.artefacts.closing import close_bundle
    from hydra.ops.artefacts.reading import provenance_in, report_in
    from hydra.store.folder_lock import FolderInUse, held_alone

    if not provenance_in(bundle).is_closed:
        with suppress(FolderInUse), held_alone(bundle, "session"):
            return close_bundle(bundle, files, None, _redactor())
    return report_in(bundle)


def _redactor(*more: str) -> "Redactor":
    """Knows the keys, and whatever `more` is to be taken out."""
    import os

    from hydra.settings.secrets import load_secrets
    from hydra.store.redaction import Redactor

    return Redactor((*load_secrets(Path(".env"), os.environ).values(), *more))


def _write_dossier(bundle: Path, found: "Report", files: "EngineFiles") -> None:
    from hydra.ops.artefacts.analyst import Dossier, dossier_text
    from hydra.ops.artefacts.folder import LOG
    from hydra.ops.artefacts.page import page_of
    from hydra.ops.artefacts.reading import provenance_in
    from hydra.ops.artefacts.rows import ORDERS, TRADES, rows_in
    from hydra.ops.config import history

    run = provenance_in(bundle).run
    in_force = [
        version
        for version in history.versions(files.configurations)
        if version.about.digest == run.configuration
    ]
    settings = {}
    if in_force:
        texts = (text.decode(errors="replace") for text in in_force[-1].content)
        settings = dict(zip(history.FILES, texts, strict=True))
    log = bundle / LOG
    dossier = Dossier(
        page=page_of(found),
        settings=settings,
        trades=list(rows_in(bundle / TRADES)),
        orders=list(rows_in(bundle / ORDERS)),
        said=log.read_text(errors="replace").splitlines() if log.exists() else [],
    )
    sys.stdout.write(dossier_text(dossier, _redactor(run.account or "")))


def _have_plots(bundle: Path) -> None:
    """Of one that was closed without, if it can be written to."""
    from contextlib import suppress

    from hydra.ops.artefacts.closing import draw_plots
    from hydra.ops.artefacts.folder import PLOTS
    from hydra.store.folder_lock import FolderInUse, held_alone

    if not any((bundle / name).exists() for name in PLOTS):
        with suppress(FolderInUse, OSError), held_alone(bundle, "session"):
            draw_plots(bundle)


def _show(bundle: Path, found: "Report", *, as_json: bool) -> None:
    from hydra.ops.artefacts.folder import PLOTS
    from hydra.ops.artefacts.page import page_of
    from hydra.ops.artefacts.report import as_state

    if as_json:
        sys.stdout.write(as_state(found).decode())
        return
    sys.stdout.write(page_of(found))
    pictures = [str(bundle / name) for name in PLOTS if (bundle / name).exists()]
    if pictures:
        sys.stdout.write(f"\nPlots: {', '.join(pictures)}\n")
    sys.stdout.write(f"\nAll of it: {bundle}\n")
