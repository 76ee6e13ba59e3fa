"""`hydra-trader regret`: what each guard refused in a session, and what that cost or saved."""

from __future__ import annotations

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
    files_meant,
    one_line_for_faults,
)

if TYPE_CHECKING:
    from hydra.research.regret import Regret
    from hydra.store.engine_files import EngineFiles


def regret(
    session: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="The bundle of one session; without it, the newest session's.",
            show_default=False,
        ),
    ] = None,
    data: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="By these bars; without it, those that the session received, by its recording.",
            show_default=False,
        ),
    ] = None,
    interval: Annotated[
        str | None,
        typer.Option(
            metavar="LENGTH",
            help="Of the bars in --data, where a database has several: 1m, 5m, 1h.",
            show_default=False,
        ),
    ] = None,
    trades: Annotated[
        bool, typer.Option("--trades", help="Show each trade that there would have been, as CSV.")
    ] = False,
    venue: ForVenue = None,
    config: ConfigDir = CONFIG,
    state_dir: StateDir = None,
    log_dir: LogDir = None,
    json: Json = False,
) -> None:
    """Show what each guard refused, and what that cost or saved.

    Each entry that the guardian refused is taken to a venue of its own: bought
    by the session's own bars, and managed by its bot's exit rules, strategy and
    times. What a bot asked for again meanwhile is no other trade, and what it
    was let do meanwhile came later, and is none either. Options, and bots of
    other distributions, are counted as untold.

    Exit code 0; 2: there is no such session, its bars or settings are not to be
    had, or an option is not fit; 10: the settings are not.
    """
    files, _, said = files_meant(config, venue, state_dir, log_dir)
    with one_line_for_faults(said):
        found = _found(session, data or [], interval, files, config)
    if json:
        import msgspec

        sys.stdout.write(msgspec.json.format(msgspec.json.encode(found), indent=2).decode() + "\n")
    elif trades:
        from hydra.research.regret import trades_csv

        sys.stdout.write(trades_csv(found).decode())
    else:
        from hydra.research.regret import table_of

        for line in table_of(found):
            sys.stdout.write(f"{line}\n")


def _found(
    session: Path | None,
    paths: list[Path],
    interval: str | None,
    files: EngineFiles,
    config: Path,
) -> Regret:
    from hydra.ops.artefacts.reading import NoBundle, newest_in
    from hydra.research.gate import NotReplayable, bundle_in
    from hydra.research.gate_inputs import data_of, settings_of
    from hydra.research.regret import BadStory, Regret, entries_in, regret_of
    from hydra.research.replaying import ReplayTask

    try:
        bundle = bundle_in(newest_in(files.runs) if session is None else session)
        entries = entries_in(bundle.folder)
        if not entries.refused:
            return Regret(guards=(), trades=())  # its bars may be gone
        settings = settings_of(bundle, config)
        found = data_of(bundle, paths, interval, files.cache)
        task = ReplayTask(settings=settings, data=found.market, history=found.history)
        return regret_of(entries, task)
    except (BadStory, NoBundle, NotReplayable) as bad:
        end(str(bad), ExitCode.USAGE)
