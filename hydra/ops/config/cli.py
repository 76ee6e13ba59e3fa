"""`hydra-trader config`: is it fit to start, what does it say, what differs. Changes nothing."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(
    no_args_is_help=True,
    help="Look at the configuration: is it fit to start, what does it say, what differs."
    " Nothing is started, connected to or written.",
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
    json: Json = False,
) -> None:
    """Show what differs between two folders of settings, and whether it is tighter or looser.

    Without a folder: what was shipped against --config. With one: that one against --config.
    With two: the first against the second.
    """
    from hydra.ops.config import looking

    _end(looking.diff(old, new or config, venue, json=json))


def _end(code: Any) -> None:
    raise typer.Exit(int(code))
