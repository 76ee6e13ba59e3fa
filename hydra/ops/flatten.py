"""`hydra-trader flatten`: pause, cancel what works, close what is held, and prove that it is so."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import typer

from hydra.ops.at_rest.taking_up import EMBEDDED, require_embedded, taken_up
from hydra.ops.config.cli import Venue
from hydra.ops.control.place import (
    Place,
    Reason,
    end_refused,
    place_meant,
)
from hydra.ops.debug.client import CommandFailed, EngineClient, NoEngine
from hydra.ops.exit_codes import ExitCode
from hydra.ops.offline import CONFIG, Bars, ConfigDir, ForVenue, Json, LogDir, StateDir, end
from hydra.trading.durations import SECOND

if TYPE_CHECKING:
    from hydra.ops.at_rest.engine import EngineAtRest

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
        help="Watch it for so long; the engine goes on with it after that. Where none runs it is"
        " market time, and the next start, or flatten, goes on with it.",
    ),
]


class Asked(Protocol):
    """An engine that answers, over its socket or taken up at rest."""

    def call(self, command: str, **arguments: Any) -> dict[str, Any]:
        """See `EngineClient.call`."""


def flatten(
    reason: Reason,
    yes: Yes = False,
    close_only: CloseOnly = False,
    halt_all: HaltAll = False,
    paper: Paper = False,
    live: Live = False,
    within: Within = 300.0,
    data: Bars = None,
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

    Where no engine runs, its record is taken up and closed from here, without
    its bots; the embedded venue's market is played on in virtual time until
    that is done. Run with --data, it needs --data here too.

    Exit code 0: flat; 1: not flat, with what is left; 20: not flat, because
    the market is over, or because it failed closed; 2: usage, or without
    --yes, or nothing was ever traded here; 11: an engine has the record and
    does not answer (what to do is said); 13: the record cannot be used; 10:
    the settings are not fit.
    """
    if close_only and halt_all:
        end("found --close-only and --halt-all, wanted one of them", ExitCode.USAGE)
    meant = {Venue.PAPER: paper, Venue.LIVE: live}
    require_embedded(*(each.value for each, is_said in meant.items() if is_said or venue is each))
    place = place_meant(config, venue, state_dir, log_dir)
    require_embedded(EMBEDDED if place.unfit else place.venue)
    pause = "halted" if halt_all else "close_only"
    if not yes:
        end(_explanation(place, pause), ExitCode.USAGE)
    wish = {"reason": reason, "pause": pause}
    try:
        with EngineClient(place.files.control_socket) as client:
            last = _followed(client, wish, within, json=json)
    except NoEngine as silent:  # or it ended in the middle of it: then it is gone on with
        last = _followed_at_rest(place, silent, wish, within, data, json=json)
    if last["phase"] != "flat":
        if not json:
            _tell_left(last, within)
        raise typer.Exit(int(ExitCode.FAIL_CLOSED) if last.get("market_over") else NOT_FLAT)


def _explanation(place: Place, pause: str) -> str:
    state = {"halted": "HALTED", "close_only": "CLOSE_ONLY"}[pause]
    return (
        f"found no --yes, so nothing was done. With it, on venue {place.venue}: trading is paused"
        f" ({state}, until `hydra-trader resume`), every order that works is canceled, every"
        " position is closed at the market's price, and it is looked until none is left;"
        " `hydra-trader status` shows what there is to close"
    )


def _followed(
    client: EngineClient, wish: dict[str, str], within_s: float, *, json: bool
) -> dict[str, Any]:
    """Have a running engine do it, and tell each step; gives the last one. Raises `NoEngine`."""
    until = time.monotonic() + within_s

    def wait() -> bool:
        if time.monotonic() >= until:
            return False
        time.sleep(LOOK_EVERY_S)
        return True

    last: dict[str, Any] = {}
    try:
        for last in _steps(client, wish, wait):
            _tell(last, json=json)
    except CommandFailed as refused:
        end_refused(str(refused))
    return last


def _followed_at_rest(
    place: Place,
    silent: NoEngine,
    wish: dict[str, str],
    within_s: float,
    bars: Path | None,
    *,
    json: bool,
) -> dict[str, Any]:
    """Do it without an engine that runs, and tell each step; gives the last one."""
    from hydra.ops.debug.describing import utc_text

    last: dict[str, Any] = {}
    try:
        with taken_up(place, silent, bars, when_it_trades=True) as engine:
            until = engine.at + int(within_s * SECOND)

            def wait() -> bool:
                if engine.at >= until:
                    return False
                engine.go_on(SECOND)  # of market time
                return True

            if not json:
                _say(
                    f"EMBEDDED VENUE: not real money, not real fills; market: {engine.origin}",
                    f"no engine runs on {place.files.lock.parent}: done from here, without its"
                    " bots; the market goes on for it in virtual time, from"
                    f" {utc_text(engine.at)} on",
                )
            for step in _steps(engine, wish, wait):
                last = {**step, "at": utc_text(engine.at), "closed": _closed(engine)}
                last["market_over"] = engine.is_market_over
                _tell(last, json=json)
    except CommandFailed as refused:
        end_refused(str(refused))
    if not json:
        _say(*_lines_at_rest(last))
    return last


def _steps(
    engine: Asked, wish: dict[str, str], wait: Callable[[], bool]
) -> Iterator[dict[str, Any]]:
    """Each step as it comes, until it has ended, or `wait` says that it is enough."""
    found = engine.call("flatten", **wish)
    told: dict[str, Any] = {}
    while True:
        if found != told:
            told = found
            yield found
        if found["phase"] in ("flat", "failed") or not wait():
            return
        found = engine.call("flatten-progress")


def _closed(engine: "EngineAtRest") -> list[dict[str, str]]:
    return [
        {
            "bot": bot,
            "symbol": fill.symbol,
            "side": fill.side.value,
            "quantity": f"{fill.quantity:f}",
            "price": f"{fill.price:f}",
        }
        for bot, fill in engine.closed
    ]


def _lines_at_rest(last: dict[str, Any]) -> list[str]:
    lines = [
        f"{fill['side']} {fill['quantity']} {fill['symbol']} at {fill['price']} for {fill['bot']}"
        for fill in last["closed"]
    ]
    lines.append(
        f"the market is at {last['at']} now; the next run starts paused, until `hydra-trader"
        " resume --reason …`"
    )
    return lines


def _say(*lines: str) -> None:
    from hydra.ops.debug import render

    for line in lines:
        render.write(render.clean(line))


def _tell(step: dict[str, Any], *, json: bool) -> None:
    import sys

    from hydra.ops.debug.engine import write_json

    if json:
        write_json(step, line=True)
    else:
        _say(f"{step['phase']}: {step['detail'] or _DOING[step['phase']]}")
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
    if last.get("market_over"):
        over = "the market of this account is over, so that nothing of it can be closed any more"
    else:
        over = "it failed" if last["phase"] == "failed" else f"not flat within {within_s:g} s"
    line = f"NOT FLAT: {over}; left: {left}; look at `hydra-trader status`"
    typer.echo(line, err=True)
