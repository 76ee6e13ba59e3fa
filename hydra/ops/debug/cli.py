"""`hydra-trader debug`: a view into a running engine, for people and, with --json, for programs."""

from enum import StrEnum
from typing import Annotated, Any

import typer

from hydra.ops.debug import render
from hydra.ops.debug.engine import (
    Engine,
    Json,
    SocketPath,
    StateDir,
    Timeout,
    a_second,
    asks_engine,
    time_option,
    write_json,
)
from hydra.ops.debug.render import Row, number, span, text, yes
from hydra.ops.reason import Reason, ReasonIfAny

app = typer.Typer(
    no_args_is_help=True,
    help="Look into a running engine: who lives, what waits, what hangs, who may trade."
    " Looking changes nothing; suspend and halt need a reason, which goes into the journal.",
)


@app.callback()
def debug(
    context: typer.Context,
    state_dir: StateDir = None,
    socket: SocketPath = None,
    timeout: Timeout = None,
    json: Json = False,
) -> None:
    context.obj = {"state_dir": state_dir, "socket": socket, "timeout": timeout, "json": json}


OneActor = Annotated[
    str,
    typer.Argument(metavar="PATH", help="The actor's path; its end is enough if only one fits."),
]
SomeActors = Annotated[
    str, typer.Argument(metavar="PATH", help="Only this actor and those below it.")
]
Limit = Annotated[int, typer.Option("--limit", min=1, max=5_000, help="At most so many lines.")]
Count = Annotated[int, typer.Option("-n", "--count", min=1, max=5_000, help="How many.")]
Payload = Annotated[bool, typer.Option("--payload", help="Show the messages' content too.")]
Within = Annotated[int, time_option("--within", "1s", "How long the actor has to answer.")]


class Sort(StrEnum):
    """What comes first."""

    DEPTH = "depth"
    AGE = "age"
    RATE = "rate"
    TREE = "tree"


class Lane(StrEnum):
    """Which queue of a mailbox."""

    USER = "user"
    CONTROL = "control"


PATH = text("ACTOR", "path")
STATUS = text("STATUS", "status")
MESSAGE = [text("TYPE", "type"), text("ID", "id"), text("CAUSE", "cause", may_go=True)]


@app.command()
@asks_engine
def tree(engine: Engine, path: SomeActors = "", limit: Limit = 1_000) -> None:
    """Show the supervision tree: who lives, who hangs, what waits for whom."""
    data = engine.ask("tree", path=path, limit=limit)
    if engine.json:
        write_json(data["rows"])
    else:
        render.show_tree(data["rows"])


@app.command()
@asks_engine
def mailboxes(
    engine: Engine,
    path: SomeActors = "",
    sort: Annotated[Sort, typer.Option(help="What comes first.")] = Sort.DEPTH,
    window: Annotated[
        int, time_option("--window", "no rates", "Count messages a second over this time: 5s.")
    ] = 0,
    limit: Limit = 1_000,
) -> None:
    """Show how much waits for each actor, since when, and how much it has handled."""
    columns = [PATH, STATUS, number("DEPTH", "depth")]
    columns += [number("CONTROL", "control_depth", may_go=True), span("OLDEST", "oldest_ms")]
    columns += [number("MOST", "high_water", may_go=True), number("HANDLED", "processed")]
    if window or sort is Sort.RATE:
        columns += [number("IN/S", "rate_in"), number("OUT/S", "rate")]
    columns += [span("BUSY", "busy_ms"), number("FAILED", "failures", may_go=True)]
    columns += [number("RESTARTS", "restarts", may_go=True)]
    columns += [number("REJECTED", "rejected", may_go=True)]
    engine.table(
        "mailboxes",
        columns,
        nothing="no actors",
        longer=window / 1_000 + 1,
        path=path,
        sort=sort.value,
        window_ms=window,
        limit=limit,
    )


@app.command()
@asks_engine
def peek(
    engine: Engine,
    path: OneActor,
    count: Count = 10,
    lane: Annotated[Lane, typer.Option(help="Control messages overtake the others.")] = Lane.USER,
    type_name: Annotated[str, typer.Option("--type", help="Only messages of this type.")] = "",
    payload: Payload = False,
) -> None:
    """Show the messages that wait for an actor, next one first. They stay where they are."""
    columns = [number("PLACE", "place"), *MESSAGE, span("AGE", "age_ms")]
    columns += [text("SPECIAL", "special", may_go=True)]
    engine.table(
        "peek",
        [*columns, text("PAYLOAD", "payload", folds=True)] if payload else columns,
        nothing="nothing waits there",
        path=path,
        count=count,
        lane=lane.value,
        type=type_name,
        payload=payload,
    )


@app.command()
@asks_engine
def state(
    engine: Engine,
    path: OneActor,
    within: Within = 1_000,
    dirty: Annotated[
        bool, typer.Option("--dirty", help="Read it without the actor: it may be half changed.")
    ] = False,
) -> None:
    """Show what an actor remembers; if it does not answer, on what it works and where it is."""
    data = engine.ask("state", longer=within / 1_000, path=path, timeout_ms=within, dirty=dirty)
    if engine.json:
        write_json(data)
        return
    render.write(render.clean(f"{data['path']}#{data['incarnation']}  {data['status']}"))
    if data["state"] is not None:
        render.show_facts(data["state"].items())
        return
    render.write(f"it has not answered: {data['not_answered']}")
    _show_doing(data)
    render.write(data["hint"])


@app.command()
@asks_engine
def stack(engine: Engine, path: OneActor) -> None:
    """Show where in the code an actor is at the moment."""
    data = engine.ask("stack", path=path)
    if engine.json:
        write_json(data)
        return
    render.write(render.clean(f"{data['path']}  {data['status']}"))
    _show_doing(data)


def _show_doing(data: Row) -> None:
    if not data["busy_ms"]:
        render.write("no handler runs: it waits for a message, or for its turn")
        return
    current = data["current"] or {"type": "the runtime's own work", "id": "", "payload": ""}
    facts = [("busy for", render.duration(data["busy_ms"])), ("on", current["type"])]
    facts += [("message", current["id"]), ("content", current["payload"])]
    render.show_facts([*facts, ("in thread", data["thread"])])
    for call in data["stack"]:
        render.write(f"  {render.clean(call)}")


@app.command()
@asks_engine
def stacks(engine: Engine) -> None:
    """Show where in the code every thread of the engine is."""
    data = engine.ask("stacks")
    if engine.json:
        write_json(data["rows"])
        return
    for row in data["rows"]:
        runs = f", runs {row['runs']}" if row["runs"] else ""
        render.write(render.clean(f"{row['name']} ({row['role']}{runs})"))
        for call in row["stack"]:
            render.write(f"  {render.clean(call)}")


@app.command()
@asks_engine
def trace(
    engine: Engine,
    target: Annotated[
        str, typer.Argument(metavar="PATH|TYPE", help="An actor, or a type of message.")
    ],
    below: Annotated[bool, typer.Option("--below", help="Those below the actor too.")] = False,
    most: Annotated[
        int, typer.Option("--max", min=1, max=10_000, help="Stop after so many.")
    ] = 100,
    rate: Annotated[
        int,
        typer.Option(
            "--rate",
            parser=a_second,
            metavar="N/s",
            show_default=False,
            help="Leave out what is over this. Default: 50/s.",
        ),
    ] = 50,
    payload: Payload = False,
) -> None:
    """Show what an actor receives, sends and answers, as it happens. Ctrl-C ends it."""
    for event in engine.events(
        "trace", target=target, below=below, max=most, rate=rate, payload=payload
    ):
        if engine.json:
            write_json(event, line=True)
        elif "ended" in event:
            dropped = event["dropped_over_rate"]
            typer.echo(f"{event['told']} events, {dropped} left out over the rate", err=True)
        else:
            to = f" -> {event['to']}" if event["to"] else f" <- {event['sender']}"
            said = (
                f"{event['at']} {event['seen']:6} {event['path']}{to} {event['type']} {event['id']}"
            )
            render.write(render.clean(f"{said} {event.get('payload', '')}").rstrip())


@app.command()
@asks_engine
def chain(
    engine: Engine,
    name: Annotated[
        str, typer.Argument(metavar="ID", help="A message's id, or that of an order or decision.")
    ],
    limit: Limit = 200,
) -> None:
    """Show which message led to which, from the first cause to the last effect still remembered."""
    data = engine.ask("chain", id=name, limit=limit)
    if engine.json:
        write_json(data["rows"])
        return
    for row in data["rows"]:
        mark = "*" if row["asked"] else " "
        what = f"{row['type'] or 'forgotten'} {row['id']}"
        to = f" -> {row['path']}: {row['fate']}" if row["path"] else ""
        render.write(render.clean(f"{mark} {'  ' * row['level']}{what}{to}"))


@app.command()
@asks_engine
def log(engine: Engine, path: OneActor, count: Count = 20, payload: Payload = False) -> None:
    """Show the last messages that an actor handled, newest last."""
    columns = [*MESSAGE, span("AGO", "age_ms"), span("WAITED", "wait_ms")]
    columns += [span("TOOK", "took_ms")]
    engine.table(
        "log",
        [*columns, text("PAYLOAD", "payload", folds=True)] if payload else columns,
        nothing="it has handled nothing yet",
        path=path,
        count=count,
        payload=payload,
    )


@app.command()
@asks_engine
def stats(engine: Engine, path: SomeActors = "", limit: Limit = 1_000) -> None:
    """Show how many messages each actor handled, and how long the last ones waited and took."""
    columns = [
        PATH,
        number("HANDLED", "processed"),
        number("FAILED", "failures"),
        span("WAIT P50", "wait_p50_ms"),
        span("P99", "wait_p99_ms"),
        span("TOOK P50", "took_p50_ms"),
        span("P99", "took_p99_ms", may_go=True),
        span("MAX", "took_max_ms", may_go=True),
        number("OF LAST", "over_last", may_go=True),
    ]
    engine.table("stats", columns, nothing="no actors", path=path, limit=limit)


@app.command()
@asks_engine
def suspend(engine: Engine, path: OneActor, reason: Reason, within: Within = 1_000) -> None:
    """Hold back what is sent to an actor, until `resume`. Halts still get through."""
    _hold(engine, "suspend", path, reason, within)


@app.command()
@asks_engine
def resume(engine: Engine, path: OneActor, reason: Reason, within: Within = 1_000) -> None:
    """Let a suspended actor go on with what has waited for it. (This never resumes trading.)"""
    _hold(engine, "resume", path, reason, within)


def _hold(engine: Engine, command: str, path: str, reason: str, within: int) -> None:
    data = engine.ask(command, longer=within / 1_000, path=path, reason=reason, timeout_ms=within)
    if engine.json:
        write_json(data)
        return
    status = "suspended" if data["suspended"] else "not suspended"
    render.write(render.clean(f"{data['path']} is {status}; {data['depth']:,} messages wait"))
    if data["note"]:
        typer.echo(f"note: {render.clean(data['note'])}", err=True)


@app.command("dead-letters")
@asks_engine
def dead_letters(
    engine: Engine,
    reason: Annotated[
        str, typer.Option("--reason", help="Only these: full, expired, poison …")
    ] = "",
    path: Annotated[str, typer.Option("--path", help="Only those sent to this actor.")] = "",
    follow: Annotated[bool, typer.Option("--follow", help="Go on with new ones.")] = False,
    counts: Annotated[
        bool, typer.Option("--counts", help="Only how many ever, by reason.")
    ] = False,
    limit: Limit = 50,
    payload: Payload = False,
) -> None:
    """Show messages that reached nobody, newest last, and why."""
    arguments: dict[str, Any] = {"reason": reason, "path": path, "limit": limit}
    arguments["payload"] = payload
    columns = [span("AGO", "ago_ms"), text("REASON", "reason"), text("TO", "path")]
    columns += [
        text("TYPE", "type"),
        text("ID", "id", may_go=True),
        text("ERROR", "error", folds=True),
    ]
    if payload:
        columns += [text("PAYLOAD", "payload", folds=True)]
    if follow:
        for event in engine.events("dead-letters", follow=True, **arguments):
            if engine.json:
                write_json(event, line=True)
            elif "ended" not in event:
                cells = [render.written(event.get(each.key), each.form) for each in columns]
                render.write("  ".join(cells))
        return
    if counts:
        data = engine.ask("dead-letters", **arguments)
        told = {"ever": data["ever"], "by_reason": data["by_reason"]}
        if engine.json:
            write_json(told)
        else:
            render.show_facts([("ever", told["ever"]), *told["by_reason"].items()])
        return
    engine.table("dead-letters", columns, nothing="no dead letters", **arguments)


@app.command()
@asks_engine
def history(
    engine: Engine,
    path: SomeActors = "",
    traces: Annotated[bool, typer.Option("--traces", help="The failures' tracebacks too.")] = False,
    limit: Limit = 50,
) -> None:
    """Show starts, failures, restarts, stops and halts, newest last."""
    data = engine.ask("history", path=path, limit=limit, traces=traces)
    if engine.json:
        write_json({key: data[key] for key in ("rows", "traces")} if traces else data["rows"])
        return
    columns = [text("AT", "at", may_go=True), span("AGO", "ago_ms"), PATH]
    columns += [number("#", "incarnation"), text("WHAT", "what")]
    render.show_table(
        [*columns, text("DETAIL", "detail", folds=True)],
        data["rows"],
        nothing="nothing has happened",
    )
    for failure in data.get("traces", ()):
        render.write(render.clean(f"\n{failure['path']}#{failure['incarnation']}"))
        for line in failure["trace"].splitlines():
            render.write(f"  {render.clean(line)}")


@app.command()
@asks_engine
def timers(engine: Engine, path: SomeActors = "", limit: Limit = 1_000) -> None:
    """Show what actors have asked to be told later, next one first."""
    columns = [PATH, text("KEY", "key"), text("TYPE", "type"), span("DUE IN", "due_ms")]
    columns += [span("EVERY", "period_ms"), number("FIRED", "fired")]
    columns += [yes("WAITS", "waits")]
    engine.table("timers", columns, nothing="no timers", path=path, limit=limit)


@app.command()
@asks_engine
def watchers(engine: Engine, path: SomeActors = "", limit: Limit = 1_000) -> None:
    """Show who is told when an actor is gone, and who has subscribed to what."""
    columns = [PATH, text("TOPIC", "topic"), text("TOLD TO", "watched_by")]
    engine.table("watchers", columns, nothing="nobody watches", path=path, limit=limit)


@app.command()
@asks_engine
def asks(engine: Engine, path: SomeActors = "", limit: Limit = 1_000) -> None:
    """Show questions that have not been answered yet."""
    columns = [PATH, text("TAG", "tag"), text("ASKED", "asked"), text("TYPE", "type")]
    columns += [span("TIMEOUT IN", "timeout_ms")]
    engine.table("asks", columns, nothing="nobody waits for an answer", path=path, limit=limit)


@app.command()
@asks_engine
def children(engine: Engine, path: OneActor) -> None:
    """Show a supervisor's children in start order, and how each is to be run."""
    columns = [
        PATH,
        STATUS,
        text("CLASS", "actor", may_go=True),
        number("#", "incarnation", may_go=True),
        number("RESTARTS", "restarts"),
        text("RESTART", "restart"),
        yes("CRITICAL", "critical", may_go=True),
        text("RUNS ON", "dispatcher", may_go=True),
        span("UP FOR", "running_ms", may_go=True),
        text("LAST FAILURE", "last_failure", folds=True),
    ]
    engine.table("children", columns, nothing="it has no children", path=path)


@app.command()
@asks_engine
def gate(engine: Engine) -> None:
    """Show whether orders may pass, and everything that says they may not."""
    data = engine.ask("gate")
    if engine.json:
        write_json(data)
        return
    lease = data["lease"] if data["lease_ms"] is None else render.duration(data["lease_ms"])
    flights = ", ".join(f"{f['order']} ({render.duration(f['age_ms'])})" for f in data["in_flight"])
    facts = [("trading", data["state"]), ("epoch", data["epoch"])]
    facts += [("lease", lease if data["lease"] != "none" else "none: no order passes")]
    facts += [("in flight", flights or "nothing"), ("flatten", data["flatten"])]
    facts += [("passed", data["passed"]), ("refused", data["refused"])]
    render.show_facts([*facts, ("failed closed", data["failed_closed"])])
    columns = [text("CAUSE", "code"), text("CLASS", "class"), text("STATE", "state")]
    columns += [text("SINCE", "since", may_go=True), text("DETAIL", "detail", folds=True)]
    render.write()
    render.show_table(columns, data["causes"], nothing="no cause stands against trading")


@app.command()
@asks_engine
def halt(
    engine: Engine,
    reason: ReasonIfAny = "",
    within: Annotated[
        int, time_option("--within", "2s", "How long to wait for orders on their way out.")
    ] = 2_000,
) -> None:
    """Stop all orders, here and now. It is an operator who lets trading resume, with `resume`."""
    data = engine.ask("halt", longer=within / 1_000, reason=reason, timeout_ms=within)
    if engine.json:
        write_json(data)
    elif data["acknowledged"]:
        after = render.duration(data["after_ms"])
        render.write(f"{data['state']}: acknowledged after {after}, no order is on its way out")
    else:
        orders = render.clean(", ".join(data["in_flight"]))
        render.write(f"{data['state']}: nothing new goes out, but these are on their way: {orders}")


@app.command()
@asks_engine
def gil(
    engine: Engine,
    over: Annotated[int, time_option("--over", "1s", "Look for so long.")] = 1_000,
) -> None:
    """Measure how long a thread of the engine waits until Python lets it run."""
    seconds = over / 1_000
    _show(engine, engine.ask("gil", longer=seconds, seconds=seconds))


@app.command()
@asks_engine
def threads(engine: Engine) -> None:
    """Show every thread of the engine and which actor it runs."""
    columns = [text("THREAD", "name"), text("ID", "id"), text("ROLE", "role")]
    columns += [text("RUNS", "runs"), span("BUSY", "busy_ms")]
    engine.table("threads", columns, nothing="no threads")


@app.command("gc")
@asks_engine
def collections(
    engine: Engine,
    over: Annotated[int, time_option("--over", "no pauses", "Measure the pauses so long.")] = 0,
) -> None:
    """Show Python's garbage collector: what it has done and, with --over, how long it pauses."""
    seconds = over / 1_000
    data = engine.ask("gc", longer=seconds, seconds=seconds)
    if not engine.json:
        made = [f"{each['collections']:,}" for each in data.pop("generations")]
        data["collections"] = ", ".join(made)
    _show(engine, data)


def _show(engine: Engine, data: Row) -> None:
    if engine.json:
        write_json(data)
    else:
        render.show_facts(data.items())


@app.command("top")
@asks_engine
def top_command(
    engine: Engine,
    path: SomeActors = "",
    every: Annotated[int, time_option("--every", "1s", "How often it looks.")] = 1_000,
    once: Annotated[bool, typer.Option("--once", help="One picture, then end.")] = False,
) -> None:
    """Show it all, live: the gate, dead letters, and every actor with what waits and what hangs.

    Keys: q ends it, s sorts by something else, p pauses. Without a terminal: one picture as text.
    """
    from hydra.ops.debug.top import show

    with engine.connect() as client:
        if engine.json:
            write_json(client.call("overview", path=path))
        else:
            show(client, path, every / 1_000, once=once)
