"""`hydra-trader flatten`: pause, cancel what works, close what is held, and prove that it is so."""

import time
from collections.abc import Iterator
from typing import Annotated, Any, NoReturn

import typer

from hydra.ops.config.cli import Venue
from hydra.ops.control.place import (
    Place,
    Reason,
    end_refused,
    end_unanswered,
    end_without_engine,
    place_meant,
)
from hydra.ops.debug.client import CommandFailed, EngineClient, NoEngine
from hydra.ops.exit_codes import ExitCode
from hydra.ops.offline import CONFIG, ConfigDir, ForVenue, Json, LogDir, StateDir, end

LOOK_EVERY_S = 0.25
NOT_FLAT = 1
"""The exit code where something is left."""

Yes = Annotated[bool, typer.Option("--yes", help="Do it. Without this it is only explained.")]
CloseOnly = Annotated[
    bool,
    typer.Option("--close-only", help="Afterwards only what reduces a position passes: the usual."),
]
HaltAll = Annotated[bool, typer.Option("--halt-all", help="Afterwards let no order pass at all.")]
Paper = Annotated[bool, typer.Option("--paper", help="The paper account.")]
Live = Annotated[bool, typer.Option("--live", help="The live account.")]
Within = Annotated[
    float,
    typer.Option(
        "--within",
        metavar="SECONDS",
        min=0.1,
        help="Watch it for so long; the engine goes on with it after that.",
    ),
]


def flatten(
    reason: Reason,
    yes: Yes = False,
    close_only: CloseOnly = False,
    halt_all: HaltAll = False,
    paper: Paper = False,
    live: Live = False,
    within: Within = 300.0,
    venue: ForVenue = None,
    config: ConfigDir = CONFIG,
    state_dir: StateDir = None,
    log_dir: LogDir = None,
    json: Json = False,
) -> None:
    """Close everything: pause entries, cancel all orders, close all positions,
    and look whether nothing is left.

    It works in every trading state, HALTED too, and only ever reduces. What it
    pauses stays paused until `resume`.

    Exit code 0: flat; 1: not flat, with what is left; 2: usage, or without
    --yes; 11: an engine has the record and does not answer; 10: the settings
    are not fit.
    """
    if close_only and halt_all:
        end("found --close-only and --halt-all, wanted one of them", ExitCode.USAGE)
    _require_venue(venue, paper=paper, live=live)
    place = place_meant(config, venue, state_dir, log_dir)
    _require_venue(Venue(place.venue) if place.unfit is None else None)
    pause = "halted" if halt_all else "close_only"
    if not yes:
        end(_explanation(place, pause), ExitCode.USAGE)
    try:
        client = EngineClient(place.files.control_socket)
    except NoEngine as silent:
        _flatten_at_rest(place, silent)
    last: dict[str, Any] = {}
    with client:
        try:
            for last in _progress(client, reason, pause, within):
                _tell(last, json=json)
        except CommandFailed as refused:
            end_refused(str(refused))
        except NoEngine as silent:
            end_unanswered(place, silent)
    if last["phase"] != "flat":
        if not json:
            _tell_left(last, within)
        raise typer.Exit(NOT_FLAT)


def _require_venue(venue: Venue | None, *, paper: bool = False, live: bool = False) -> None:
    """End the command if a venue is meant that this version does not trade on."""
    meant = {Venue.PAPER: paper, Venue.LIVE: live}
    names = [each.value for each, is_meant in meant.items() if is_meant or venue is each]
    if names:
        end(
            f"venue {' and '.join(names)}: this version trades on the embedded venue only; use"
            " --venue embedded",
            ExitCode.USAGE,
        )


def _explanation(place: Place, pause: str) -> str:
    state = {"halted": "HALTED", "close_only": "CLOSE_ONLY"}[pause]
    return (
        f"found no --yes, so nothing was done. With it, on venue {place.venue}: trading is paused"
        f" ({state}, until `hydra-trader resume`), every order that works is canceled, every"
        " position is closed at the market's price, and it is looked until none is left;"
        " `hydra-trader status` shows what there is to close"
    )


def _flatten_at_rest(place: Place, silent: NoEngine) -> NoReturn:
    """The venue of an engine that does not run is not there either: nothing can be closed."""
    end_without_engine(
        place,
        silent,
        "start it, which it does halted, and say flatten again; or close the positions at the"
        " venue",
    )


def _progress(
    client: EngineClient, reason: str, pause: str, within_s: float
) -> Iterator[dict[str, Any]]:
    """Each step as it comes, the last one too when the time is up."""
    until = time.monotonic() + within_s
    found = client.call("flatten", reason=reason, pause=pause)
    told: dict[str, Any] = {}
    while True:
        if found != told:
            told = found
            yield found
        if found["phase"] in ("flat", "failed") or time.monotonic() >= until:
            return
        time.sleep(LOOK_EVERY_S)
        found = client.call("flatten-progress")


def _tell(step: dict[str, Any], *, json: bool) -> None:
    import sys

    from hydra.ops.debug import render
    from hydra.ops.debug.engine import write_json

    if json:
        write_json(step, line=True)
    else:
        render.write(render.clean(f"{step['phase']}: {step['detail'] or _DOING[step['phase']]}"))
    sys.stdout.flush()  # whoever reads our output should see it as it happens


_DOING = {
    "none": "it has not begun",
    "pausing": "trading is being paused, on record",
    "canceling": "every order that works is being canceled",
    "closing": "every position is being closed",
    "verifying": "the account is read until it was seen empty twice",
    "flat": "no order works, and nothing is held",
    "failed": "it cannot go on",
}


def _tell_left(last: dict[str, Any], within_s: float) -> None:
    held = [f"{quantity} {symbol}" for symbol, quantity in sorted(last["positions"].items())]
    left = ", ".join([*held, *last["open_orders"]]) or "what is left is not known"
    over = "it failed" if last["phase"] == "failed" else f"not flat within {within_s:g} s"
    line = f"NOT FLAT: {over}; left: {left}; look at `hydra-trader status`"
    typer.echo(line, err=True)
