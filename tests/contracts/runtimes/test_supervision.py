"""What both runtimes promise about failures: who restarts, with whom, how often, and then what."""

import pytest

from hydra.actor import SECOND, Backoff, Context, Restart
from hydra.runtime.envelope import DeadLetterReason
from hydra.runtime.life import Status
from hydra.trading.trading_state import CauseClass, TradingState
from messages.lifecycle import SUPERVISION_TOPIC, RestartChild
from supervisors.strategies import OnExceeded, Strategy
from tests.contracts.runtimes.actors import Boom, Do, DoUrgently, boom, note, scripted
from tests.contracts.runtimes.driver import (
    ROOT,
    Driver,
    child,
    supervision,
    supervisor,
)

A, B, C = child("a"), child("b"), child("c")


def end(reason: str = "done") -> Do:
    """Have the actor end by itself."""
    return Do(action=lambda ctx: ctx.stop(ctx.me, reason=reason))


class Unspeakable(Exception):
    """An error that fails over its own text."""

    def __str__(self) -> str:
        raise LookupError("there are no words for it")


def test_an_error_that_cannot_say_what_it_is_fails_the_actor_alone_i69(
    system: Driver, log: list[str]
) -> None:
    def fail(_ctx: Context) -> None:
        raise Unspeakable

    failing = Do(action=fail)
    system.start(scripted("a", log), scripted("b", log))
    asks = Do(action=lambda ctx: ctx.ask(A, failing, within=SECOND, tag="q"))
    system.tell(B, asks)

    system.until_logged(log, "start a#2")
    system.until(lambda: any(line.startswith("b#1 q: error Unspeakable") for line in log))
    assert system.cell(A).last_failure() == "Unspeakable (LookupError in its text)"
    assert system.runtime.failed_closed is None
    assert system.dead_for(DeadLetterReason.POISON) == [failing]


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        (Strategy.ONE_FOR_ONE, ["start b#2"]),
        (Strategy.REST_FOR_ONE, ["stop c#1", "start b#2", "start c#2"]),
        (
            Strategy.ONE_FOR_ALL,
            ["stop c#1", "stop a#1", "start a#2", "start b#2", "start c#2"],
        ),
    ],
)
def test_each_strategy_takes_down_and_up_whom_it_names_in_order(
    system: Driver, log: list[str], strategy: Strategy, expected: list[str]
) -> None:
    children = [scripted(name, log) for name in "abc"]
    system.start(*children, policy=supervision(strategy))
    del log[:]

    system.tell(B, boom())

    system.until(lambda: len(log) >= len(expected))
    system.until(lambda: all(system.cell(ref).status is Status.RUNNING for ref in (A, B, C)))
    assert log == expected


@pytest.mark.parametrize("strategy", [Strategy.REST_FOR_ONE, Strategy.ONE_FOR_ALL])
def test_siblings_that_go_down_with_another_keep_their_mailboxes(
    system: Driver, log: list[str], strategy: Strategy
) -> None:
    system.start(scripted("a", log), scripted("b", log), policy=supervision(strategy))
    system.suspend(B)
    system.tell(B, note(1), note(2))
    system.until(lambda: system.waiting(B) == 2)

    system.tell(A, boom())

    system.until_logged(log, "start b#2")
    system.resume(B)
    system.until_logged(log, "b#2 2")
    assert [line for line in log if line.startswith("b#")] == ["b#2 1", "b#2 2"]


@pytest.mark.parametrize(
    ("restart", "after_failure", "after_end"),
    [
        (Restart.PERMANENT, True, True),
        (Restart.TRANSIENT, True, False),
        (Restart.TEMPORARY, False, False),
    ],
)
@pytest.mark.parametrize("how", ["failure", "end"])
def test_the_restart_kind_says_when_a_child_comes_back(
    system: Driver,
    log: list[str],
    restart: Restart,
    after_failure: bool,
    after_end: bool,
    how: str,
) -> None:
    system.start(scripted("a", log, restart=restart))
    comes_back = after_failure if how == "failure" else after_end

    system.tell(A, boom() if how == "failure" else end())

    if comes_back:
        system.until(lambda: sum(line.startswith("start a#") for line in log) == 2)
        system.until(lambda: system.cell(A).status is Status.RUNNING)
    else:
        system.until(lambda: system.is_gone(A))
        system.pass_time(system.pause // 2)
        assert sum(line.startswith("start a#") for line in log) == 1
    assert system.runtime.failed_closed is None


def test_a_temporary_sibling_that_went_down_with_another_is_gone_for_good(
    system: Driver, log: list[str]
) -> None:
    system.start(
        scripted("a", log),
        scripted("b", log, restart=Restart.TEMPORARY),
        policy=supervision(Strategy.REST_FOR_ONE),
    )

    system.tell(A, boom())

    system.until_logged(log, "start a#2")
    system.until(lambda: system.is_gone(B))
    assert log == ["start a#1", "start b#1", "stop b#1", "start a#2"]


@pytest.mark.parametrize("how", ["failure", "end"])
def test_a_sibling_that_goes_down_while_it_waits_to_be_stopped_costs_no_further_restart(
    system: Driver, log: list[str], how: str
) -> None:
    what = boom() if how == "failure" else end()

    def take_down_b(ctx: Context) -> None:
        """Unless the message took so long that it reached the next incarnation."""
        ctx.tell(B, DoUrgently(action=lambda b: what.action(b) if b.incarnation == 1 else None))

    system.start(
        scripted("a", log),
        scripted("b", log),
        scripted("c", log, on_stop=take_down_b),
        policy=supervision(Strategy.REST_FOR_ONE, restarts=1),
    )

    system.tell(A, boom())

    system.until_logged(log, "start c#2")
    system.until(lambda: all(system.cell(ref).status is Status.RUNNING for ref in (A, B, C)))
    assert system.runtime.failed_closed is None
    starts = [line for line in log if line.startswith("start")]
    assert [line[:7] for line in starts] == ["start a", "start b", "start c"] * 2


def test_failing_more_often_than_allowed_escalates_and_the_root_fails_closed(
    system: Driver, log: list[str]
) -> None:
    reasons: list[str] = []
    system.runtime.on_fail_closed(reasons.append)
    system.start(scripted("a", log), scripted("b", log), policy=supervision(restarts=2))

    system.tell(A, boom(), boom(), boom("the last one"))

    system.until(lambda: reasons != [])
    system.until(lambda: system.is_gone(A) and system.is_gone(B))
    assert log == ["start a#1", "start b#1", "start a#2", "start a#3", "stop b#1"]
    expected = "RestartIntensityExceeded: a: receive: Boom: the last one"
    assert reasons == [f"the root supervisor failed: {expected}"]
    assert system.runtime.gate.state is TradingState.HALTED
    assert "fail-closed" in [cause.code for cause in system.runtime.gate.standing()]


def test_a_supervisor_that_gives_up_is_restarted_by_the_one_above(
    system: Driver, log: list[str]
) -> None:
    inner = supervisor(
        "inner", scripted("x", log), scripted("y", log), policy=supervision(restarts=0)
    )
    system.start(inner, scripted("b", log))

    system.tell(child("inner/x"), boom())

    system.until_logged(log, "start y#2")
    assert log == ["start x#1", "start y#1", "start b#1", "stop y#1", "start x#2", "start y#2"]
    assert system.cell(child("inner")).incarnation == 2


def test_siblings_share_the_budget_of_a_supervisor_that_escalates(
    system: Driver, log: list[str]
) -> None:
    system.start(scripted("a", log), scripted("b", log), policy=supervision(restarts=1))

    system.tell(A, boom())
    system.until_logged(log, "start a#2")
    system.tell(B, boom())

    system.until(lambda: system.runtime.failed_closed is not None)


def test_each_child_has_its_own_budget_where_a_child_that_spent_it_is_quarantined(
    system: Driver, log: list[str]
) -> None:
    policy = supervision(restarts=1, on_exceeded=OnExceeded.QUARANTINE)
    system.start(scripted("a", log), scripted("b", log), scripted("c", log), policy=policy)
    system.tell(C, Do(action=lambda ctx: ctx.subscribe(SUPERVISION_TOPIC)), note("ready"))
    system.until_logged(log, "c#1 ready")

    system.tell(A, boom(), boom("again"))
    system.tell(B, boom())

    system.until_logged(log, "c#1 quarantined /root/a: receive: Boom: again")
    system.until_logged(log, "start b#2")
    system.until(lambda: system.cell(A).shown_status == "quarantined")
    system.tell(B, note("goes on"))
    system.until_logged(log, "b#2 goes on")
    assert "start a#3" not in log
    assert system.runtime.failed_closed is None


def test_only_restarts_within_the_period_count(system: Driver, log: list[str]) -> None:
    period = system.pause // 2
    system.start(scripted("a", log), policy=supervision(restarts=1, period=period))

    for incarnation in range(2, 5):
        system.tell(A, boom())
        system.until_logged(log, f"start a#{incarnation}")
        system.pass_time(2 * period)

    assert system.runtime.failed_closed is None


def test_a_message_may_crash_its_receiver_as_often_as_its_spec_says_and_is_dead_then(
    system: Driver, log: list[str]
) -> None:
    system.start(scripted("a", log, max_deliveries=3))
    delivered: list[int] = []

    def poison(ctx: Context) -> None:
        delivered.append(ctx.incarnation)
        raise RuntimeError("always")

    message = Do(action=poison)
    system.tell(A, note("before"), message, note("after"))

    system.until_logged(log, "a#4 after")
    assert delivered == [1, 2, 3]
    assert system.dead_for(DeadLetterReason.POISON) == [message]
    assert log == [
        "start a#1", "a#1 before", "start a#2", "start a#3", "start a#4", "a#4 after"
    ]  # fmt: skip


def test_a_failing_constructor_counts_as_a_failure(system: Driver, log: list[str]) -> None:
    spec = scripted("a", log)
    broken = type(spec)(name="a", actor=spec.actor, args={"no_such": 1}, backoff=spec.backoff)

    system.begin(broken, policy=supervision(restarts=2))

    system.until(lambda: system.runtime.failed_closed is not None)
    assert "unexpected keyword argument 'no_such'" in str(system.runtime.failed_closed)
    assert (
        sum(event.what == "failed" for event in system.runtime.history if "/a" in event.path) == 3
    )


def test_the_account_is_shut_before_anyone_hears_that_a_critical_actor_failed(
    system: Driver, log: list[str]
) -> None:
    gate = system.runtime.gate
    gate.on_trip(lambda cause, epoch: log.append(f"tripped {cause.code}"))
    system.start(
        scripted("a", log),
        scripted("b", log, critical=True),
        policy=supervision(Strategy.ONE_FOR_ALL),
    )
    gate.arm((), "a test", gate.epoch)
    del log[:]

    system.tell(B, boom("lost"))

    system.until_logged(log, "start b#2")
    assert log == ["tripped failed:/root/b", "stop a#1", "start a#2", "start b#2"]
    (cause,) = gate.standing()
    assert (cause.cause_class, cause.state) == (CauseClass.INTEGRITY, TradingState.HALTED)
    assert cause.detail == "receive: Boom: lost"


def test_a_critical_actor_that_cannot_start_again_shuts_the_gate_i69(
    system: Driver, log: list[str]
) -> None:
    def fails_the_second_time(ctx: Context) -> None:
        if ctx.incarnation == 2:
            raise Boom("no disk")

    gate = system.runtime.gate
    system.start(scripted("a", log, critical=True, on_start=fails_the_second_time))
    gate.arm((), "a test", gate.epoch)

    system.ask(ROOT, RestartChild(name="a"))

    system.until_logged(log, "start a#3")
    assert [(cause.code, cause.detail) for cause in gate.standing()] == [
        ("failed:/root/a", "start: Boom: no disk")
    ]


def test_a_restart_does_not_open_the_gate(system: Driver, log: list[str]) -> None:
    gate = system.runtime.gate
    system.start(scripted("a", log, critical=True))
    gate.arm((), "a test", gate.epoch)

    system.tell(A, boom(), note("back"))

    system.until_logged(log, "a#2 back")
    assert gate.state is TradingState.HALTED


@pytest.mark.parametrize(
    "error", [SystemExit(1), KeyboardInterrupt(), MemoryError(), RecursionError()]
)
def test_what_cannot_be_trusted_after_fails_closed(
    system: Driver, log: list[str], error: BaseException
) -> None:
    system.start(scripted("a", log))

    def fail(_ctx: Context) -> None:
        raise error

    system.tell(A, Do(action=fail))

    system.until(lambda: system.runtime.failed_closed is not None)
    assert system.runtime.gate.state is TradingState.HALTED


def test_a_child_of_an_actor_that_does_not_supervise_fails_with_it(
    system: Driver, log: list[str]
) -> None:
    kids = (scripted("kid", log), scripted("other", log))

    def have_kids(ctx: Context) -> None:
        for kid in kids:
            ctx.spawn(kid)

    system.start(scripted("a", log, on_start=have_kids))
    system.until(lambda: len(log) == 3)

    system.tell(child("a/kid"), boom())

    system.until(lambda: len(log) == 7)
    assert [log[0], *log[3:5]] == ["start a#1", "stop other#1", "start a#2"]
    assert sorted(log[1:3]) == ["start kid#1", "start other#1"]
    assert sorted(log[5:]) == ["start kid#2", "start other#2"]
    assert system.cell(A).last_failure() == "LinkedChildFailed: kid: Boom: boom"


def test_children_stop_before_their_parent(system: Driver, log: list[str]) -> None:
    def have_kids(ctx: Context) -> None:
        ctx.spawn(scripted("kid", log))
        ctx.spawn(scripted("other", log))

    system.start(scripted("a", log, on_start=have_kids, restart=Restart.TEMPORARY))
    system.until(lambda: len(log) == 3)

    system.tell(A, end())

    system.until_logged(log, "stop a#1")
    assert log[3:] == ["stop other#1", "stop kid#1", "stop a#1"]


def test_stopping_a_child_that_has_just_ended_by_itself_is_no_error(
    system: Driver, log: list[str]
) -> None:
    system.start(scripted("a", log, on_start=lambda ctx: ctx.spawn(scripted("kid", log))))
    system.tell(child("a/kid"), end())
    system.until(lambda: system.is_gone(child("a/kid")))
    system.until(lambda: system.cell(A).children == {})

    system.tell(A, Do(action=lambda ctx: ctx.stop(child("a/kid"))), note("on"))

    system.until_logged(log, "a#1 on")


def test_stopping_somebody_elses_child_is_refused(system: Driver, log: list[str]) -> None:
    system.start(scripted("a", log), scripted("b", log))

    system.tell(A, Do(action=lambda ctx: ctx.stop(B)), note("on"))

    system.until_logged(log, "a#2 on")
    assert system.cell(A).last_failure() == "ValueError: /root/b is not a child of /root/a"


@pytest.mark.parametrize("how", ["failure", "end"])
def test_a_supervisor_ends_with_its_significant_child(
    system: Driver, log: list[str], how: str
) -> None:
    inner = supervisor(
        "inner",
        scripted("x", log),
        scripted("y", log, restart=Restart.TEMPORARY, significant=True),
    )
    inner = type(inner)(name="inner", actor=inner.actor, args=inner.args, restart=Restart.TEMPORARY)
    system.start(inner)

    system.tell(child("inner/y"), boom() if how == "failure" else end())

    system.until(lambda: system.is_gone(child("inner")))
    assert system.is_gone(child("inner/x"))


def test_the_pause_before_a_restart_grows_and_is_jittered_within_half(
    system: Driver, log: list[str]
) -> None:
    base = system.pause // 10
    backoff = Backoff(base=base, cap=4 * base, stable_after=100 * SECOND)
    system.start(scripted("a", log, backoff=backoff))

    system.tell(A, boom(), boom(), boom(), boom())

    system.until_logged(log, "start a#5")
    history = list(system.runtime.history)
    failed = [event.at for event in history if event.what == "failed"]
    started = [event.at for event in history if event.what == "started" and event.path == A.path]
    pauses = [start - fail for fail, start in zip(failed, started[1:], strict=True)]
    for pause, longest in zip(pauses, (base, 2 * base, 4 * base, 4 * base), strict=True):
        assert longest // 2 <= pause
    assert system.cell(A).status is Status.RUNNING
