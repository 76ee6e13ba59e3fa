"""`hydra-trader resume`: an operator has looked, and lets trading go on once all is clean."""

import time
from typing import Annotated, Any

import typer

from hydra.ops.control.place import (
    REFUSED,
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
from hydra.ops.reason import Reason

FOLLOW_S = 15.0
LOOK_EVERY_S = 0.25
"""As in `flatten`: it is asked again, and only this process sleeps."""

Codes = Annotated[
    list[str] | None,
    typer.Option(
        "--code",
        metavar="CODE",
        help="Only this cause, as `status` names it; may be said again. Else all that stand.",
        show_default=False,
    ),
]


def resume(
    reason: Reason,
    code: Codes = None,
    venue: ForVenue = None,
    config: ConfigDir = CONFIG,
    state_dir: StateDir = None,
    log_dir: LogDir = None,
    json: Json = False,
) -> None:
    """Let trading go on, once preflight and reconciliation have passed.

    Nothing is cleared by saying so: the engine clears what you let go at its
    next clean pass, and what is still wrong is latched again. Waits up to 15 s
    and says what became of it. Where no engine runs, your word is kept for the
    next start, for the halts that stand now and no others.

    Exit code 0: noted; 1: the engine refused, and says what to do; 11: an
    engine has the record and does not answer; 13: the record cannot be
    written; 10: the settings are not fit; 2: usage, or no such halt stands.
    """
    place = place_meant(config, venue, state_dir, log_dir)
    codes = tuple(code or ())
    try:
        client = EngineClient(place.files.control_socket)
    except NoEngine as silent:
        told = _at_rest(place, silent, reason, codes)
        _write(place, told, json=json)
        return
    with client:
        try:
            answer = client.call("resume", reason=reason, codes=codes)
            told = {**_followed(client, answer["noted"]), **answer}
        except CommandFailed as refused:
            end_refused(str(refused))
        except NoEngine as silent:
            end_unanswered(place, silent)
    _write(place, {"engine": "running", **told}, json=json)
    if told["refused"]:
        raise typer.Exit(REFUSED)


def _followed(client: EngineClient, noted: list[str]) -> dict[str, Any]:
    """What stands once what was noted is gone, or when it has been waited for long enough."""
    until = time.monotonic() + FOLLOW_S
    while True:
        found = client.call("trading-state")
        standing = {cause["code"] for cause in found["causes"]}
        if not standing.intersection(noted) or time.monotonic() >= until:
            return found
        time.sleep(LOOK_EVERY_S)


def _at_rest(place: Place, silent: NoEngine, reason: str, codes: tuple[str, ...]) -> dict[str, Any]:
    from hydra.ops.control.at_rest import NotStanding, resume_at_rest
    from hydra.ops.control.recorded import causes_of_next_start
    from hydra.terms import clearing_policy
    from hydra.trading.trading_state import CauseClass

    settings = place.require_fit()
    with one_line_for_the_record(place, silent):
        try:
            word = resume_at_rest(
                place.files, place.venue, reason, by_whom(), time.time_ns(), codes
            )
        except NotStanding as not_standing:
            end(str(not_standing), ExitCode.USAGE)
        coming = causes_of_next_start(
            place.files,
            needs_person=clearing_policy(settings).operator_only,
            now_wall=time.time_ns(),
        )
    noted = [] if word is None else list(word.codes)
    replaces = word is not None and word.replaces
    comes = {
        cause.code: cause.detail for cause in coming if cause.cause_class is not CauseClass.START
    }
    return {
        "engine": "stopped",
        "noted": noted,
        "refused": [],
        "replaces": replaces,
        "comes": comes,
    }


def _write(place: Place, told: dict[str, Any], *, json: bool) -> None:
    from hydra.ops.debug import render
    from hydra.ops.debug.engine import write_json

    if json:
        write_json(told)
        return
    lines = _at_rest_lines(told) if told["engine"] == "stopped" else _running_lines(told)
    for line in lines:
        render.write(render.clean(place.said.in_words(line)))


def _running_lines(told: dict[str, Any]) -> list[str]:
    standing = {cause["code"]: cause for cause in told["causes"]}
    lines = [f"refused: {line}" for line in told["refused"]]
    for code in told["noted"]:
        cleared = code not in standing
        lines.append(f"{'cleared' if cleared else 'noted, for the next clean pass'}: {code}")
    lines.append(f"trading is {told['trading_state']}")
    lines += [
        f"  {code}: {cause['detail']}; {cause['ends']}"
        + (f", not before {cause['not_before']}" if cause["not_before"] else "")
        for code, cause in standing.items()
    ]
    return lines


def _at_rest_lines(told: dict[str, Any]) -> list[str]:
    # A start latches it, so that nobody can have looked at it before (I03).
    comes = [
        f"NOT LET GO, as it comes with the next start: {code}: {detail}; say `hydra-trader resume"
        " --reason …` once more after that start"
        for code, detail in told["comes"].items()
    ]
    if not told["noted"]:
        return ["no engine runs, and no halt is on record: there is nothing to resume", *comes]
    lines = [
        f"no engine runs: kept for the next start, to be cleared once all is clean: {code}"
        for code in told["noted"]
    ]
    if told["replaces"]:
        lines.append("it takes the place of an earlier one")
    return [*lines, *comes]
