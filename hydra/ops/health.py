"""`hydra-trader health`: is a running engine well, one line a check, and an exit code for programs.

For a container's or a service's health check: it answers within two seconds, whatever hangs.
"""

import threading
from collections.abc import Mapping
from typing import Any

import msgspec
import typer

from hydra import __version__
from hydra.ops.control.place import Place, holder_of, place_meant
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
from hydra.trading.findings import Finding

ANSWER_WITHIN_S = 1.3
"""With what the command takes to begin, less than two seconds."""

NOT_WELL = 1
NO_ENGINE = 3
"""Exit codes of this verb only; no engine ends with them in an orderly way."""


def health(
    venue: ForVenue = None,
    config: ConfigDir = CONFIG,
    state_dir: StateDir = None,
    log_dir: LogDir = None,
    json: Json = False,
) -> None:
    """Tell whether the running engine is well, within two seconds.

    One line a check, passed or failed, with what to do: the engine, its
    trading state, on live by what it is allowed, lease, loops, budgets,
    coverage, prices, trading stream, the last comparison with the venue,
    orders, record, bots, version, and whether the files in surfaces/ are fresh
    and, where `canary` is run, whether the broker keeps its contract.
    Changes nothing.

    Exit code 0: all is well; 1: an engine runs, and something is not (it may
    be halted on purpose); 3: no engine runs; 11: an engine has the record and
    does not answer: it starts, stops or hangs, or a command is at work on it;
    10: the settings are not fit.
    """
    place = place_meant(config, venue, state_dir, log_dir)
    with one_line_for_faults(place.said):
        look = look_at(place)
    checks, code = look.findings, look.code
    if json:
        from hydra.ops.debug.engine import write_json

        write_json([{"check": c.name, "passed": c.passed, "line": c.line} for c in checks])
    else:
        from hydra.ops.debug import render

        for check in checks:
            word = "pass" if check.passed else "FAIL"
            render.write(render.clean(f"{word}  {check.name}: {place.said.in_words(check.line)}"))
    raise typer.Exit(code)


class Look(msgspec.Struct, frozen=True):
    """What came of one look at the engine of a place. `told`: its answer to `status`, if any."""

    findings: tuple[Finding, ...]
    code: int
    told: Mapping[str, Any] | None = None


def how_it_is(place: Place) -> tuple[tuple[Finding, ...], int]:
    """What is to be said of the engine of a place, and the exit code that goes with it; without the
    files that it and the canary write for others, which keep it from nothing.
    """
    with one_line_for_faults():
        look = look_at(place, at_surfaces=False)
    return look.findings, look.code


def look_at(place: Place, *, at_surfaces: bool = True) -> Look:
    """One look, with what the engine told. Raises OSError where nobody can see who has it."""
    from hydra.ops.canary.results import contract_findings
    from hydra.ops.control.wellness import NOT_UNDERSTOOD, checks_of, not_understood
    from hydra.ops.surfaces.reading import surfaces_finding

    try:
        told = _asked(place, ANSWER_WITHIN_S)
    except CommandFailed as refused:
        line = f"it runs and does not say how it is: {refused}"
        return Look((Finding("engine", False, line),), NOT_WELL)
    except NoEngine as silent:
        return _without_answer(place, silent)
    try:
        checks = checks_of(told, __version__)
    except NOT_UNDERSTOOD as error:
        return Look((not_understood(error),), NOT_WELL)
    if at_surfaces:
        files = place.files
        checks = (*checks, surfaces_finding(files.surfaces), *contract_findings(files.canary))
    is_well = all(check.passed for check in checks)
    return Look(checks, int(ExitCode.CLEAN) if is_well else NOT_WELL, told)


def _without_answer(place: Place, silent: NoEngine) -> Look:
    holder = holder_of(place)
    if holder is None:
        line = f"none runs: {silent}; `hydra-trader status` tells how the last one ended"
        return Look((Finding("engine", False, line),), NO_ENGINE)
    if holder.command is not None:
        line = f"none runs: {holder.named} works on this record; wait until it is done"
        return Look((Finding("engine", False, line),), int(ExitCode.HELD_BY_ANOTHER))
    line = (
        f"one ({holder}) has this record and does not answer: {silent}; it starts, stops or hangs;"
        f" wait some seconds; if it goes on, kill -TERM {holder.pid}, then kill -KILL {holder.pid}"
    )
    return Look((Finding("engine", False, line),), int(ExitCode.HELD_BY_ANOTHER))


def _asked(place: Place, within_s: float) -> dict[str, Any]:
    """The answer of `status`. Raises `NoEngine` once the time is up, whatever it is spent on."""
    path = place.files.control_socket
    answers: list[dict[str, Any] | NoEngine | CommandFailed] = []

    def ask() -> None:
        try:
            with EngineClient(path, within_s) as client:
                answers.append(client.call("status"))
        except (NoEngine, CommandFailed) as failure:
            answers.append(failure)

    asking = threading.Thread(target=ask, name="health", daemon=True)
    asking.start()
    asking.join(within_s)
    if not answers:
        raise NoEngine(f"no answer from {path} within {within_s:g} s")
    answer = answers[0]
    if isinstance(answer, NoEngine | CommandFailed):
        raise answer
    return answer
