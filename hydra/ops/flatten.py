"""`hydra-trader flatten`: pause, cancel what works, close what is held, and prove that it is so."""

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, Protocol

import typer

from hydra.ops.at_rest.taking_up import taken_up
from hydra.ops.config.cli import Venue
from hydra.ops.control.place import (
    Place,
    by_whom,
    end_refused,
    one_line_for_the_record,
    place_meant,
)
from hydra.ops.debug.client import CommandFailed, EngineClient, NoEngine
from hydra.ops.exit_codes import ExitCode
from hydra.ops.offline import CONFIG, Bars, ConfigDir, ForVenue, Json, LogDir, StateDir, end
from hydra.ops.reason import Reason

if TYPE_CHECKING:
    from hydra.ops.at_rest.engine import EngineAtRest

LOOK_EVERY_S = 0.25
"""An engine answers questions and tells nothing by itself, so it is asked again. To sleep meanwhile
holds up nobody: this process does nothing else, and a signal ends it.
"""
WORD_EVERY_S = 10.0
"""A person who has to get out hears so often at least that it is still being done."""
RECORDED_WITHIN_S = 10.0
NOT_FLAT = 1
"""The exit code where something is left."""

Yes = Annotated[bool, typer.Option("--yes", help="Do it. Without this it is only explained.")]
CloseOnly = Annotated[
    bool,
    typer.Option("--close-only", help="Afterwards only what reduces a position passes: the usual."),
]
HaltAll = Annotated[bool, typer.Option("--halt-all", help="Afterwards let no order pass at all.")]
Withdraw = Annotated[
    bool,
    typer.Option(
        "--withdraw",
        help="Close no more of what is not closed yet: end the flatten that is under way.",
    ),
]
Paper = Annotated[bool, typer.Option("--paper", help="The paper account; with --live both.")]
Live = Annotated[bool, typer.Option("--live", help="The live account.")]
Within = Annotated[
    float,
    typer.Option(
        "--within",
        metavar="SECONDS",
        min=0.1,
        help="Watch it for so long; the engine goes on with it after that. Where none runs, the"
        " next start, or flatten, goes on with it.",
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
    withdraw: Withdraw = False,
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
    pauses stays paused until `resume`. What is held in a market that is closed
    keeps its stops, and is closed when that opens, unless --withdraw is said
    before.

    Where no engine runs, its record is taken up and closed from here, without
    its bots; the embedded venue's market goes on meanwhile, as fast as in the
    run. Run with --data, it needs --data here too.

    Exit code 0: flat, or withdrawn; 1: not flat, with what is left, or not
    withdrawn; 20: not flat, because the market is over, or because it failed
    closed; 2: usage, or without --yes, or nothing was ever traded here; 11: an
    engine has the record and does not answer (what to do is said); 13: the
    record cannot be used; 10: the settings are not fit.
    """
    said = [
        option
        for option, is_said in (
            ("--close-only", close_only),
            ("--halt-all", halt_all),
            ("--withdraw", withdraw),
        )
        if is_said
    ]
    if len(said) > 1:
        end(f"found {' and '.join(said)}, wanted one of them", ExitCode.USAGE)
    pause = "halted" if halt_all else "close_only"
    codes = []
    for each in _venues_meant(venue, paper=paper, live=live, has_folder=state_dir is not None):
        try:
            place = place_meant(config, each, state_dir, log_dir)
            if withdraw:
                _withdraw_on(place, reason, json=json)
                continue
            if not yes:
                end(_explanation(place, pause), ExitCode.USAGE)
            wish = {"reason": reason, "pause": pause}
            codes.append(_flatten_on(place, wish, within, data, json=json))
        except typer.Exit as ended:  # what is in the way of the one must not keep the other
            codes.append(ended.exit_code)
    raise typer.Exit(next((code for code in codes if code), 0))


def _venues_meant(
    venue: Venue | None, *, paper: bool, live: bool, has_folder: bool
) -> tuple[Venue | None, ...]:
    """The venues to flatten, one after the other; None: the one of the settings."""
    said = [each for each, is_said in ((Venue.PAPER, paper), (Venue.LIVE, live)) if is_said]
    if said and venue is not None and said != [venue]:
        found = " and ".join(f"--{each.value}" for each in said)
        end(f"found --venue {venue.value} and {found}, wanted one of them", ExitCode.USAGE)
    if len(said) > 1 and has_folder:
        end(
            "found --paper and --live with --state-dir; each has a folder of its own: leave it out,"
            " or say one at a time",
            ExitCode.USAGE,
        )
    return tuple(said) or (venue,)


def _flatten_on(
    place: Place, wish: dict[str, str], within: float, data: Path | None, *, json: bool
) -> int:
    """Do it there; gives the exit code."""
    try:
        with EngineClient(place.files.control_socket) as client:
            last = _followed(place, client, wish, within, json=json)
    except NoEngine as silent:  # or it ended in the middle of it: then it is gone on with
        last = _followed_at_rest(place, silent, wish, within, data, json=json)
    if last["phase"] == "flat":
        return int(ExitCode.CLEAN)
    if not json:
        _tell_left(place, last, within)
    return int(ExitCode.FAIL_CLOSED) if last.get("market_over") else NOT_FLAT


def _withdraw_on(place: Place, reason: str, *, json: bool) -> None:
    """The flatten that is under way there ends where it is."""
    from hydra.trading.flatten import Phase

    try:
        with EngineClient(place.files.control_socket) as client:
            last = client.call("flatten-progress")
            if not Phase(last["phase"]).is_under_way:
                _end_without_flatten(place, "no flatten is under way")
            last = _recorded(place, client, client.call("withdraw-flatten", reason=reason))
    except CommandFailed as refused:
        end_refused(str(refused))
    except NoEngine as silent:
        last = _withdrawn_at_rest(place, silent, reason)
    _tell(last, json=json)


def _recorded(place: Place, client: EngineClient, last: dict[str, Any]) -> dict[str, Any]:
    """Once a restart would find it so: before that nobody may be told that it is over."""
    from hydra.trading.flatten import Phase

    until = time.monotonic() + RECORDED_WITHIN_S
    while not last["recorded"]:
        if time.monotonic() >= until:
            text = (
                f"NOT CERTAIN: withdrawn, but not on record within {RECORDED_WITHIN_S:g} s: an"
                " engine that starts anew would go on with it; look at `hydra-trader status`"
            )
            end(place.said.in_words(text), ExitCode.DURABILITY_REFUSED)
        time.sleep(LOOK_EVERY_S)  # an engine tells nothing by itself
        last = client.call("flatten-progress")
    if Phase(last["phase"]).is_under_way:  # the word was lost with an actor that failed
        end_refused(f"NOT WITHDRAWN: it goes on ({last['phase']}); say it again")
    return last


def _withdrawn_at_rest(place: Place, silent: NoEngine, reason: str) -> dict[str, Any]:
    from hydra.ops.control.at_rest import NoFlatten, withdraw_flatten_at_rest

    place.require_fit()
    with one_line_for_the_record(place, silent):
        try:
            state = withdraw_flatten_at_rest(
                place.files, place.venue, reason, by_whom(), time.time_ns()
            )
        except NoFlatten as none:
            _end_without_flatten(place, str(none))
    return {
        "phase": state.phase.value,
        "detail": state.detail,
        "open_orders": list(state.open_orders),
        "positions": {symbol: f"{quantity:f}" for symbol, quantity in state.left},
        "opens_at": None,
        "recorded": True,
    }


def _end_without_flatten(place: Place, found: str) -> NoReturn:
    text = f"found that {found}, wanted one to withdraw; look at `hydra-trader status`"
    end(place.said.in_words(text), ExitCode.USAGE)


def _explanation(place: Place, pause: str) -> str:
    state = {"halted": "HALTED", "close_only": "CLOSE_ONLY"}[pause]
    return place.said.in_words(
        f"found no --yes, so nothing was done. With it, on venue {place.venue}: trading is paused"
        f" ({state}, until `hydra-trader resume`), every order that works is canceled, every"
        " position is closed at the market's price, and it is looked until none is left;"
        " `hydra-trader status` shows what there is to close"
    )


class _Patience:
    """How long it is waited for, and what a person hears while no step comes."""

    def __init__(self, place: Place, within_s: float, *, json: bool) -> None:
        self._place = place
        self._began = self._said = time.monotonic()
        self._within_s = within_s
        self._json = json

    def renew(self) -> None:
        """A step was told."""
        self._said = time.monotonic()

    def lasts(self, last: dict[str, Any]) -> bool:
        """Whether it is waited for any longer; `last` is the step that was told last."""
        now = time.monotonic()
        took_s = now - self._began
        if took_s >= self._within_s:
            return False
        # A market that is closed was told of, with until when.
        is_quiet = self._json or last["phase"] == "waiting"
        if not is_quiet and now - self._said >= WORD_EVERY_S:
            self._said = now
            text = (
                f"still {last['phase']} after {took_s:.0f} s; {_left(last)}; it goes on, and"
                " `hydra-trader status` says whether the venue answers"
            )
            _say(self._place.said.in_words(text))
            sys.stdout.flush()
        return True


def _followed(
    place: Place, client: EngineClient, wish: dict[str, str], within_s: float, *, json: bool
) -> dict[str, Any]:
    """Have a running engine do it, and tell each step; gives the last one. Raises `NoEngine`."""
    patience = _Patience(place, within_s, json=json)

    def wait() -> bool:
        if not patience.lasts(last):
            return False
        time.sleep(LOOK_EVERY_S)
        return True

    last: dict[str, Any] = {}
    try:
        for last in _steps(client, wish, wait):
            _tell(last, json=json)
            patience.renew()
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
        with taken_up(place, silent, bars, "flatten") as engine:
            patience = _Patience(place, within_s, json=json)

            def wait() -> bool:
                if not patience.lasts(last):
                    return False
                engine.wait(LOOK_EVERY_S)
                return True

            if not json:
                _say(
                    engine.heading,
                    f"no engine runs on {place.files.lock.parent}: done from here, without its"
                    f" bots; market time is {utc_text(engine.at)}",
                )
            for step in _steps_at_rest(engine, wish, wait):
                last = {**step, "at": utc_text(engine.at), "closed": _closed(engine)}
                last["market_over"] = engine.is_market_over
                _tell(last, json=json)
                patience.renew()
    except CommandFailed as refused:
        end_refused(str(refused))
    if not json:
        _say(*map(place.said.in_words, _lines_at_rest(last)))
    return last


def _steps(
    engine: Asked, wish: dict[str, str], wait: Callable[[], bool]
) -> Iterator[dict[str, Any]]:
    """Each step as it comes, until it has ended, or `wait` says that it is enough."""
    found = engine.call("flatten", **wish)
    told: dict[str, Any] = {}
    while True:
        # That a phase has come on record is no further step.
        if {**found, "recorded": told.get("recorded")} != told:
            yield found
        told = found
        if found["phase"] in ("flat", "failed") or not wait():
            return
        found = engine.call("flatten-progress")


def _steps_at_rest(
    engine: "EngineAtRest", wish: dict[str, str], wait: Callable[[], bool]
) -> Iterator[dict[str, Any]]:
    """As `_steps`. Once nothing trades there any more it is not waited for."""
    step: dict[str, Any] = {}

    def is_in_vain() -> bool:
        return step["phase"] in ("waiting", "failed") and engine.is_market_over

    for step in _steps(engine, wish, lambda: not is_in_vain() and wait()):
        yield step
    if is_in_vain():
        detail = f"the market is over; {step['detail']}"
        yield {**step, "phase": "failed", "detail": detail, "opens_at": None}


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
    from hydra.ops.debug.engine import write_json

    if json:
        write_json(step, line=True)
    else:
        until = f"until {step['opens_at']} (market time): " if step["opens_at"] else ""
        _say(f"{step['phase']}: {until}{step['detail'] or _DOING[step['phase']]}")
    sys.stdout.flush()  # whoever reads our output should see it as it happens


_DOING = {
    "none": "it has not begun",
    "pausing": "trading is being paused, on record",
    "canceling": "every order that works is being canceled",
    "closing": "every position is being closed",
    "verifying": "the account is read until it was seen empty twice",
    "flat": "no order works, and nothing is held",
    "waiting": "until a market opens",
    "failed": "it cannot go on",
}


def _left(last: dict[str, Any]) -> str:
    held = [f"{quantity} {symbol}" for symbol, quantity in sorted(last["positions"].items())]
    left = ", ".join([*held, *last["open_orders"]])
    return f"left: {left}" if left else "what is left is not known"


def _tell_left(place: Place, last: dict[str, Any], within_s: float) -> None:
    what_next = "look at `hydra-trader status`"
    if last.get("market_over"):
        why = "the market of this account is over, so that nothing of it can be closed any more"
    elif last["phase"] == "failed":
        why = "it failed"
    else:
        why = f"not flat within {within_s:g} s"
        if last["phase"] == "waiting":
            why += ", and waiting for a market to open"
        goes_on = "the next start" if "market_over" in last else "the engine"
        what_next = f"{goes_on} goes on with it, until `hydra-trader flatten --withdraw` is said"
    text = f"NOT FLAT: {why}; {_left(last)}; {what_next}"
    typer.echo(place.said.in_words(text), err=True)
