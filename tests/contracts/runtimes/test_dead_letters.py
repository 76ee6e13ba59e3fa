"""What both runtimes promise about messages that reach nobody: each has its reason."""

import pytest

from hydra.actor import Context, MailboxSpec
from hydra.runtime.envelope import DeadLetterReason
from messages.lifecycle import DEAD_LETTERS_TOPIC, StopChild
from tests.contracts.runtimes.actors import Do, Strange, boom, note, scripted, tell
from tests.contracts.runtimes.driver import ROOT, Driver, child

A, B = child("a"), child("b")


def test_telling_where_nobody_lives_makes_a_dead_letter_and_no_error(
    system: Driver, log: list[str]
) -> None:
    system.start(scripted("a", log))

    system.tell(A, tell(child("nobody"), note("lost")), note("on"))

    system.until_logged(log, "a#1 on")
    (dead,) = system.dead
    assert (dead.reason, dead.path) == (DeadLetterReason.NO_SUCH_PATH, "/root/nobody")
    assert dead.envelope.message == note("lost")


def test_what_waits_when_an_actor_stops_is_dead(system: Driver, log: list[str]) -> None:
    system.start(scripted("a", log))
    system.suspend(A)
    system.tell(A, note(1), note(2))
    system.until(lambda: system.waiting(A) == 2)

    system.ask(ROOT, StopChild(name="a"))

    system.until(lambda: system.dead_for(DeadLetterReason.STOPPED) == [note(1), note(2)])


def test_what_is_set_aside_when_an_actor_stops_is_dead(system: Driver, log: list[str]) -> None:
    system.start(scripted("a", log))
    aside = Do(action=lambda ctx: ctx.stash())
    system.tell(A, aside)
    system.until(lambda: len(system.cell(A).stash) == 1)

    system.ask(ROOT, StopChild(name="a"))

    system.until(lambda: system.dead_for(DeadLetterReason.STOPPED) == [aside])


def test_the_message_that_crashed_its_receiver_is_poison(system: Driver, log: list[str]) -> None:
    system.start(scripted("a", log))
    poison = boom("bad")

    system.tell(A, poison, note("on"))

    system.until_logged(log, "a#2 on")
    (dead,) = system.dead
    assert (dead.reason, dead.path) == (DeadLetterReason.POISON, "/root/a")
    assert (dead.envelope.message, dead.error) == (poison, "Boom: bad")


def test_a_message_that_is_not_in_the_inbox_fails_the_actor_and_is_unhandled(
    system: Driver, log: list[str]
) -> None:
    system.start(scripted("a", log))

    system.tell(A, Strange(), note("on"))

    system.until_logged(log, "a#2 on")
    assert system.dead_for(DeadLetterReason.UNHANDLED) == [Strange()]
    assert system.cell(A).last_failure() == (
        "UnhandledMessage: Strange is not a message this actor takes"
    )


@pytest.mark.parametrize("way", ["tell", "publish", "ask", "reply"])
def test_what_a_past_incarnation_still_sends_reaches_nobody(
    system: Driver, log: list[str], way: str
) -> None:
    system.start(scripted("a", log), scripted("b", log))
    kept: list[Context] = []
    system.tell(B, Do(action=lambda ctx: ctx.subscribe("topic")), note("subscribed"))
    system.until_logged(log, "b#1 subscribed")
    system.tell(B, tell(A, Do(action=kept.append), boom()))
    system.until_logged(log, "start a#2")

    (zombie,) = kept
    match way:
        case "tell":
            zombie.tell(B, note("late"))
        case "publish":
            zombie.publish("topic", note("late"))
        case "ask":
            zombie.ask(B, note("late"), within=1, tag="q")
        case _:
            zombie.reply(note("late"))
    system.tell(B, note("end"))

    system.until_logged(log, "b#1 end")
    assert system.dead_for(DeadLetterReason.FENCED) == [note("late")]
    assert "b#1 late" not in log


def test_a_past_incarnation_cannot_answer_a_question(system: Driver, log: list[str]) -> None:
    system.start(scripted("a", log, max_deliveries=2))
    kept: list[Context] = []

    def crash_once(ctx: Context) -> None:
        kept.append(ctx)
        if len(kept) == 1:
            raise RuntimeError("first time")
        kept[0].reply(note("from the dead"))
        ctx.reply(note("from the living"))

    assert system.ask(A, Do(action=crash_once)) == note("from the living")
    assert system.dead_for(DeadLetterReason.FENCED) == [note("from the dead")]


def test_a_past_incarnation_changes_nothing_for_its_successor(
    system: Driver, log: list[str]
) -> None:
    system.start(scripted("a", log), scripted("b", log))
    kept: list[Context] = []
    aside = Do(action=lambda ctx: ctx.stash() if ctx.incarnation == 2 else None)
    system.tell(A, Do(action=kept.append), boom(), aside)
    system.until(lambda: len(system.cell(A).stash) == 1)

    (zombie,) = kept
    zombie.stash()
    zombie.unstash()
    zombie.watch(child("nobody"))
    zombie.unwatch(B)
    zombie.subscribe("topic")
    zombie.set_receive_timeout(1)
    zombie.after(0, note("late"))
    zombie.stop(A)
    zombie.label(A, "odd")
    system.tell(A, note("end"))

    system.until_logged(log, "a#2 end")
    assert [line for line in log if line.startswith("a#2")] == ["a#2 end"]
    assert len(system.cell(A).stash) == 1


def test_dead_letters_are_published(system: Driver, log: list[str]) -> None:
    system.start(scripted("a", log), scripted("b", log))
    system.tell(A, Do(action=lambda ctx: ctx.subscribe(DEAD_LETTERS_TOPIC)), note("ready"))
    system.until_logged(log, "a#1 ready")

    system.tell(B, tell(child("nobody"), note("lost")))

    system.until_logged(log, "a#1 dead Note no-such-path /root/nobody")


def test_a_dead_letter_about_a_dead_letter_is_counted_and_not_published(
    system: Driver, log: list[str]
) -> None:
    system.start(scripted("a", log, mailbox=MailboxSpec(bound=1)))
    system.tell(A, Do(action=lambda ctx: ctx.subscribe(DEAD_LETTERS_TOPIC)))
    system.until(lambda: system.runtime.bus.subscribers(DEAD_LETTERS_TOPIC) != ())
    system.suspend(A)

    system.tell(child("nobody"), note(1), note(2))

    system.until(lambda: len(system.dead) == 3)
    assert system.dead_reasons() == {"no-such-path": 2, "full": 1}
