"""`hydra-trader status`: may it trade, why not, and what it has; running or not."""

from typing import Any

import typer

from hydra.ops.control.place import Place, end_refused, holder_of, place_meant
from hydra.ops.debug.client import CommandFailed, EngineClient, NoEngine
from hydra.ops.exit_codes import ExitCode
from hydra.ops.offline import (
    CONFIG,
    ConfigDir,
    ForVenue,
    Json,
    LogDir,
    StateDir,
    one_line_for_faults,
)

ANSWER_WITHIN_S = 5.0


def status(
    venue: ForVenue = None,
    config: ConfigDir = CONFIG,
    state_dir: StateDir = None,
    log_dir: LogDir = None,
    json: Json = False,
) -> None:
    """Show how the engine is: whether it may trade and why not, its bots, its
    orders, what it holds. Changes nothing.

    Where no engine runs: how the last one ended, the halts that the next start
    finds, and what is on record. What is not known is shown as – (null with
    --json), never made up.

    Exit code 0: it is shown; 11: an engine has the record and does not answer
    (what is on record is shown); 13: the record cannot be read; 12: a later
    Hydra wrote it; 10: the settings are not fit; 2: there is no record.
    """
    from hydra.ops.canary.results import contract_findings

    place = place_meant(config, venue, state_dir, log_dir)
    try:
        told = _asked(place)
    except NoEngine as silent:
        told = told_without_engine(place, str(silent))
    warnings = [
        f"{found.name}: {found.line}"
        for found in contract_findings(place.files.canary)
        if not found.passed
    ]
    told = {**told, "notes": [*told["notes"], *warnings]}
    if json:
        from hydra.ops.debug.engine import write_json

        write_json(told)
    else:
        from hydra.ops.control.page import show

        show({**told, "notes": [place.said.in_words(note) for note in told["notes"]]})
    if told["state"] == "not answering":
        raise typer.Exit(int(ExitCode.HELD_BY_ANOTHER))


def _asked(place: Place) -> dict[str, Any]:
    try:
        with EngineClient(place.files.control_socket, ANSWER_WITHIN_S) as client:
            return client.call("status")
    except CommandFailed as refused:
        end_refused(str(refused))


def told_without_engine(place: Place, why: str) -> dict[str, Any]:
    """What is on record where no engine answered, and `why` none did. Raises `Ended`."""
    from hydra.ops.control.recorded import status_at_rest

    place.require_readable()
    with one_line_for_faults(place.said):
        told = status_at_rest(place.files, place.venue)
        holder = holder_of(place)
    if place.unfit is not None:
        told = {**told, "notes": [*told["notes"], f"the settings are not fit: {place.unfit}"]}
    if holder is None:
        return told
    # An engine that hangs may have sends on their way: whether it trades is not known, nor what its
    # bots do.
    bots = [{**bot, "status": None} for bot in told["bots"]]
    note = f"{holder.named} has this record and does not answer: {why}"
    if holder.command is not None:
        note = f"{holder.named} works on this record, and no engine runs; wait until it is done"
    state = {"state": "not answering", "trading_state": None}
    return {**told, **state, "bots": bots, "notes": [note]}
