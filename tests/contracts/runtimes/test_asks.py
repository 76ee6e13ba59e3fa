"""What both runtimes promise about questions: each ends once, however it ends."""

import threading

import pytest

from hydra.actor import MILLISECOND, Context, Restart
from hydra.runtime.envelope import DeadLetterReason
from hydra.runtime.life import NoReply
from hydra.runtime.runtime import NobodyThere, NoReplyInTime
from messages.lifecycle import StopChild
from tests.contracts.runtimes.actors import (
    Boom,
    Do,
    DoUrgently,
    boom,
    each,
    note,
    scripted,
)
from tests.contracts.runtimes.driver import ROOT, Driver, child

A, B = child("a"), child("b")
ANSWER = Do(action=lambda ctx: ctx.reply(note("yes")))
SILENCE = Do(action=lambda ctx: None)


def test_an_outside_asker_gets_the_answer(system: Driver, log: list[str]) -> None:
    system.start(scripted("a", log))

    assert system.ask(A, ANSWER) == note("yes")


def test_the_first_answer_stands(system: Driver, log: list[str]) -> None:
    system.start(scripted("a", log))
    twice = Do(action=each(lambda ctx: ctx.reply(note(1)), lambda ctx: ctx.reply(note(2))))

    assert system.ask(A, twice) == note(1)
    assert system.dead == []


def test_a_failing_handler_gives_its_asker_the_error_and_counts_as_a_failure(
    system: Driver, log: list[str]
) -> None:
    system.start(scripted("a", log))

    with pytest.raises(Boom, match="no luck"):
        system.ask(A, boom("no luck"))

    system.until_logged(log, "start a#2")
    assert system.cell(A).last_failure() == "Boom: no luck"


def test_an_asker_is_told_when_the_question_was_handled_without_an_answer(
    system: Driver, log: list[str]
) -> None:
    system.start(scripted("a", log))

    with pytest.raises(NoReply, match="/root/a did not answer Do"):
        system.ask(A, SILENCE)


def test_an_asker_waits_no_longer_than_it_said(system: Driver, log: list[str]) -> None:
    system.start(scripted("a", log))
    system.suspend(A)

    with pytest.raises(NoReplyInTime, match="/root/a did not answer within"):
        system.ask(A, ANSWER, within=0.02)


def test_a_question_that_is_too_old_is_not_answered_any_more(
    system: Driver, log: list[str]
) -> None:
    system.start(scripted("a", log))
    system.suspend(A)
    with pytest.raises(NoReplyInTime):
        system.ask(A, ANSWER, within=0.02)
    system.pass_time(MILLISECOND)

    system.resume(A)

    system.until(lambda: system.dead_for(DeadLetterReason.EXPIRED) == [ANSWER])


def test_asking_where_nobody_lives_is_answered_at_once(system: Driver, log: list[str]) -> None:
    system.start(scripted("a", log))

    with pytest.raises(NobodyThere, match="/root/nobody: no-such-path"):
        system.ask(child("nobody"), ANSWER, within=60.0)


def test_a_question_that_waits_when_its_receiver_stops_is_answered(
    system: Driver, log: list[str]
) -> None:
    system.start(scripted("a", log), scripted("b", log))
    system.suspend(A)
    system.tell(B, Do(action=lambda ctx: ctx.ask(A, ANSWER, within=10 * system.pause, tag="q")))
    system.until(lambda: system.waiting(A) == 1)

    system.ask(ROOT, StopChild(name="a"))

    system.until_logged(log, "b#1 q: error NobodyThere: /root/a: stopped")


def test_an_answer_to_an_actor_is_a_message(system: Driver, log: list[str]) -> None:
    system.start(scripted("a", log), scripted("b", log))

    system.tell(B, Do(action=lambda ctx: ctx.ask(A, ANSWER, within=system.pause, tag="q")))

    system.until_logged(log, "b#1 q: yes")


def test_an_asking_actor_gets_the_error_of_a_failing_handler(
    system: Driver, log: list[str]
) -> None:
    system.start(scripted("a", log), scripted("b", log))

    system.tell(B, Do(action=lambda ctx: ctx.ask(A, boom("no"), within=system.pause, tag="q")))

    system.until_logged(log, "b#1 q: error Boom: no")
    system.until_logged(log, "start a#2")


def test_an_asking_actor_gets_exactly_one_of_answer_and_time_out(
    system: Driver, log: list[str]
) -> None:
    system.start(scripted("a", log), scripted("b", log))
    system.suspend(A)
    system.tell(B, Do(action=lambda ctx: ctx.ask(A, ANSWER, within=MILLISECOND, tag="q")))
    system.until_logged(log, "b#1 q: timed out")

    system.resume(A)
    system.until(lambda: system.waiting(A) == 0)
    system.tell(B, Do(action=lambda ctx: ctx.after(system.pause, note("end"), key="end")))

    system.until_logged(log, "b#1 end")
    assert [line for line in log if "q:" in line] == ["b#1 q: timed out"]


def test_an_answer_that_came_first_leaves_no_time_out_behind(
    system: Driver, log: list[str]
) -> None:
    system.start(scripted("a", log), scripted("b", log))

    system.tell(B, Do(action=lambda ctx: ctx.ask(A, ANSWER, within=system.pause // 2, tag="q")))
    system.until_logged(log, "b#1 q: yes")
    system.tell(B, Do(action=lambda ctx: ctx.after(2 * system.pause, note("end"), key="end")))

    system.until_logged(log, "b#1 end")
    assert [line for line in log if "q:" in line] == ["b#1 q: yes"]


def test_a_further_question_of_the_same_tag_takes_the_place_of_the_open_one(
    system: Driver, log: list[str]
) -> None:
    system.start(scripted("a", log), scripted("b", log))
    system.suspend(A)
    first, second = (Do(action=lambda ctx, n=n: ctx.reply(note(n))) for n in (1, 2))  # type: ignore[misc]
    system.tell(B, Do(action=lambda ctx: ctx.ask(A, first, within=system.pause, tag="q")))
    system.tell(B, Do(action=lambda ctx: ctx.ask(A, second, within=system.pause, tag="q")))
    system.until(lambda: system.waiting(A) == 2)

    system.resume(A)
    system.tell(B, Do(action=lambda ctx: ctx.after(2 * system.pause, note("end"), key="end")))

    system.until_logged(log, "b#1 end")
    assert [line for line in log if "q:" in line] == ["b#1 q: 2"]


def test_an_actor_may_ask_itself(system: Driver, log: list[str]) -> None:
    system.start(scripted("a", log))

    system.tell(A, Do(action=lambda ctx: ctx.ask(A, ANSWER, within=system.pause, tag="me")))

    system.until_logged(log, "a#1 me: yes")


def test_an_answer_to_an_incarnation_that_is_gone_is_not_seen(
    system: Driver, log: list[str]
) -> None:
    system.start(scripted("a", log), scripted("b", log))
    system.suspend(A)
    system.tell(B, Do(action=lambda ctx: ctx.ask(A, ANSWER, within=system.pause, tag="q")), boom())
    system.until_logged(log, "start b#2")

    system.resume(A)
    system.tell(B, Do(action=lambda ctx: ctx.after(2 * system.pause, note("end"), key="end")))

    system.until_logged(log, "b#2 end")
    assert [line for line in log if "q:" in line] == []


def test_an_actor_that_waits_for_another_is_refused(system: Driver, log: list[str]) -> None:
    system.start(scripted("a", log), scripted("b", log))

    system.tell(A, Do(action=lambda ctx: system.runtime.ask(B, ANSWER, within=1.0)), note("on"))

    system.until_logged(log, "a#2 on")
    assert system.cell(A).last_failure() == (
        "RuntimeError: an actor must not wait for another; use Context.ask"
    )


def test_a_question_set_aside_is_answered_when_it_is_taken_up(
    system: Driver, log: list[str]
) -> None:
    system.start(scripted("a", log), scripted("b", log))
    ready = threading.Event()

    def later(ctx: Context) -> None:
        if ready.is_set():
            ctx.reply(note("at last"))
        else:
            ctx.stash()

    question = Do(action=later)
    system.tell(B, Do(action=lambda ctx: ctx.ask(A, question, within=system.pause, tag="q")))
    system.until(lambda: len(system.cell(A).stash) == 1)
    ready.set()
    system.tell(A, Do(action=lambda ctx: ctx.unstash()))

    system.until_logged(log, "b#1 q: at last")


def test_a_control_message_can_be_a_question(system: Driver, log: list[str]) -> None:
    system.start(scripted("a", log))

    assert system.ask(A, DoUrgently(action=lambda ctx: ctx.reply(note("now")))) == note("now")


def test_a_pykka_stop_of_an_actor_whose_stop_hook_fails_returns(
    system: Driver, log: list[str]
) -> None:
    def fail(_ctx: Context) -> None:
        raise Boom("in the stop hook")

    system.start(scripted("a", log, on_stop=fail, restart=Restart.TEMPORARY))

    assert system.cell(A).actor_ref.stop(block=True, timeout=5.0)


def test_a_second_pykka_stop_returns_when_the_first_has_stopped_it(
    system: Driver, log: list[str]
) -> None:
    system.start(scripted("a", log, restart=Restart.TEMPORARY))
    ref = system.cell(A).actor_ref
    _ = ref.stop(block=False)

    ref.stop(block=True, timeout=5.0)

    system.until(lambda: system.is_gone(A))
