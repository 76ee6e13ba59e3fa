"""The commands that look at actors and their mailboxes. None of them changes anything."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from hydra.actor import MILLISECOND
from hydra.ops.debug.asking import Caller, NotInTime, ask, let_pass
from hydra.ops.debug.describing import (
    Refused,
    Row,
    actor_row,
    below,
    cell_at,
    in_ms,
    message_row,
    newest,
    plain,
    some,
    utc_text,
)
from hydra.runtime.cell import Cell
from hydra.runtime.envelope import AskedBy
from hydra.runtime.inspection import Running, running_in, stack_of
from hydra.runtime.runtime import Runtime
from hydra.runtime.statistics import counts_of, handling_of, rates
from hydra.runtime.system import Inspect

Limit = Annotated[int, Meta(ge=1, le=5_000)]
Milliseconds = Annotated[int, Meta(ge=1, le=60_000)]
Path = Annotated[str, Meta(min_length=1, max_length=500)]
MaybePath = Annotated[str, Meta(max_length=500)]

NO_READING = "--dirty reads the state without asking the actor: it may be half changed"


class Arguments(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a command takes. Anything else is refused by name."""


class NoArguments(Arguments, frozen=True):
    """Takes nothing."""


class OneActor(Arguments, frozen=True):
    """`path`: whose; the end of a path is enough if only one fits."""

    path: Path


class SomeActors(Arguments, frozen=True):
    """`path`: it and all below it; empty: all there are."""

    path: MaybePath = ""
    limit: Limit = 1_000


class Mailboxes(SomeActors, frozen=True):
    """`window_ms`: over which the rates are counted; 0: not at all."""

    sort: Literal["depth", "age", "rate", "tree"] = "depth"
    window_ms: Annotated[int, Meta(ge=0, le=60_000)] = 0


class Peek(OneActor, frozen=True):
    """`type`: only messages of this type. `payload`: their content too, as text."""

    count: Limit = 10
    lane: Literal["user", "control"] = "user"
    type: MaybePath = ""
    payload: bool = False


class State(OneActor, frozen=True):
    """`dirty`: read it in this thread, without the actor."""

    timeout_ms: Milliseconds = 1_000
    dirty: bool = False


class Log(OneActor, frozen=True):
    """`count`: of the newest."""

    count: Limit = 20
    payload: bool = False


class History(SomeActors, frozen=True):
    """`traces`: the tracebacks of the failures too."""

    limit: Limit = 50
    traces: bool = False


def tree(runtime: Runtime, arguments: SomeActors, _caller: Caller) -> dict[str, Any]:
    """Everyone in start order, with the level in the tree."""
    now = runtime.now()
    found = below(runtime, arguments.path)
    rows = [{"level": level, **actor_row(cell, now)} for level, cell in found]
    return some(rows, arguments.limit)


_ORDERS: dict[str, Callable[[Row], Any]] = {
    "depth": lambda row: (-row["depth"] - row["control_depth"], row["path"]),
    "age": lambda row: (-row["oldest_ms"], row["path"]),
    "rate": lambda row: (-row.get("rate", 0.0), row["path"]),
    "tree": lambda row: 0,
}


def mailboxes(runtime: Runtime, arguments: Mailboxes, caller: Caller) -> dict[str, Any]:
    """Every mailbox's depth, age and counts; with rates if a window is given or they sort it."""
    window = arguments.window_ms * MILLISECOND
    if arguments.sort == "rate" and not window:
        window = 1_000 * MILLISECOND
    cells = [cell for _, cell in below(runtime, arguments.path)]
    before, began = counts_of(cells), runtime.now()
    if window:
        let_pass(runtime, window, caller)
    now = runtime.now()
    found = rates(before, counts_of(cells), now - began) if window else {}
    rows = []
    for cell in cells:
        row = actor_row(cell, now)
        if (rate := found.get(cell.path)) is not None:
            row["rate"], row["rate_in"] = round(rate.handled, 1), round(rate.came, 1)
        rows.append(row)
    rows.sort(key=_ORDERS[arguments.sort])
    return some(rows, arguments.limit, window_ms=in_ms(now - began) if window else None)


def peek(runtime: Runtime, arguments: Peek, _caller: Caller) -> dict[str, Any]:
    """What waits in a mailbox, from the head. It stays there."""
    cell = cell_at(runtime, arguments.path)
    mailbox, now = cell.mailbox, runtime.now()
    control = arguments.lane == "control"
    depth = len(mailbox.control if control else mailbox.user)
    envelopes = mailbox.peek(depth if arguments.type else arguments.count, control=control)
    rows = []
    for place, envelope in enumerate(envelopes):
        if arguments.type in ("", type(envelope.message).__name__):
            row = message_row(envelope, now, payload=arguments.payload)
            rows.append({"place": place, **row})
            if len(rows) == arguments.count:
                break
    facts = {"path": cell.path, "lane": arguments.lane, "depth": depth, "bound": mailbox.bound}
    return some(rows, arguments.count, **facts)


def state(runtime: Runtime, arguments: State, caller: Caller) -> dict[str, Any]:
    """What the actor says of its state, between two messages; or where it is stuck instead."""
    cell = cell_at(runtime, arguments.path)
    told: dict[str, Any] = {
        "path": cell.path,
        "status": cell.shown_status,
        "incarnation": cell.incarnation,
        "dirty": arguments.dirty,
    }
    if arguments.dirty:
        return {**told, "state": plain(cell.view())}
    try:
        view = ask(runtime, cell, Inspect(), arguments.timeout_ms * MILLISECOND, caller)
    except NotInTime as late:
        reason = {"state": None, "not_answered": str(late), "hint": NO_READING}
        return {**told, **reason, **_doing(cell, runtime.now())}
    if view is None:
        raise Refused(f"{cell.path} stopped before it answered")
    return {**told, "state": plain(view)}


def _doing(cell: Cell, now: int) -> Row:
    """What the actor does at the moment: since when, on which message, where in the code."""
    running = running_in(cell)
    if running is None:
        return {"busy_ms": 0.0, "current": None, "thread": None, "stack": []}
    envelope = running.envelope
    return {
        "busy_ms": in_ms(now - running.since),
        "current": None if envelope is None else message_row(envelope, now, payload=True),
        "thread": None if running.thread is None else running.thread.name,
        "stack": _stack_in(cell, running),
    }


def _stack_in(cell: Cell, running: Running) -> list[str]:
    stack = stack_of(running.thread)
    again = running_in(cell)
    # The thread may have gone on to another cell while it was looked at.
    return stack if again is not None and again.since == running.since else []


def stack(runtime: Runtime, arguments: OneActor, _caller: Caller) -> dict[str, Any]:
    """Where in the code the actor's handler is; empty if none runs."""
    cell = cell_at(runtime, arguments.path)
    return {
        "path": cell.path,
        "status": cell.shown_status,
        **_doing(cell, runtime.now()),
    }


def log(runtime: Runtime, arguments: Log, _caller: Caller) -> dict[str, Any]:
    """The last messages handled, newest last, with how long each waited and took."""
    cell = cell_at(runtime, arguments.path)
    now = runtime.now()
    rows = [
        {
            **message_row(envelope, now, payload=arguments.payload),
            "wait_ms": in_ms(max(0, began - envelope.at)),
            "took_ms": in_ms(took),
        }
        for envelope, began, took in cell.handled.all()
    ]
    return newest(rows, arguments.count, path=cell.path)


def stats(runtime: Runtime, arguments: SomeActors, _caller: Caller) -> dict[str, Any]:
    """How many messages, and how long the last ones waited and took."""
    rows = []
    for _, cell in below(runtime, arguments.path):
        figures = handling_of(cell)
        rows.append(
            {
                "path": cell.path,
                "processed": cell.processed,
                "failures": cell.failed_count,
                "restarts": cell.restarts,
                "handled_ms": in_ms(cell.busy_ns),
                "over_last": figures.remembered,
                "wait_p50_ms": in_ms(figures.wait_p50),
                "wait_p99_ms": in_ms(figures.wait_p99),
                "took_p50_ms": in_ms(figures.handle_p50),
                "took_p99_ms": in_ms(figures.handle_p99),
                "took_max_ms": in_ms(figures.handle_max),
            }
        )
    return some(rows, arguments.limit)


def children(runtime: Runtime, arguments: OneActor, _caller: Caller) -> dict[str, Any]:
    """A supervisor's children in start order, with how each is to be run and restarted."""
    parent = cell_at(runtime, arguments.path)
    now = runtime.now()
    rows = []
    for cell in list(parent.children.values()):
        spec = cell.spec
        row = {
            "path": cell.path,
            "actor": spec.actor.__name__,
            "status": cell.shown_status,
            "incarnation": cell.incarnation,
            "restarts": cell.restarts,
            "restart": spec.restart.value,
            "critical": spec.critical,
            "significant": spec.significant,
            "dispatcher": spec.dispatcher.value,
            "hang_after_ms": in_ms(spec.hang_after),
            "running_ms": in_ms(now - cell.started_at) if cell.started_at else None,
            "last_failure": cell.last_failure(),
        }
        rows.append(row)
    return some(rows, 5_000, path=parent.path)


def history(runtime: Runtime, arguments: History, _caller: Caller) -> dict[str, Any]:
    """Starts, failures, restarts, stops and trips, newest last."""
    now = runtime.now()
    try:
        under = cell_at(runtime, arguments.path).path if arguments.path else ""
    except Refused:
        under = arguments.path  # of one that is gone there is history too
    rows = [
        {
            "ago_ms": in_ms(now - event.at),
            "at": utc_text(event.market_at),
            "path": event.path,
            "incarnation": event.incarnation,
            "what": event.what,
            "detail": plain(event.detail),
        }
        for event in list(runtime.history)
        if not under or event.path == under or event.path.startswith(f"{under}/")
    ]
    told = newest(rows, arguments.limit)
    if arguments.traces:
        told["traces"] = [
            {"path": cell.path, "incarnation": failure.incarnation, "trace": plain(failure.trace)}
            for cell in list(runtime.cells.values())
            for failure in cell.failures
            if not under or cell.path == under or cell.path.startswith(f"{under}/")
        ][-20:]
    return told


def timers(runtime: Runtime, arguments: SomeActors, _caller: Caller) -> dict[str, Any]:
    """What actors have asked to be told later; due in less than 0 ms: it waits in the mailbox."""
    now = runtime.now()
    rows: list[Row] = [
        {
            "path": cell.path,
            "key": timer.key,
            "type": type(timer.message).__name__,
            "due_ms": in_ms(timer.due - now),
            "period_ms": in_ms(timer.period) if timer.period else None,
            "fired": timer.fired,
            "waits": timer.waiting,
        }
        for _, cell in below(runtime, arguments.path)
        for timer in list(cell.context.timers.values())
        if not timer.key.startswith("ask:")
    ]
    rows.sort(key=lambda row: row["due_ms"])
    return some(rows, arguments.limit)


def watchers(runtime: Runtime, arguments: SomeActors, _caller: Caller) -> dict[str, Any]:
    """Who is told when somebody is gone for good, and who is told what is published."""
    cells = [cell for _, cell in below(runtime, arguments.path)]
    paths = {cell.path for cell in cells}
    rows = [
        {"path": cell.path, "watched_by": watcher, "topic": None}
        for cell in cells
        for watcher in list(cell.watchers)
    ]
    rows += [
        {"path": None, "watched_by": subscriber, "topic": topic}
        for topic, subscribers in runtime.bus.topics().items()
        for subscriber in subscribers
        if subscriber in paths
    ]
    return some(rows, arguments.limit)


def asks(runtime: Runtime, arguments: SomeActors, _caller: Caller) -> dict[str, Any]:
    """Questions that have not been answered: who asked, and where the question waits."""
    now = runtime.now()
    waits_at = {}
    rows: list[Row] = []
    for cell in list(runtime.cells.values()):
        running = running_in(cell)
        at_work = [] if running is None or running.envelope is None else [running.envelope]
        for envelope in [*at_work, *cell.mailbox.peek(1_000), *cell.stash]:
            special = envelope.special
            if special is None or special.reply_to is None or special.answered:
                continue
            type_name = type(envelope.message).__name__
            if isinstance(special.reply_to, AskedBy):
                waits_at[special.reply_to.timer] = (cell.path, type_name)
            elif not arguments.path:
                rows.append(
                    {
                        "path": envelope.id[0],
                        "tag": "",
                        "asked": cell.path,
                        "type": type_name,
                        "timeout_ms": in_ms(special.deadline - now),
                    }
                )
    for _, cell in below(runtime, arguments.path):
        for timer in list(cell.context.timers.values()):
            if timer.key.startswith("ask:"):
                asked, asked_type = waits_at.get(timer, (None, None))
                rows.append(
                    {
                        "path": cell.path,
                        "tag": timer.key.removeprefix("ask:"),
                        "asked": asked,
                        "type": asked_type,
                        "timeout_ms": in_ms(timer.due - now),
                    }
                )
    rows.sort(key=lambda row: row["timeout_ms"])
    return some(rows, arguments.limit)
