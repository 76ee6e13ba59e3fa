"""Every debug command on the simulated engine, in this process, without a socket."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest

from hydra.actor import MILLISECOND, MINUTE, SECOND, Actor, ChildSpec, Context
from hydra.ops.debug.asking import CONTROL_ROOM, Caller
from hydra.ops.debug.commands import COMMANDS, ELSEWHERE, execute
from hydra.ops.debug.describing import Refused
from hydra.ops.debug.halting import NO_REASON
from hydra.ops.debug.protocol import reply
from hydra.ops.debug.streams import DeadLetterStream, TraceStream
from hydra.ports import GateKey, PermitClass
from hydra.runtime.life import HISTORY
from hydra.runtime.sim_runtime import SimRuntime
from hydra.runtime.system import Ping
from hydra.runtime.thread_runtime import ThreadRuntime
from hydra.trading.trading_state import TradingState
from messages.journal import WriteEntry
from tests.ops.debug.engines import (
    FRAIL,
    KEEPER,
    PATHS,
    SENDER,
    STUCK,
    STUCK_BOUND,
    Crash,
    Hang,
    Note,
    Pass,
    Question,
    Sim,
    live,
    rows_by_path,
)
from tests.waiting import eventually

ASKED: dict[str, Mapping[str, Any]] = {
    "tree": {},
    "mailboxes": {"sort": "age"},
    "peek": {"path": KEEPER.path},
    "state": {"path": KEEPER.path},
    "stack": {"path": KEEPER.path},
    "stacks": {},
    "trace": {"target": KEEPER.path},
    "chain": {"id": "order-1"},
    "log": {"path": KEEPER.path},
    "stats": {},
    "suspend": {"path": KEEPER.path, "reason": "to see"},
    "resume": {"path": KEEPER.path, "reason": "seen"},
    "dead-letters": {},
    "history": {},
    "timers": {},
    "watchers": {},
    "asks": {},
    "children": {"path": "/root/core"},
    "gate": {},
    "halt": {"reason": "to see"},
    "gil": {"seconds": 0.01},
    "threads": {},
    "gc": {"seconds": 0.01},
    "overview": {},
    "commands": {},
}
"""An example of each command, for the tests that run them all."""


def ask(sim: Sim, command: str, **arguments: Any) -> dict[str, Any]:
    data = execute(sim.runtime, command, arguments)
    assert isinstance(data, dict)
    return data


def test_there_is_an_example_of_every_command() -> None:
    assert ASKED.keys() == COMMANDS.keys()


@pytest.mark.parametrize("command", sorted(COMMANDS.keys() - {"trace"}))
def test_every_command_answers_with_what_json_can_carry(command: str) -> None:
    sim = Sim()
    sim.tell(SENDER, Pass(order="order-1"))

    data = ask(sim, command, **ASKED[command])

    assert orjson.loads(reply(1, data))["ok"]
    if "rows" in data:
        assert data["total"] >= len(data["rows"])
        assert "cut" in data


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_what_a_command_does_not_take_is_refused_by_name(command: str) -> None:
    with pytest.raises(Refused, match=rf"^{command}: .*`loudly`"):
        ask(Sim(), command, **ASKED[command], loudly=True)


@pytest.mark.parametrize(
    ("command", "arguments", "complaint"),
    [
        ("fly", {}, "no such command: fly; there are asks, chain, children, "),
        ("peek", {}, "peek: .*missing required field `path`; it takes path"),
        ("peek", {"path": 7}, r"Expected `str`, got `int` - at `\$.path`"),
        ("peek", {"path": "/root", "count": 0}, "Expected `int` >= 1"),
        ("peek", {"path": "/root", "count": 10**9}, "Expected `int` <= 5000"),
        ("mailboxes", {"sort": "size"}, "Invalid enum value 'size'"),
        ("mailboxes", {"window_ms": 10**6}, "Expected `int` <= 60000"),
        ("state", {"path": "/nowhere"}, "nobody lives at /nowhere"),
        ("state", {"path": "/root/core/kepper"}, "did you mean /root/core/keeper"),
        ("dead-letters", {"reason": "tired"}, "no such reason: tired; one of stopped, "),
        ("chain", {"id": "order-9"}, "nothing is remembered of order-9: each actor remembers the"),
        ("trace", {"target": "/nowhere"}, "nobody lives at /nowhere"),
    ],
)
def test_a_wrong_question_gets_one_line_that_helps(
    command: str, arguments: Mapping[str, Any], complaint: str
) -> None:
    with pytest.raises(Refused, match=complaint) as refused:
        ask(Sim(), command, **arguments)

    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("command", sorted(ELSEWHERE))
def test_what_changes_the_engine_is_for_the_control_socket_i85(command: str) -> None:
    with pytest.raises(Refused, match=r"^refused: use the control socket$"):
        ask(Sim(), command, path=KEEPER.path)


def test_an_actor_is_found_by_the_end_of_its_path_if_only_one_fits() -> None:
    sim = Sim()

    assert ask(sim, "state", path="core/keeper")["path"] == KEEPER.path
    assert ask(sim, "state", path="keeper")["path"] == KEEPER.path


def test_the_tree_shows_everyone_in_start_order() -> None:
    data = ask(Sim(), "tree")

    assert [row["path"] for row in data["rows"]] == PATHS
    assert [row["level"] for row in data["rows"]] == [0, 1, 2, 2, 2, 1, 2, 2]
    assert {row["status"] for row in data["rows"]} == {"running"}


def test_a_part_of_the_tree_can_be_asked_for_and_is_cut_with_a_note() -> None:
    data = ask(Sim(), "tree", path="/root/bots", limit=2)

    assert [row["path"] for row in data["rows"]] == ["/root/bots", STUCK.path]
    assert data["total"] == 3
    assert data["cut"] == "2 of 3: a higher limit shows more"


def test_a_mailbox_is_shown_with_all_that_the_contract_names() -> None:
    sim = Sim()
    execute(sim.runtime, "suspend", {"path": KEEPER.path, "reason": "to see"})
    sim.tell(KEEPER, Note(), Note(), Note())
    sim.runtime.advance(5 * MILLISECOND)

    row = rows_by_path(ask(sim, "mailboxes"))[KEEPER.path]

    assert {name: row[name] for name in CONTRACT} == {
        "path": KEEPER.path,
        "status": "suspended",
        "incarnation": 1,
        "depth": 3,
        "control_depth": 0,
        "high_water": 3,
        "oldest_ms": 5.0,
        "processed": 0,
        "failures": 0,
        "restarts": 0,
        "busy_ms": 0.0,
    }


CONTRACT = ["path", "status", "incarnation", "depth", "control_depth", "high_water"]
CONTRACT += ["oldest_ms", "processed", "failures", "restarts", "busy_ms"]


def test_mailboxes_come_deepest_first_or_as_asked() -> None:
    sim = Sim()
    for path in (KEEPER.path, FRAIL.path):
        execute(sim.runtime, "suspend", {"path": path, "reason": "to see"})
    sim.tell(KEEPER, Note())
    sim.runtime.advance(MILLISECOND)
    sim.tell(FRAIL, Crash(), Crash())

    def first(sort: str) -> str:
        return str(ask(sim, "mailboxes", sort=sort)["rows"][0]["path"])

    assert {sort: first(sort) for sort in ("depth", "age", "tree")} == {
        "depth": FRAIL.path,
        "age": KEEPER.path,
        "tree": "/root",
    }


def test_rates_are_counted_over_the_window() -> None:
    sim = Sim()
    for tenth in range(30):
        at = sim.runtime.now() + tenth * 100 * MILLISECOND
        sim.runtime.call_at(at, lambda: sim.runtime.tell(KEEPER, Note()))
    sim.runtime.advance(50 * MILLISECOND)

    data = ask(sim, "mailboxes", sort="rate", window_ms=2_000)

    row = data["rows"][0]
    assert (row["path"], row["rate"], row["rate_in"]) == (KEEPER.path, 10.0, 10.0)
    assert data["window_ms"] == 2_000


def test_peeking_shows_what_waits_and_leaves_it_there() -> None:
    sim = Sim()
    execute(sim.runtime, "suspend", {"path": KEEPER.path, "reason": "to see"})
    sim.tell(KEEPER, Note(text="a"), Question(), Note(text="b"))

    data = ask(sim, "peek", path="keeper", type="Note", count=5)

    assert [(row["place"], row["type"]) for row in data["rows"]] == [(0, "Note"), (2, "Note")]
    assert data["depth"] == 3
    assert all("payload" not in row for row in data["rows"])
    shown = ask(sim, "peek", path="keeper", count=1, payload=True)["rows"]
    assert shown[0]["payload"] == "Note(text='a')"
    execute(sim.runtime, "resume", {"path": KEEPER.path, "reason": "seen"})
    assert ask(sim, "state", path="keeper")["state"] == {"notes": ["a", "b"]}


def test_the_state_is_what_the_actor_says_of_itself() -> None:
    sim = Sim()
    sim.tell(KEEPER, Note(text="a"))

    assert ask(sim, "state", path="keeper") == {
        "path": KEEPER.path,
        "status": "running",
        "incarnation": 1,
        "dirty": False,
        "state": {"notes": ["a"]},
    }


def test_a_state_that_is_not_told_in_time_is_replaced_by_what_the_actor_does() -> None:
    sim = Sim()
    sim.tell(STUCK, Hang(), Note())
    sim.runtime.advance(SECOND)

    data = ask(sim, "state", path="stuck", timeout_ms=500)

    assert data["state"] is None
    assert data["not_answered"] == "no answer within 0.5 s"
    assert data["current"]["type"] == "Hang"
    assert data["busy_ms"] == 1_500.0
    assert ask(sim, "state", path="stuck", dirty=True)["state"]["notes"] == 0
    row = rows_by_path(ask(sim, "mailboxes"))[STUCK.path]
    assert (row["depth"], row["busy_ms"], row["hangs"]) == (1, 1_500.0, False)


def test_what_runs_longer_than_its_actor_may_is_shown_as_hanging() -> None:
    sim = Sim()
    sim.tell(STUCK, Hang())
    sim.runtime.advance(99 * SECOND)
    assert not rows_by_path(ask(sim, "tree"))[STUCK.path]["hangs"]

    with_a_shorter_limit = ChildSpec(name="stuck", actor=Actor, hang_after=98 * SECOND)
    sim.runtime.cells[STUCK.path].spec = with_a_shorter_limit

    assert rows_by_path(ask(sim, "tree"))[STUCK.path]["hangs"]


def test_nobody_is_asked_whose_control_lane_is_crowded() -> None:
    sim = Sim()
    sim.tell(STUCK, Hang())
    cell = sim.runtime.cells[STUCK.path]
    for _ in range(CONTROL_ROOM):
        cell.tell_system(Ping())

    data = ask(sim, "state", path="stuck")

    assert data["not_answered"] == "100 control messages wait there already, so it was not asked"
    assert len(cell.mailbox.control) == CONTROL_ROOM


def test_suspending_holds_user_messages_and_resuming_drains_them_in_order() -> None:
    sim = Sim()

    suspended = ask(sim, "suspend", path="keeper", reason="to see")
    sim.tell(KEEPER, Note(text="a"), Note(text="b"))
    held = ask(sim, "state", path="keeper")
    resumed = ask(sim, "resume", path="keeper", reason="seen")
    sim.runtime.settle()

    assert (suspended["suspended"], suspended["done"], suspended["note"]) == (True, True, None)
    assert (held["status"], held["state"]) == ("suspended", {"notes": []})
    assert (resumed["suspended"], resumed["done"]) == (False, True)
    assert ask(sim, "state", path="keeper")["state"] == {"notes": ["a", "b"]}


def test_suspending_what_hangs_says_that_it_will_happen_later() -> None:
    sim = Sim()
    sim.tell(STUCK, Hang())

    data = ask(sim, "suspend", path="stuck", reason="to see", timeout_ms=100)

    assert (data["suspended"], data["done"]) == (False, False)
    assert data["note"].startswith("no answer within 0.1 s; unless it was not asked, it happens")


def test_what_changes_something_is_written_in_the_journal_with_who_and_why_i85() -> None:
    sim = Sim()
    caller = Caller(name="uid 7, pid 9")

    for command in ("suspend", "resume"):
        execute(sim.runtime, command, {"path": KEEPER.path, "reason": "to see"}, caller)
    execute(sim.runtime, "halt", {"reason": "smoke"}, caller)
    sim.runtime.settle()

    written = [(e.event, dict(e.fields)) for e in sim.entries if e.event.startswith("debug_")]
    who = {"by": "uid 7, pid 9"}
    assert written == [
        ("debug_suspend", {"path": KEEPER.path, "reason": "to see", **who}),
        ("debug_resume", {"path": KEEPER.path, "reason": "to see", **who}),
        ("debug_halt", {"reason": "smoke", **who}),
    ]


@pytest.mark.parametrize("command", ["suspend", "resume"])
@pytest.mark.parametrize("reason", [None, "", "  ", "   \n "])
def test_nothing_but_halted_without_a_reason(command: str, reason: str | None) -> None:
    sim = Sim()
    arguments = {"path": KEEPER.path}
    if reason is not None:
        arguments["reason"] = reason

    with pytest.raises(Refused, match="reason"):
        ask(sim, command, **arguments)

    assert not sim.runtime.cells[KEEPER.path].suspended
    assert sim.runtime.gate.epoch == 1


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (None, NO_REASON),
        ("", NO_REASON),
        (" \n ", NO_REASON),
        ("x", "x"),
        ("stop " * 900, f"{'stop ' * 99}stop…"),
        ("why \ud800", "why \\ud800"),
    ],
)
def test_a_halt_is_never_refused_for_its_words(reason: str | None, words: str) -> None:
    sim = Sim()
    sim.runtime.gate.arm((), "a test", sim.runtime.gate.epoch)

    told = ask(sim, "halt", **({} if reason is None else {"reason": reason}))

    (cause,) = sim.runtime.gate.standing()
    assert (told["state"], told["acknowledged"]) == ("HALTED", True)
    assert cause.detail.startswith(f"{words} (debug socket, ")


def test_halt_shuts_the_gate_and_says_what_is_still_on_its_way() -> None:
    sim = Sim()
    gate = sim.runtime.gate
    key = GateKey("/root/core/gateway", 1)
    gate.register(key)
    gate.renew_lease(sim.runtime.now() + MINUTE)
    epoch = gate.arm((), "a test", gate.epoch)
    permit = gate.enter("order-1", epoch, key, PermitClass.ENTRY)

    unfinished = ask(sim, "halt", reason="smoke", timeout_ms=10)
    gate.leave(permit)
    finished = ask(sim, "halt", reason="smoke")

    assert gate.state is TradingState.HALTED
    assert (unfinished["acknowledged"], unfinished["in_flight"]) == (False, ["order-1"])
    assert (finished["acknowledged"], finished["in_flight"]) == (True, [])
    (cause,) = ask(sim, "gate")["causes"]
    assert (cause["code"], cause["class"]) == ("operator-halt", "integrity")
    assert cause["detail"] == "smoke (debug socket, this process)"


def test_the_gate_is_shown_with_its_lease_and_what_is_in_flight() -> None:
    sim = Sim()
    gate = sim.runtime.gate
    key = GateKey("/root/core/gateway", 1)
    gate.register(key)
    gate.renew_lease(sim.runtime.now() + SECOND)
    epoch = gate.arm((), "a test", gate.epoch)
    gate.enter("order-1", epoch, key, PermitClass.ENTRY)
    sim.runtime.advance(300 * MILLISECOND)

    assert ask(sim, "gate") == {
        "state": "ACTIVE",
        "causes": [],
        "epoch": 2,
        "lease": "held",
        "lease_ms": 700.0,
        "in_flight": [{"order": "order-1", "age_ms": 300.0}],
        "flatten": None,
        "passed": 1,
        "refused": 0,
        "failed_closed": None,
    }


def events(sim: Sim, stream: TraceStream | DeadLetterStream) -> list[dict[str, Any]]:
    found = []
    while (event := stream.next(0)) is not None:
        found.append(event)
    return found


def trace(sim: Sim, **arguments: Any) -> TraceStream:
    stream = execute(sim.runtime, "trace", arguments)
    assert isinstance(stream, TraceStream)
    sim.runtime.settle()
    return stream


def test_a_trace_shows_what_an_actor_receives_and_sends() -> None:
    sim = Sim()
    stream = trace(sim, target=SENDER.path, payload=True)

    sim.tell(SENDER, Pass(order="order-1"))

    seen = [(e["seen"], e["type"], e["to"], e["payload"]) for e in events(sim, stream)]
    assert seen == [
        ("in", "Pass", "", "Pass(order='order-1')"),
        ("out", "Note", KEEPER.path, "Note(text='order-1')"),
    ]


def test_a_trace_shows_timers_replies_and_failures() -> None:
    sim = Sim()
    stream = trace(sim, target="/root", below=True)

    sim.runtime.advance(10 * MINUTE)  # the sender's timer: it asks one that answers nothing
    sim.runtime.ask(KEEPER, Question(), within=1.0)
    sim.tell(FRAIL, Crash())

    seen = [(e["path"], e["seen"], e["type"]) for e in events(sim, stream)]
    assert (SENDER.path, "timer", "Question") in seen
    assert (SENDER.path, "out", "Note") in seen
    assert (KEEPER.path, "reply", "Question") in seen
    assert (FRAIL.path, "failed", "Crash") in seen


def test_a_type_of_message_can_be_traced_wherever_it_goes() -> None:
    sim = Sim()
    stream = trace(sim, target="Note")

    sim.tell(SENDER, Pass(order="order-1"))

    seen = [(e["path"], e["seen"]) for e in events(sim, stream)]
    assert seen == [(SENDER.path, "out"), (KEEPER.path, "in")]


def test_a_trace_ends_by_itself_and_leaves_nothing_behind() -> None:
    sim = Sim()
    cell = sim.runtime.cells[KEEPER.path]
    assert cell.actor is not None
    untapped = cell.receive
    stream = trace(sim, target=KEEPER.path, max=3)
    assert cell.receive != untapped

    sim.tell(KEEPER, *[Note()] * 10)
    seen = events(sim, stream)
    ended = stream.summary()
    stream.close()
    sim.runtime.settle()

    assert len(seen) == 3
    assert ended == {"ended": "3 events, the maximum", "told": 3, "dropped_over_rate": 0}
    assert cell.receive == untapped == cell.actor.receive
    assert cell.context._deliver is sim.runtime.deliver


def test_a_trace_leaves_out_what_is_over_its_rate() -> None:
    sim = Sim()
    stream = trace(sim, target=KEEPER.path, rate=10, max=10_000)

    for _ in range(30):  # a hundred a second
        sim.tell(KEEPER, Note())
        sim.runtime.advance(10 * MILLISECOND)

    told = len(events(sim, stream))
    assert 10 <= told <= 13
    assert stream.summary()["dropped_over_rate"] == 30 - told


def test_tracing_an_actor_that_hangs_again_and_again_does_not_fill_its_control_lane() -> None:
    sim = Sim()
    sim.tell(STUCK, Hang())

    for _ in range(50):
        trace(sim, target=STUCK.path).close()

    assert len(sim.runtime.cells[STUCK.path].mailbox.control) == 1


def test_a_trace_goes_on_over_a_restart() -> None:
    sim = Sim()
    stream = trace(sim, target=FRAIL.path)

    sim.tell(FRAIL, Crash())
    sim.runtime.advance(SECOND)
    sim.tell(FRAIL, Crash())

    assert sim.runtime.cells[FRAIL.path].incarnation == 2
    assert [e["seen"] for e in events(sim, stream)] == ["in", "failed", "in", "failed"]


def test_a_chain_goes_from_the_first_cause_to_the_last_effect() -> None:
    sim = Sim()
    sim.tell(SENDER, Pass(order="order-1"))
    sim.tell(SENDER, Pass(order="order-2"))

    rows = ask(sim, "chain", id="order-1")["rows"]

    assert [(row["level"], row["type"], row["path"], row["asked"]) for row in rows] == [
        (0, "Pass", SENDER.path, False),
        (1, "Note", KEEPER.path, True),
    ]
    assert ask(sim, "chain", id=rows[1]["id"])["rows"] == rows
    assert len(ask(sim, "chain", id=rows[0]["id"])["rows"]) == 2


@pytest.mark.parametrize("crowd", [1, HISTORY, 10 * HISTORY])
def test_prices_do_not_push_an_order_out_of_what_is_remembered(crowd: int) -> None:
    sim = Sim()
    sim.tell(SENDER, Pass(order="order-1"))
    sim.tell(KEEPER, *(Note(text=f"a price, number {number}") for number in range(crowd)))

    log = ask(sim, "log", path=KEEPER.path, count=1_000)["rows"]

    assert [row["corr"] for row in log] == ["order-1", *[None] * min(crowd, HISTORY)]


def test_an_order_is_remembered_on_threads_too_while_prices_rush_by(tmp_path: Path) -> None:
    with live(tmp_path) as engine:
        engine.runtime.tell(SENDER, Pass(order="order-1"))
        keeper = engine.runtime.cells[KEEPER.path]
        assert eventually(lambda: keeper.processed == 1)
        for number in range(3 * HISTORY):
            engine.runtime.tell(KEEPER, Note(text=f"a price, number {number}"))
        assert eventually(lambda: keeper.processed == 1 + 3 * HISTORY)

        rows = execute(engine.runtime, "chain", {"id": "order-1"})["rows"]

    assert [(row["path"], row["type"]) for row in rows[1:]] == [(KEEPER.path, "Note")]


def test_a_chain_shows_what_has_not_been_handled_and_what_nobody_got() -> None:
    sim = Sim()
    execute(sim.runtime, "suspend", {"path": KEEPER.path, "reason": "to see"})
    sim.tell(SENDER, Pass(order="order-1"))
    sim.tell(FRAIL, Crash())

    assert ask(sim, "chain", id="order-1")["rows"][1]["fate"] == "waits"
    (poison,) = ask(sim, "dead-letters")["rows"]
    assert ask(sim, "chain", id=poison["id"])["rows"][0]["fate"] == "dead: poison"


def test_the_log_shows_the_last_messages_handled() -> None:
    sim = Sim()
    sim.tell(KEEPER, *[Note(text=str(number)) for number in range(5)])

    data = ask(sim, "log", path="keeper", count=2, payload=True)

    assert [row["payload"] for row in data["rows"]] == ["Note(text='3')", "Note(text='4')"]
    assert data["cut"] == "2 of 5: a higher limit shows more"


def test_stats_count_and_say_on_how_many_messages_they_rest() -> None:
    sim = Sim()
    sim.tell(KEEPER, *[Note()] * 100)

    row = rows_by_path(ask(sim, "stats"))[KEEPER.path]

    assert (row["processed"], row["over_last"], row["failures"]) == (100, 64, 0)
    assert (row["wait_p50_ms"], row["took_p99_ms"]) == (0.0, 0.0)


def test_dead_letters_are_told_with_reason_and_counted() -> None:
    sim = Sim()
    sim.tell(STUCK, Hang())
    sim.tell(STUCK, *[Note()] * (STUCK_BOUND + 2))
    sim.tell(FRAIL, Crash())

    assert ask(sim, "dead-letters")["by_reason"] == {"full": 2, "poison": 1}
    (poison,) = ask(sim, "dead-letters", reason="poison", payload=True)["rows"]
    assert (poison["path"], poison["type"], poison["error"], poison["payload"]) == (
        FRAIL.path,
        "Crash",
        "ValueError: told to crash",
        "Crash()",
    )
    assert ask(sim, "dead-letters", path="/root/bots/stuck")["total"] == 2


def test_dead_letters_can_be_followed_from_now_on() -> None:
    sim = Sim()
    sim.tell(FRAIL, Crash())
    stream = execute(sim.runtime, "dead-letters", {"follow": True, "limit": 2})
    assert isinstance(stream, DeadLetterStream)

    assert events(sim, stream) == []
    sim.runtime.advance(SECOND)
    sim.tell(FRAIL, Crash())
    assert [e["reason"] for e in events(sim, stream)] == ["poison"]
    sim.runtime.advance(SECOND)
    sim.tell(FRAIL, Crash())
    events(sim, stream)

    assert stream.ended == "2 events, the maximum"


def test_history_tells_of_failures_and_restarts_with_traces_if_asked() -> None:
    sim = Sim()
    sim.tell(FRAIL, Crash())
    sim.runtime.advance(SECOND)

    data = ask(sim, "history", path="frail", traces=True)

    assert [row["what"] for row in data["rows"]] == ["started", "failed", "started"]
    assert data["rows"][1]["detail"] == "receive: ValueError: told to crash"
    assert "in receive" in data["traces"][0]["trace"]
    row = rows_by_path(ask(sim, "tree"))[FRAIL.path]
    assert (row["failures"], row["restarts"], row["incarnation"]) == (1, 1, 2)


class OverTheNight:
    """The venue's time, which leaves out nights and stands still while it waits for us."""

    def __init__(self) -> None:
        self.ahead = 0

    def at(self, machine_ns: int) -> int:
        return machine_ns + self.ahead


def test_history_tells_the_venues_time_of_then_whatever_its_clock_did_since() -> None:
    clock = OverTheNight()
    runtime = ThreadRuntime(market_clock=clock)
    try:
        runtime.fail_closed("a test")
        before = execute(runtime, "history", {})
        clock.ahead = 17 * 3_600 * SECOND
        after = execute(runtime, "history", {})
    finally:
        runtime.close()

    assert [row["at"] for row in after["rows"]] == [row["at"] for row in before["rows"]]


def test_timers_watchers_and_asks_are_told_with_their_age() -> None:
    sim = Sim()
    sim.tell(STUCK, Hang())
    sim.tell(SENDER, Question())
    sim.runtime.advance(SECOND)

    (timer,) = ask(sim, "timers", path="sender")["rows"]
    assert (timer["key"], timer["due_ms"]) == ("every ten minutes", 599_000.0)
    assert timer["period_ms"] == 600_000.0
    watchers = ask(sim, "watchers")["rows"]
    assert {"path": KEEPER.path, "watched_by": SENDER.path, "topic": None} in watchers
    assert {"path": None, "watched_by": SENDER.path, "topic": "prices"} in watchers
    (question,) = ask(sim, "asks")["rows"]
    assert question == {
        "path": SENDER.path,
        "tag": "are you there",
        "asked": STUCK.path,
        "type": "Note",
        "timeout_ms": 59_000.0,
    }


def test_children_are_told_with_how_they_are_to_be_run() -> None:
    rows = ask(Sim(), "children", path="/root/core")["rows"]

    assert [row["path"].rpartition("/")[2] for row in rows] == ["journal", "keeper", "sender"]
    assert (rows[1]["actor"], rows[1]["restart"]) == ("Keeper", "permanent")


def test_the_overview_has_all_that_one_screen_needs() -> None:
    sim = Sim()

    data = ask(sim, "overview")

    assert data["rows"] == ask(sim, "tree")["rows"]
    assert data["gate"] == ask(sim, "gate")
    assert data["dead_letters"] == {"ever": 0, "by_reason": {}}


def test_looking_changes_nothing_that_a_replay_would_notice_i87() -> None:
    looking = ASKED.keys() - {"trace", "state", "suspend", "resume", "halt"}

    def trace_hash(*, look: bool) -> str:
        sim = Sim()
        for number in range(5):
            sim.tell(SENDER, Pass(order="order-1"), Question())
            sim.runtime.advance(number * SECOND)
            for command in sorted(looking) if look else ():
                execute(sim.runtime, command, ASKED[command])
        assert sim.runtime.trace is not None
        return sim.runtime.trace.hash

    assert trace_hash(look=True) == trace_hash(look=False)


def test_a_traced_run_handles_the_same_messages_at_the_same_times() -> None:
    def handled(*, tap: bool) -> list[str]:
        sim = Sim()
        if tap:
            trace(sim, target="/root", below=True, max=10_000, rate=1_000)
        sim.tell(SENDER, Pass(order="order-1"), Question())
        sim.runtime.advance(20 * MINUTE)
        assert sim.runtime.trace is not None
        lines = map(str, sim.runtime.trace.lines)
        return [line for line in lines if "Retap" not in line]

    assert handled(tap=True) == handled(tap=False)


class Broken(Actor[Note]):
    """Shows nothing of itself that could be read."""

    def __init__(self) -> None:
        self.odd = Odd()

    def receive(self, message: Note, ctx: Context) -> None: ...

    def state_view(self) -> Mapping[str, object]:
        return {"odd": self.odd, "name": "\ud800"}


class Odd:
    def __repr__(self) -> str:
        raise LookupError("no name")


def test_an_actor_that_cannot_be_shown_is_told_as_such() -> None:
    runtime = SimRuntime()
    runtime.start_root(ChildSpec(name="root", actor=Broken))
    runtime.settle()

    data = execute(runtime, "state", {"path": "/root"})

    assert data["state"] == {
        "odd": "<Odd, its repr raised LookupError>",
        "name": "\\ud800",
    }
    assert orjson.loads(reply(1, data))["ok"]


def test_an_engine_that_has_not_started_has_no_actors() -> None:
    runtime = SimRuntime()

    assert execute(runtime, "tree", {})["rows"] == []
    assert execute(runtime, "overview", {})["rows"] == []
    with pytest.raises(Refused, match="nobody lives at keeper"):
        execute(runtime, "state", {"path": "keeper"})


def test_the_journal_writer_is_told_of_starts_like_any_other() -> None:
    sim = Sim()

    assert {type(entry) for entry in sim.entries} == {WriteEntry}
