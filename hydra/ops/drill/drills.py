"""The drills: what is done to a running engine, and what has to follow, by when.

A drill is a function that is given a stage, does its fault, and gives how long it took until what
has to follow was on the disk; and one line in `DRILLS`. None says that it never came.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from functools import partial

import msgspec

from hydra.ops.drill.own_bot import BOT_ID
from hydra.ops.drill.sightings import Sight
from hydra.ops.drill.stage import Ground, NotDone, Stage
from hydra.ops.exit_codes import ExitCode
from hydra.settings import Settings
from hydra.store.events import AccountOpened, OrderAttempted, OrderIntended
from hydra.store.halt_marker import MARKER_BYTES
from hydra.store.private_files import FILE_RIGHTS
from hydra.testkit.judge.evidence import lives_in
from hydra.trading.causes import (
    DAILY_LOSS,
    DRAWDOWN,
    KILL_SWITCH,
    REJECTIONS,
    STALE_FEED,
    TRADING_STREAM_LOST,
)
from hydra.trading.kill_switch import HALT_ALL
from hydra.trading.orders import Role
from hydra.trading.trading_state import TradingState
from hydra.venues.alpaca.data_endpoints import Endpoint
from hydra.venues.alpaca.trading_stream import NAME
from hydra.venues.simulated.server.faults.alterations import Alteration
from hydra.venues.simulated.server.faults.request_faults import Alter, Answer, RequestRule
from messages.orders import OrderAccepted, OrderFilled, OrderRejected

KILL_FILE_S = 1.0
"""T_KILLFILE."""
STALE_NOTICED_S = 5.0
"""After the limit to the age of prices."""
STREAM_LOST_S = 33.0
"""Its silence of 20 s, the 10 s in which it may be back, and a second for each look."""
EVALUATED_EVERY_S = 5.0
"""At least so often the account's worth is judged."""
DETECTED_S = 2.0
"""T_DETECT."""
STARTS_AGAIN_S = 30.0
"""From kill -9 until the next engine has compared its record with the venue."""
GRACE_S = 10.0
"""Beyond its bound a drill waits so long, so that a failure has a number."""
AFTERWARDS_S = 3.0
"""An engine that halted is watched for so long: nothing may be sent."""
ORDER_WITHIN_S = 20.0
CLOSED_WITHIN_S = 30.0
"""What is held when the day's loss is too large."""
BETWEEN_ORDERS_S = 1.5
BEYOND = Decimal("1.1")
"""A loss is so many times its limit."""
PRICE_STREAMS = ("/v2/iex", "/v1beta3/crypto/us")
TRADING_STREAM = "/stream"
PRICES = " ".join(endpoint.value for endpoint in Endpoint)


class Drill(msgspec.Struct, frozen=True, kw_only=True):
    """`fault` and `rule` are for people; `bound_s` is machine time, by the settings.

    `play` gives the seconds from the fault to what has to follow; None: it never came.
    """

    name: str
    fault: str
    rule: str
    invariants: str
    bound_s: Callable[[Settings], float]
    play: Callable[[Stage, float], float | None]
    on_paper: bool = False


def kill_switch(stage: Stage, bound_s: float) -> float | None:
    """`halt_all` in the file, and then somebody wants to buy."""
    stage.start_trading()
    kill_file = stage.files.kill_switch
    kill_file.touch(mode=FILE_RIGHTS)
    began = time.monotonic()
    kill_file.write_bytes(HALT_ALL)
    halted = stage.wait(lambda: stage.on_disk.halts(KILL_SWITCH.code), bound_s + GRACE_S)
    _require_silence(stage)
    return _took(began, halted)


def stale_feed(stage: Stage, bound_s: float) -> float | None:
    """The price streams stay open and answer pings, and no price comes any more."""
    stage.start_trading()
    began = time.monotonic()
    if stage.scene.ground is Ground.EMBEDDED:
        _mute(stage, PRICE_STREAMS)
    else:
        stage.be_deaf_to(PRICES)

    def halted() -> object:
        return [each for each in stage.on_disk.halts(STALE_FEED.code) if each.symbol is None]

    seen = stage.wait(halted, bound_s + GRACE_S)
    _require_silence(stage)
    return _took(began, seen)


def silent_stream(stage: Stage, bound_s: float) -> float | None:
    """The stream that tells of orders stays open and answers pings, while an order executes."""
    stage.start_trading()
    began = time.monotonic()
    _mute(stage, (TRADING_STREAM,))
    stage.ask_for_order()
    stage.require(lambda: _own_orders(stage), ORDER_WITHIN_S, "nothing was ordered")
    filled = stage.wait(lambda: _fills(stage), bound_s + GRACE_S)
    return _took(began, filled)


def dead_stream(stage: Stage, bound_s: float) -> float | None:
    """Nothing comes of the stream that tells of orders, not even an answer to a ping."""
    stage.start_trading()
    began = time.monotonic()
    stage.be_deaf_to(NAME)
    halted = stage.wait(lambda: stage.on_disk.halts(TRADING_STREAM_LOST.code), bound_s + GRACE_S)
    _require_silence(stage)
    return _took(began, halted)


def lost_answer(stage: Stage, bound_s: float) -> float | None:
    """The venue takes an order, and answers 504."""
    stage.start_trading()
    rule = RequestRule(
        fault=Answer(status=504, landed=True),
        method="POST",
        path="/v2/orders",
        contains=stage.scene.ticker,
    )
    _mute(stage, (TRADING_STREAM,))  # nobody tells: it has to be asked for
    number = stage.venue.arm(rule)
    stage.ask_for_order()
    struck = stage.require(
        lambda: not stage.venue.strikes_left(number), ORDER_WITHIN_S, "no order was sent"
    )
    known = stage.wait(lambda: _proven(stage), bound_s + GRACE_S)
    stage.let_pass(AFTERWARDS_S)
    stage.stop()
    entries = _own_entries(stage)
    asked = [sent.name for life in lives_in(stage.files) for sent in life.sent]
    count = sum(name in entries for name in asked)
    if count != 1:
        stage.faults.append(f"the venue was sent {count} entries for one decision")
    return _took(struck.not_before, known)


def kill_9(stage: Stage, bound_s: float) -> float | None:
    """The process is gone in the middle of its work, and is started again."""
    stage.start_trading()
    if stage.scene.ground is Ground.EMBEDDED:
        stage.ask_for_order()
        stage.require(lambda: _fills(stage), ORDER_WITHIN_S, "no order was executed")
    passed = len(stage.on_disk.lines("preflight_passed"))
    began = time.monotonic()
    stage.engine.kill()
    stage.engine.leave_nothing()
    stage.start()
    ready = stage.wait(
        lambda: len(stage.on_disk.lines("preflight_passed")) > passed, bound_s + GRACE_S
    )
    stage.let_pass(AFTERWARDS_S)
    return _took(began, ready)


def full_disk(stage: Stage, bound_s: float) -> float | None:
    """No file of the engine can grow any more, as on a disk that is full."""
    if not sys.platform.startswith("linux"):
        raise NotDone("only Linux lets one limit the files of a process that runs")
    stage.start_trading()
    began = time.monotonic()
    # The halt marker has its space already, as it has on a full disk.
    resource.prlimit(stage.engine.pid, resource.RLIMIT_FSIZE, (MARKER_BYTES, MARKER_BYTES))
    marked = stage.wait(lambda: stage.on_disk.marked_halt, bound_s + GRACE_S)
    code = stage.engine.ended_within(GRACE_S)
    if not code or code < 0:
        stage.faults.append(f"it ended with {code}, wanted a code that says why")
    stage.engine.leave_nothing()
    attempts = len(stage.on_disk.events(OrderAttempted))
    stage.start()  # there is room again
    code = stage.engine.ended_within(STARTS_AGAIN_S)
    if code != ExitCode.PREFLIGHT_FAILED:
        wanted = int(ExitCode.PREFLIGHT_FAILED)
        stage.faults.append(f"the next engine ended with {code}, wanted {wanted}: halted")
    if len(stage.on_disk.events(OrderAttempted)) > attempts:
        stage.faults.append("the next engine sent an order")
    return _took(began, marked)


def drawdown(stage: Stage, bound_s: float) -> float | None:
    """The venue says that the account has lost more than it may, in the day and from its peak."""
    stage.start_trading()
    stage.ask_for_order()
    stage.require(lambda: _fills(stage), ORDER_WITHIN_S, "no order was executed")
    limits = stage.settings.risk.global_max_daily_loss_pct, _drawdown_pct(stage.settings)
    (opened,) = stage.on_disk.events(AccountOpened)
    left = opened.cash * (100 - max(limits) * BEYOND) / 100
    rule = RequestRule(
        fault=Alter(alteration=Alteration(set={"equity": f"{left:.2f}"})),
        method="GET",
        path="/v2/account",
        times=_FOR_GOOD,
    )
    number = stage.venue.arm(rule)
    heard = stage.require(
        lambda: stage.venue.strikes_left(number) < _FOR_GOOD,
        2 * stage.settings.guards.deadlines.reconcile_every_seconds + ORDER_WITHIN_S,
        "the account was not looked at",
    )

    def latched() -> object:
        return stage.on_disk.halts(DAILY_LOSS.code) and stage.on_disk.halts(DRAWDOWN.code)

    closed = stage.wait(latched, bound_s + GRACE_S)
    _require_no_entry(stage)

    def is_flat() -> bool:
        lost = stage.on_disk.halts(DAILY_LOSS.code)
        return any(cause.state is TradingState.HALTED for cause in lost)

    if stage.wait(is_flat, CLOSED_WITHIN_S) is None:
        stage.faults.append(f"not all is closed and halted {CLOSED_WITHIN_S:g} s later")
    return _took(heard.not_before, closed)


def rejects(stage: Stage, bound_s: float) -> float | None:
    """The venue refuses one order of a symbol after the other."""
    stage.start_trading()
    times = stage.settings.guards.pace.max_consecutive_rejects
    refusal = {"code": 40310000, "message": "insufficient buying power"}
    rule = RequestRule(
        fault=Answer(status=403, body=refusal),
        method="POST",
        path="/v2/orders",
        contains=stage.scene.ticker,
        times=times,
    )
    number = stage.venue.arm(rule)
    gap_s = max(
        BETWEEN_ORDERS_S,
        float(stage.settings.guards.order.similar_order_seconds) + 1,
        float(stage.settings.guards.pace.min_entry_gap_seconds) + 1,
        60 / stage.settings.guards.pace.max_entries_per_minute_per_symbol,
    )
    struck = None
    for count in range(1, times + 1):
        stage.ask_for_order()
        struck = stage.require(
            partial(_is_struck, stage, number, times - count),
            gap_s + ORDER_WITHIN_S,
            f"order {count} of {times} was not sent",
        )
        if count < times:
            stage.let_pass(gap_s)
    assert struck is not None, "at least one is refused"
    latched = stage.wait(lambda: stage.on_disk.halts(REJECTIONS.code), bound_s + GRACE_S)
    if len(stage.on_disk.events(OrderRejected)) < times:
        stage.faults.append(f"not all of the {times} refusals are on record")
    _require_no_entry(stage)
    return _took(struck.not_before, latched)


DRILLS: tuple[Drill, ...] = (
    Drill(
        name="kill_switch",
        fault="halt_all in the kill file",
        rule="a halt is durable, and no order leaves after it",
        invariants="I01 I12",
        bound_s=lambda _: KILL_FILE_S,
        play=kill_switch,
        on_paper=True,
    ),
    Drill(
        name="stale_feed",
        fault="price streams that answer pings and say nothing",
        rule="the whole feed is stale, which halts",
        invariants="I45",
        bound_s=lambda s: s.health.max_price_staleness_seconds + STALE_NOTICED_S,
        play=stale_feed,
        on_paper=True,
    ),
    Drill(
        name="silent_stream",
        fault="a stream of orders that answers pings and says nothing",
        rule="what executes is on record all the same: the venue is asked",
        invariants="I23 I47",
        bound_s=lambda s: s.guards.deadlines.reconcile_every_seconds + EVALUATED_EVERY_S,
        play=silent_stream,
    ),
    Drill(
        name="dead_stream",
        fault="a stream of orders of which nothing comes, no answer to a ping either",
        rule="it counts as lost, which halts",
        invariants="I45 I47",
        bound_s=lambda _: STREAM_LOST_S,
        play=dead_stream,
        on_paper=True,
    ),
    Drill(
        name="lost_answer",
        fault="504 for an order that was accepted",
        rule="its outcome is found out, and it is not sent again",
        invariants="I17 I19 I20",
        bound_s=lambda s: s.guards.deadlines.unknown_outcome_seconds,
        play=lost_answer,
    ),
    Drill(
        name="full_disk",
        fault="nothing can be written any more",
        rule="a halt is in the marker, the process ends, the next one stays halted",
        invariants="I03 I56 I64",
        bound_s=lambda s: s.runner.loop_interval_seconds + DETECTED_S,
        play=full_disk,
    ),
    Drill(
        name="kill_9",
        fault="kill -9, and a start",
        rule="it begins halted, agrees with the venue, and repeats nothing",
        invariants="I06 I16 I52 I60",
        bound_s=lambda _: STARTS_AGAIN_S,
        play=kill_9,
        on_paper=True,
    ),
    Drill(
        name="drawdown",
        fault="a loss beyond the day's limit and the drawdown's",
        rule="both limits close entries; what is held is closed, then all is halted",
        invariants="I09 I37",
        bound_s=lambda _: EVALUATED_EVERY_S,
        play=drawdown,
    ),
    Drill(
        name="rejects",
        fault="as many refusals in a row as are allowed",
        rule="the symbol is closed to entries",
        invariants="I39",
        bound_s=lambda _: DETECTED_S,
        play=rejects,
    ),
)
"""All there are, in the order in which they are done."""


def named(names: tuple[str, ...]) -> tuple[Drill, ...]:
    """The drills of these names; of no names, all. Raises LookupError, which says what there is."""
    known = {drill.name: drill for drill in DRILLS}
    for name in names:
        if name not in known:
            raise LookupError(f"--only {name}: no such drill; there are {', '.join(known)}")
    return tuple(drill for drill in DRILLS if not names or drill.name in names)


def _took(began: float, seen: Sight | None) -> float | None:
    return None if seen is None else seen.by - began


def _mute(stage: Stage, paths: tuple[str, ...]) -> None:
    if not stage.venue.mute(*paths):
        raise NotDone(f"no stream of {' or '.join(paths)} was open")


def _require_silence(stage: Stage) -> None:
    """Whatever is wanted, no order leaves any more."""
    before = len(stage.on_disk.events(OrderAttempted))
    if stage.scene.ground is Ground.EMBEDDED:
        stage.ask_for_order()
    stage.let_pass(AFTERWARDS_S)
    sent = len(stage.on_disk.events(OrderAttempted)) - before
    if sent:
        stage.faults.append(f"{sent} orders were sent while trading was halted")
    if stage.may_trade:
        stage.faults.append("trading is open again")


def _require_no_entry(stage: Stage) -> None:
    """The drills' own bot wants to buy once more, and is not let."""
    before = len(_own_entries(stage))
    stage.ask_for_order()
    stage.let_pass(AFTERWARDS_S)
    if len(_own_entries(stage)) > before:
        stage.faults.append("an entry was let through in spite of it")


def _own_orders(stage: Stage) -> dict[str, Role]:
    """The orders of the drills' own bot that are on record, and what they are for."""
    return {
        each.order.client_order_id: each.intent.decision.role
        for each in stage.on_disk.events(OrderIntended)
        if each.intent.decision.bot == BOT_ID
    }


def _own_entries(stage: Stage) -> set[str]:
    return {name for name, role in _own_orders(stage).items() if role is Role.ENTRY}


def _is_struck(stage: Stage, rule: int, left: int) -> bool:
    """Whether no more than so many strikes of the rule are left."""
    return stage.venue.strikes_left(rule) <= left


def _fills(stage: Stage) -> list[OrderFilled]:
    own = _own_orders(stage)
    filled = stage.on_disk.events(OrderFilled)
    return [each for each in filled if each.fill.client_order_id in own]


def _proven(stage: Stage) -> bool:
    """The venue's word on an entry of the drills' own bot is on record."""
    own = _own_orders(stage)
    accepted = stage.on_disk.events(OrderAccepted)
    return bool(_fills(stage)) or any(each.client_order_id in own for each in accepted)


def _drawdown_pct(settings: Settings) -> Decimal:
    return settings.guards.equity.max_session_drawdown_pct


_FOR_GOOD = 1_000_000
