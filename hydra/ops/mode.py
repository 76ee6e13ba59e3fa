"""`hydra-trader mode`: which strategy mode is followed, and an operator's choice of another."""

import os
import time
from enum import StrEnum
from typing import Annotated, Any

import typer

from hydra.ops.control.place import (
    Place,
    by_whom,
    end_refused,
    end_unanswered,
    one_line_for_the_record,
    place_meant,
)
from hydra.ops.debug.client import CommandFailed, EngineClient, NoEngine
from hydra.ops.exit_codes import ExitCode
from hydra.ops.offline import CONFIG, ConfigDir, ForVenue, Json, LogDir, StateDir, end
from hydra.ops.reason import reason_given

VARIABLE = "HYDRA_STRATEGY_MODE"


class Mode(StrEnum):
    """From the boldest to the safest."""

    NONE = "none"
    PRIMARY = "primary"
    FALLBACK = "fallback"
    CONSERVATIVE = "conservative"
    FLAT = "flat"


Wanted = Annotated[
    Mode | None,
    typer.Argument(metavar="[MODE]", help="none, primary, fallback, conservative or flat."),
]
Why = Annotated[
    str,
    typer.Option(
        "--reason",
        help="Why: it goes on record with your name.",
        metavar="TEXT",
        show_default=False,
    ),
]


def mode(
    wanted: Wanted = None,
    reason: Why = "",
    venue: ForVenue = None,
    config: ConfigDir = CONFIG,
    state_dir: StateDir = None,
    log_dir: LogDir = None,
    json: Json = False,
) -> None:
    """Show the strategy mode, or follow another one, which needs a reason.

    A mode takes away from the bots what `modes` in bots.yaml says; flat takes
    away every entry, and what is held is managed until it is closed. What the
    files (or HYDRA_STRATEGY_MODE) say is the best that is followed: you can go
    further down, and back up to it. What is safer is in force at once, or
    closes all entries until a restart brings the rest; a step up comes with a
    restart. It is on record, and a restart does not forget it.

    Exit code 0: done; 1: the engine refused, and says why; 11: an engine has
    the record and does not answer; 13: the record cannot be written; 10: the
    settings are not fit; 2: usage.
    """
    place = place_meant(config, venue, state_dir, log_dir)
    if wanted is not None:
        if not reason.strip():
            raise typer.BadParameter("found no --reason, wanted one for the record")
        reason_given(reason)
    try:
        with EngineClient(place.files.control_socket) as client:
            told = _running(client, wanted, reason)
    except CommandFailed as refused:
        end_refused(str(refused))
    except NoEngine as silent:
        told = _stopped(place, silent, wanted, reason)
    _show(told, json=json)


def _running(client: EngineClient, wanted: Mode | None, reason: str) -> dict[str, Any]:
    if wanted is None:
        told = client.call("status")["configuration"]
        if told is None:
            end_refused("this engine does not follow its configuration while it runs")
    else:
        told = client.call("mode", mode=wanted.value, reason=reason)
    names = ("mode", "mode_wanted", "mode_why", "mode_by", "wants_restart")
    return {"engine": "running", **{name: told[name] for name in names}}


def _stopped(place: Place, silent: NoEngine, wanted: Mode | None, reason: str) -> dict[str, Any]:
    from hydra.ops.control.mode_at_rest import choose_at_rest, mode_on_record
    from hydra.ops.control.place import holder_of
    from hydra.trading.strategy_modes import NotAllowed, StrategyMode, followed

    configured = place.require_fit().modes.selected
    if named := os.environ.get(VARIABLE):
        try:
            configured = StrategyMode(named)
        except ValueError:
            end(f"{VARIABLE}: found {named!r}, no such mode", ExitCode.CONFIGURATION_REFUSED)
    if holder_of(place) is not None:
        end_unanswered(place, silent)
    with one_line_for_the_record(place, silent):
        if wanted is None:
            word = mode_on_record(place.files)
        else:
            try:
                word = choose_at_rest(
                    place.files,
                    place.venue,
                    configured,
                    StrategyMode(wanted.value),
                    reason=reason,
                    by=by_whom(),
                    at=time.time_ns(),
                )
            except NotAllowed as refused:
                end(str(refused), ExitCode.USAGE)
    return {
        "engine": "stopped",
        "mode": None,
        "mode_wanted": followed(configured, word).value,
        "mode_why": word.reason,
        "mode_by": word.by,
        "wants_restart": None,
    }


def _show(told: dict[str, Any], *, json: bool) -> None:
    from hydra.ops.debug import render
    from hydra.ops.debug.engine import write_json

    if json:
        write_json(told)
        return
    why = f" ({told['mode_why']}{', ' + told['mode_by'] if told['mode_by'] else ''})"
    if told["engine"] == "stopped":
        render.write(render.clean(f"no engine runs; the next start follows {told['mode_wanted']}"))
    elif told["mode"] == told["mode_wanted"]:
        render.write(render.clean(f"strategy mode {told['mode']}{why}"))
    else:
        render.write(
            render.clean(
                f"strategy mode {told['mode']}; {told['mode_wanted']} waits for a restart{why}"
            )
        )
    if told["wants_restart"]:
        render.write(render.clean(f"to be restarted: {told['wants_restart']}"))
