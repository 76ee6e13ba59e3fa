"""`hydra-trader config`: is it fit to start, what does it say, what differs, and the way back."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(
    no_args_is_help=True,
    help="Look at the configuration: is it fit to start, what does it say, what differs."
    " Nothing is started or connected to, and only `rollback` and the two that accept write.",
)


class Venue(StrEnum):
    """Where orders would go."""

    EMBEDDED = "embedded"
    PAPER = "paper"
    LIVE = "live"


ConfigDir = Annotated[
    Path,
    typer.Option("--config", metavar="DIR", help="The folder of settings.yaml and bots.yaml."),
]
ForVenue = Annotated[
    Venue | None,
    typer.Option("--venue", help="As if for this venue; else the one in settings.yaml."),
]
EnvFile = Annotated[
    Path, typer.Option("--env-file", metavar="FILE", help="Keys and switches; it may be absent.")
]
Json = Annotated[bool, typer.Option("--json", help="For programs: the answer as JSON.")]
StateDir = Annotated[
    Path | None,
    typer.Option(
        "--state-dir",
        metavar="DIR",
        help="The folder that has the ledger. Else as the settings say, one for each venue.",
        show_default=False,
    ),
]
Folder = Annotated[
    Path | None, typer.Argument(metavar="DIR", help="A folder of settings.", show_default=False)
]

CONFIG = Path("config")
ENV = Path(".env")


@app.command()
def check(
    config: ConfigDir = CONFIG, venue: ForVenue = None, env_file: EnvFile = ENV, json: Json = False
) -> None:
    """Say whether the engine would start with it: all errors at once, and warnings.

    Each error is one line with file, line and key. Exit code 0: fit to start (there may be
    warnings); 10: refused.
    """
    from hydra.ops.config import looking

    _end(looking.check(config, env_file, venue, json=json))


@app.command()
def show(
    word: Annotated[
        str, typer.Argument(metavar="[WORD]", help="Only keys that have this in them.")
    ] = "",
    config: ConfigDir = CONFIG,
    venue: ForVenue = None,
    env_file: EnvFile = ENV,
    json: Json = False,
) -> None:
    """Show every setting: its value, its unit, which way is safer, and what was shipped.

    A change in the safer direction may be taken by a running engine; any other needs a restart.
    Keys to the broker are shown as set or not set, never as they are.
    """
    from hydra.ops.config import looking

    _end(looking.show(config, env_file, venue, word, json=json))


@app.command()
def diff(
    old: Folder = None,
    new: Folder = None,
    config: ConfigDir = CONFIG,
    venue: ForVenue = None,
    pending: Annotated[
        bool, typer.Option("--pending", help="What was in force last, against --config.")
    ] = False,
    state_dir: StateDir = None,
    json: Json = False,
) -> None:
    """Show what differs between two folders of settings, and whether it is tighter or looser.

    Without a folder: what was shipped against --config. With one: that one against --config.
    With two: the first against the second. With --pending: what an engine has in force, or had
    when it stopped, against --config.
    """
    from hydra.ops.config import looking, rolling_back

    if pending:
        if old is not None:
            raise typer.BadParameter("found --pending with a folder, wanted one of them")
        old = rolling_back.newest_folder(config, venue, state_dir)
    _end(looking.diff(old, new or config, venue, json=json))


@app.command()
def history(
    config: ConfigDir = CONFIG,
    venue: ForVenue = None,
    state_dir: StateDir = None,
    json: Json = False,
) -> None:
    """List the configurations that were in force, the newest last."""
    from hydra.ops.config import rolling_back

    _end(rolling_back.show_history(config, venue, state_dir, json=json))


@app.command()
def rollback(
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why: it is kept with what is replaced.")
    ],
    number: Annotated[
        int | None,
        typer.Argument(
            metavar="[NUMBER]",
            help="Which one of `config history`. Else the newest that differs from the files.",
            show_default=False,
        ),
    ] = None,
    config: ConfigDir = CONFIG,
    venue: ForVenue = None,
    state_dir: StateDir = None,
    json: Json = False,
) -> None:
    """Put the files of the last known good configuration back into --config.

    That is the newest one that was in force and is not what lies there now. It is validated first,
    each file is replaced whole, and those that are replaced are kept. A running engine follows: it
    takes what is tighter, and what is looser waits for a restart, as with every change.

    Exit code 0: put back; 10: there is none, or it is not fit any more; 13: it cannot be written.
    """
    from hydra.ops.config import rolling_back

    _end(rolling_back.roll_back(config, venue, state_dir, reason, number, json=json))


@app.command()
def accept(
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why: it goes on record at the start.")
    ],
    config: ConfigDir = CONFIG,
    venue: ForVenue = None,
    state_dir: StateDir = None,
    json: Json = False,
) -> None:
    """Let the next start on paper or live have settings that are looser than those of the last.

    It holds for the files as they are now, and for nothing that is changed after it. The embedded
    venue, which has no money to lose, starts without it.
    """
    from hydra.ops.config import rolling_back

    _end(rolling_back.accept(config, venue, state_dir, reason, json=json))


@app.command()
def accept_live(
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why: it goes on record with your name.")
    ],
    config: ConfigDir = CONFIG,
    venue: ForVenue = Venue.LIVE,
    state_dir: StateDir = None,
    json: Json = False,
) -> None:
    """Let this very configuration trade real money though paper has not shown it.

    That is live.profile full without the clean sessions that it asks for (docs/going-live.md). It
    holds for the files as they are now, for each start with them, and for nothing that is changed
    after it. Each start says it, and so do status, preflight and the days of live's track record.

    Exit code 0: it is kept; 10: the settings are not fit for live, or do not say full; 13: it
    cannot be written.
    """
    from hydra.ops.config import accepting_live

    if venue is not Venue.LIVE:
        raise typer.BadParameter(f"found --venue {venue}, wanted live: nothing else asks for it")

    _end(accepting_live.accept_live(config, state_dir, reason, json=json))


def _end(code: Any) -> None:
    raise typer.Exit(int(code))
