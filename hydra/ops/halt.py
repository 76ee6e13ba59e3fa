"""`hydra-trader halt`: stop all orders, of an engine that runs or of the next one that starts."""

import os
import shlex
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, Any

import typer

from hydra.ops.control.place import (
    Place,
    by_whom,
    end_refused,
    one_line_for_the_record,
    place_meant,
)
from hydra.ops.debug.client import CommandFailed, EngineClient, NoEngine
from hydra.ops.exit_codes import ExitCode
from hydra.ops.offline import CONFIG, ConfigDir, ForVenue, Json, LogDir, StateDir, end
from hydra.ops.reason import ReasonIfAny

ANSWER_WITHIN_S = 10.0
"""The engine takes 7 s at most: 2 for what is on its way, 5 for the record."""
DEBUG_ANSWER_WITHIN_S = 5.0
EARLY_WORD_AFTER_S = 2.0
"""Whoever wants to stop must not have to wait for all of that before he hears of another way."""

CloseOnly = Annotated[
    bool, typer.Option("--close-only", help="Let orders pass that reduce a position.")
]


def halt(
    reason: ReasonIfAny = "",
    close_only: CloseOnly = False,
    venue: ForVenue = None,
    config: ConfigDir = CONFIG,
    state_dir: StateDir = None,
    log_dir: LogDir = None,
    json: Json = False,
) -> None:
    """Stop all orders, now, until `resume`. Works on an engine that hangs, and
    on one that does not run.

    A running engine shuts its order gate at once, then says when nothing was
    on its way any more, and when the halt was on record so that a restart
    finds it. Where none runs, it is put on record, and the next start obeys.
    Positions stay; `flatten` closes them. Cancels still pass.

    Exit code 0: halted, and on record; 13: halted, but not on record, or with
    orders still on their way, or NOT HALTED, which it says then; 11: an engine
    has the record and does not answer (what to do is said); 10: the settings
    are not fit, and no engine was found without them; 2: usage.
    """
    place = place_meant(config, venue, state_dir, log_dir)
    told = halted(place, reason, close_only=close_only)
    if json:
        from hydra.ops.debug.engine import write_json

        write_json(told)
    else:
        from hydra.ops.debug import render

        for line in words_of(place, told):
            render.write(line)
    if not is_done(told):
        raise typer.Exit(int(ExitCode.DURABILITY_REFUSED))


def halted(place: Place, reason: str, *, close_only: bool) -> dict[str, Any]:
    """Halt the engine of a place, in the first way that works, and give what came of it.

    Raises `Ended` where it was not halted, or nobody knows.
    """
    socket = place.files.control_socket
    try:
        with _early_word(place):
            told = _asked(socket, ANSWER_WITHIN_S, reason, close_only=close_only)
    except NoEngine as silent:
        return _without_control(place, silent, reason, close_only=close_only)
    return {**told, "through": "control socket"}


def is_done(told: Mapping[str, Any]) -> bool:
    """Whether nothing is on its way any more, and a restart finds the halt."""
    return bool(told["acknowledged"] and told["on_record"])


def words_of(place: Place, told: dict[str, Any]) -> list[str]:
    """What came of a halt, for people; safe for a terminal."""
    from hydra.ops.debug import render

    lines = _at_rest_lines(place, told) if "where" in told else _running_lines(place, told)
    return [render.clean(place.said.in_words(line)) for line in lines]


@contextmanager
def _early_word(place: Place) -> Iterator[None]:
    """Say what else stops orders if the block takes long; it is waited for all the same."""
    files = place.files
    words = (
        f"no answer from the engine at {files.control_socket} yet; it is waited for; to stop its"
        f" orders without it: echo halt_all > {shlex.quote(str(files.kill_switch))}"
    )
    timer = threading.Timer(EARLY_WORD_AFTER_S, lambda: typer.echo(words, err=True))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _asked(path: Path, within_s: float, reason: str, *, close_only: bool) -> dict[str, Any]:
    try:
        with EngineClient(path, within_s) as client:
            return client.call("halt", reason=reason, close_only=close_only)
    except CommandFailed as refused:
        end_refused(str(refused))


def _without_control(
    place: Place, silent: NoEngine, reason: str, *, close_only: bool
) -> dict[str, Any]:
    """By the debug socket, which can halt too; and if there is none, on the record."""
    debug_socket = place.files.debug_socket
    try:
        told = _asked(debug_socket, DEBUG_ANSWER_WITHIN_S, reason, close_only=close_only)
    except NoEngine:
        return _at_rest(place, silent, reason, close_only=close_only)
    fault = f"the control socket does not answer ({silent})"
    nothing = {"on_record": None, "on_record_after_ms": None}
    return {**told, **nothing, "fault": fault, "through": "debug socket"}


def _at_rest(place: Place, silent: NoEngine, reason: str, *, close_only: bool) -> dict[str, Any]:
    from hydra.ops.control.at_rest import NOT_WRITTEN, NothingHere, halt_at_rest, mark_at_rest

    files, by, at = place.files, by_whom(), time.time_ns()
    with one_line_for_the_record(place, silent):
        try:
            if place.unfit is None:
                latched = halt_at_rest(files, place.venue, reason, by, at, close_only=close_only)
            else:
                latched = mark_at_rest(files, reason, by, at, place.unfit, close_only=close_only)
        except NothingHere:
            end(
                f"{place.unfit}\nNOT HALTED: {files.lock.parent}: found nothing that says that an"
                " engine ever ran there, and without settings there can be no first record; say"
                " another --state-dir, or mend the settings",
                ExitCode.CONFIGURATION_REFUSED,
            )
        except NOT_WRITTEN as failed:
            end(f"NOT HALTED: {failed}{_advice(place, failed)}", ExitCode.DURABILITY_REFUSED)
    return {
        "state": latched.cause.state.name,
        "code": latched.cause.code,
        "acknowledged": True,
        "after_ms": None,
        "in_flight": [],
        "on_record": "halt marker" if latched.fault else "ledger",
        "on_record_after_ms": None,
        "fault": latched.fault or None,
        "through": "the record",
        "where": latched.where,
        "was_new": latched.was_new,
        "withdrawn": latched.withdrawn,
    }


def _advice(place: Place, failed: Exception) -> str:
    """What halts all the same. An engine of somebody else's may run there, and was not reached."""
    from hydra.store.ledger import WrongOwner

    user = _owner_of(place.files.lock.parent)
    if user != os.geteuid():
        return f"; say it as user {user}, whose engine it is: sudo -u '#{user}' …"
    if isinstance(failed, WrongOwner):
        return ""  # it says itself what was meant
    return "; to keep the next start halted, set HYDRA_KILL_SWITCH=halt_all for it"


def _owner_of(folder: Path) -> int:
    """Of the folder, or of the nearest one above it that can be looked at."""
    for each in (folder.absolute(), *folder.absolute().parents):
        with suppress(OSError):
            return each.stat().st_uid
    return os.geteuid()


def _running_lines(place: Place, told: dict[str, Any]) -> list[str]:
    from hydra.ops.debug.render import duration

    lines = [f"{told['state']}: {_PASSES[told['state']]}, by the {told['through']}"]
    if told["acknowledged"]:
        lines.append(f"after {duration(told['after_ms'])} nothing was on its way any more")
    else:
        orders = ", ".join(told["in_flight"])
        lines.append(f"STILL ON THEIR WAY after {duration(told['after_ms'])}: {orders}")
    if told["on_record"]:
        took = duration(told["on_record_after_ms"])
        lines.append(f"after {took} it was on record in the {told['on_record']}")
    else:
        lines.append(
            "NOT ON RECORD, so a restart may not find it: to keep it halted,"
            f" echo halt_all > {shlex.quote(str(place.files.kill_switch))}"
        )
    if told["fault"]:
        lines.append(f"because {told['fault']}")
    return [*lines, _THE_WAY_OUT]


def _at_rest_lines(place: Place, told: dict[str, Any]) -> list[str]:
    folder = place.files.lock.parent
    lines = [f"no engine runs on {folder}; the next one that starts there will be {told['state']}"]
    lines.append(f"on record in {told['where']}")
    if told["fault"]:
        lines.append(f"and not in the ledger: {told['fault']}")
    if told["was_new"]:
        lines.append(
            "NO ENGINE EVER RAN THERE: if you mean another one, say where with --state-dir or"
            " --venue"
        )
    if told["withdrawn"]:
        lines.append("the `resume` that waited for the next start is taken back")
    return [*lines, _THE_WAY_OUT]


_PASSES = {
    "HALTED": "no order passes",
    "CLOSE_ONLY": "only orders that reduce a position pass",
}
_THE_WAY_OUT = "it ends by `hydra-trader resume --reason …`, not by itself"
