"""What both runtimes promise about messages on their way and in the mailbox."""

import pytest

from hydra.actor import MINUTE, Context, MailboxSpec, Overflow, Ref
from hydra.runtime import mailbox
from hydra.runtime.envelope import DeadLetterReason
from hydra.runtime.life import Status
from messages.lifecycle import RestartChild
from tests.contracts.runtimes.actors import (
    Do,
    DoUrgently,
    Note,
    Quote,
    Strange,
    UrgentNote,
    boom,
    each,
    note,
    scripted,
    tell,
)
from tests.contracts.runtimes.conftest import driver_of
from tests.contracts.runtimes.driver import Driver, child

A, B = child("a"), child("b")


def test_address_and_waiting_messages_survive_a_restart(system: Driver, log: list[str]) -> None:
    system.start(scripted("a", log))

    system.tell(A, note(1), boom(), note(2), note(3))

    system.until_logged(log, "a#2 3")
    assert log == ["start a#1", "a#1 1", "start a#2", "a#2 2", "a#2 3"]


def test_each_incarnation_has_the_next_number(system: Driver, log: list[str]) -> None:
    system.start(scripted("a", log))

    system.tell(A, boom(), boom(), boom(), note("here"))

    system.until_logged(log, "a#4 here")
    assert log == ["start a#1", "start a#2", "start a#3", "start a#4", "a#4 here"]
    assert (system.cell(A).incarnation, system.cell(A).restarts) == (4, 3)


def test_messages_of_one_sender_arrive_in_the_order_sent(system: Driver, log: list[str]) -> None:
    system.start(scripted("a", log), scripted("b", log), scripted("c", log))
    numbers = range(50)

    system.tell(A, tell(child("c"), *(note(f"a{n}") for n in numbers)))
    system.tell(B, tell(child("c"), *(note(f"b{n}") for n in numbers)))

    system.until(lambda: len(log) == 3 + 100)
    for sender in "ab":
        lines = [line for line in log if line.startswith(f"c#1 {sender}")]
        assert lines == [f"c#1 {sender}{n}" for n in numbers]


def test_an_answer_keeps_its_place_among_the_other_messages_of_its_sender(
    system: Driver, log: list[str]
) -> None:
    system.start(scripted("a", log), scripted("b", log))

    def answer(n: int) -> Do:
        return Do(
            action=each(
                lambda ctx: ctx.tell(A, note(f"before {n}")),
                lambda ctx: ctx.reply(note(n)),
                lambda ctx: ctx.tell(A, note(f"after {n}")),
            )
        )

    def ask_all(ctx: Context) -> None:
        for n in range(10):
            ctx.ask(B, answer(n), within=system.pause, tag="q" + str(n))

    system.tell(A, Do(action=ask_all))

    system.until_logged(log, "a#1 after 9")
    assert log[2:] == [
        line for n in range(10) for line in (f"a#1 before {n}", f"a#1 q{n}: {n}", f"a#1 after {n}")
    ]


@pytest.mark.parametrize("runtime", ["threads", "canonical"])
def test_a_control_message_goes_ahead_of_all_that_wait_in_the_user_lane(
    runtime: str, log: list[str]
) -> None:
    system = driver_of(runtime)
    system.start(scripted("a", log))

    system.tell(A, tell(A, note(1), note(2), UrgentNote(text="first")))

    system.until_logged(log, "a#1 2")
    assert log == ["start a#1", "a#1 first", "a#1 1", "a#1 2"]
    system.close()


def test_control_messages_are_handled_while_the_user_lane_is_shut(
    system: Driver, log: list[str]
) -> None:
    system.start(scripted("a", log))
    system.suspend(A)

    system.tell(A, note(1), UrgentNote(text="at once"))

    system.until_logged(log, "a#1 at once")
    system.until(lambda: system.waiting(A) == 1)
    system.resume(A)
    system.until_logged(log, "a#1 1")
    assert log == ["start a#1", "a#1 at once", "a#1 1"]


def test_control_messages_for_a_failed_actor_wait_for_its_next_incarnation_and_come_first(
    system: Driver, log: list[str]
) -> None:
    system.start(scripted("a", log))
    system.suspend(A)
    system.tell(A, note("user"))
    system.until(lambda: system.waiting(A) == 1)

    def fail_and_tell(ctx: Context) -> None:
        ctx.tell(A, UrgentNote(text="control"))
        raise RuntimeError("now")

    system.tell(A, DoUrgently(action=fail_and_tell))
    system.resume(A)

    system.until_logged(log, "a#2 user")
    assert log == ["start a#1", "start a#2", "a#2 control", "a#2 user"]


def test_a_full_mailbox_rejects_what_does_not_fit(system: Driver, log: list[str]) -> None:
    system.start(scripted("a", log, mailbox=MailboxSpec(bound=2)))
    system.suspend(A)

    system.tell(A, note(1), note(2), note(3))

    system.until(lambda: system.dead_for(DeadLetterReason.FULL) == [note(3)])
    system.resume(A)
    system.until_logged(log, "a#1 2")
    assert log == ["start a#1", "a#1 1", "a#1 2"]


def test_an_actor_that_must_lose_nothing_fails_when_its_mailbox_overflows(
    system: Driver, log: list[str]
) -> None:
    system.start(scripted("a", log, mailbox=MailboxSpec(bound=2, overflow=Overflow.FAIL)))
    system.suspend(A)

    system.tell(A, note(1), note(2), note(3))

    system.until(lambda: system.cell(A).incarnation == 2)
    system.resume(A)
    system.until_logged(log, "a#2 2")
    assert log == ["start a#1", "start a#2", "a#2 1", "a#2 2"]
    assert system.cell(A).last_failure() == "MailboxFull: more than 2 messages wait"
    assert system.dead_for(DeadLetterReason.FULL) == [note(3)]


def test_a_full_control_lane_fails_closed(
    system: Driver, log: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    system.start(scripted("a", log, hang_after=10 * MINUTE), scripted("b", log))
    system.tell(A, Do(action=each(lambda _: log.append("stuck"), system.hang)))
    system.until_logged(log, "stuck")
    monkeypatch.setattr(mailbox, "CONTROL_BOUND", 50)

    system.tell(A, *(UrgentNote(text=str(n)) for n in range(60)))
    system.tell(B, Do(action=lambda ctx: ctx.watch(A)), note("on"))

    system.until(lambda: system.runtime.failed_closed is not None)
    assert system.runtime.failed_closed == "/root/a: its control lane is full"
    system.until_logged(log, "b#1 on")
    assert not any("terminated" in line for line in log)


def by_symbol(message: object) -> str | None:
    return message.symbol if isinstance(message, Quote) else None


def test_a_conflating_mailbox_keeps_the_newest_of_each_key_in_the_place_of_the_oldest(
    system: Driver, log: list[str]
) -> None:
    spec = MailboxSpec(bound=3, conflate=by_symbol)
    system.start(scripted("a", log, mailbox=spec))
    system.suspend(A)

    def quote(symbol: str, price: int) -> Quote:
        return Quote(symbol=symbol, price=price)

    system.tell(A, quote("AAPL", 1), quote("MSFT", 1), note("alone"), quote("MSFT", 2))
    system.tell(A, *(quote("AAPL", price) for price in range(2, 100)))

    system.until(lambda: system.cell(A).mailbox.conflated == 99)
    system.resume(A)
    system.until_logged(log, "a#1 alone")
    assert log == ["start a#1", "a#1 AAPL 99", "a#1 MSFT 2", "a#1 alone"]
    assert system.dead == []


def test_a_key_that_cannot_be_had_hurts_the_receiver_not_the_sender(
    system: Driver, log: list[str]
) -> None:
    spec = MailboxSpec(conflate=lambda message: message.symbol)  # type: ignore[attr-defined]
    system.start(scripted("a", log, mailbox=spec), scripted("b", log))

    system.tell(B, tell(A, note(1), Quote(symbol="AAPL", price=1), Strange()), note("sent"))

    system.until_logged(log, "start a#2")
    system.until_logged(log, "b#1 sent")
    assert [line for line in log if line.startswith("a#1")] == ["a#1 1", "a#1 AAPL 1"]
    assert system.cell(B).failed_count == 0


def test_what_is_set_aside_comes_back_in_order_ahead_of_what_waits(
    system: Driver, log: list[str]
) -> None:
    system.start(scripted("a", log))
    system.suspend(A)
    stash = Do(action=lambda ctx: stash_once(ctx, log))
    system.tell(A, stash, stash, note("waits"), Do(action=lambda ctx: ctx.unstash()), note("last"))
    system.until(lambda: system.waiting(A) == 5)

    system.resume(A)

    system.until_logged(log, "a#1 last")
    assert log == [
        "start a#1", "set aside 1", "set aside 2", "a#1 waits", "taken 1", "taken 2", "a#1 last"
    ]  # fmt: skip


def stash_once(ctx: Context, log: list[str]) -> None:
    """Set the message aside the first two times, and note when it comes back."""
    before = sum(line.startswith("set aside") for line in log)
    if before < 2:
        log.append(f"set aside {before + 1}")
        ctx.stash()
    else:
        log.append(f"taken {1 + sum(line.startswith('taken') for line in log)}")


def test_setting_aside_more_than_the_bound_fails_the_actor(system: Driver, log: list[str]) -> None:
    system.start(scripted("a", log, mailbox=MailboxSpec(stash_bound=1)))
    first = [True, True]

    def stash(ctx: Context) -> None:
        if first:
            first.pop()
            ctx.stash()
        else:
            log.append("taken")

    system.tell(A, Do(action=stash), Do(action=stash), note("on"))

    system.until_logged(log, "a#2 on")
    assert log == ["start a#1", "start a#2", "taken", "a#2 on"]
    assert system.cell(A).last_failure() == "StashFull: 1 messages are set aside already"
    assert system.dead_reasons() == {"poison": 1}


def test_what_was_set_aside_goes_to_the_next_incarnation_after_a_crash(
    system: Driver, log: list[str]
) -> None:
    system.start(scripted("a", log))

    system.tell(A, stash_or_note(log), boom(), note("after"))

    system.until_logged(log, "a#2 after")
    assert log == ["start a#1", "start a#2", "taken by 2", "a#2 after"]


def test_what_was_set_aside_goes_to_the_next_incarnation_after_an_orderly_restart(
    system: Driver, log: list[str]
) -> None:
    system.start(scripted("a", log))
    system.tell(A, stash_or_note(log))
    system.until(lambda: len(system.cell(A).stash) == 1)

    system.ask(Ref("/root"), RestartChild(name="a"))

    system.until_logged(log, "taken by 2")
    assert log == ["start a#1", "stop a#1", "start a#2", "taken by 2"]


def stash_or_note(log: list[str]) -> Do:
    def act(ctx: Context) -> None:
        if ctx.incarnation == 1:
            ctx.stash()
        else:
            log.append(f"taken by {ctx.incarnation}")

    return Do(action=act)


def test_a_message_that_is_set_aside_and_then_crashes_its_receiver_is_accounted_for_once(
    system: Driver, log: list[str]
) -> None:
    system.start(scripted("a", log))

    def stash_and_fail(ctx: Context) -> None:
        log.append("handled")
        ctx.stash()
        raise RuntimeError("after setting it aside")

    poison = Do(action=stash_and_fail)
    system.tell(A, poison, note("after"))

    system.until_logged(log, "a#2 after")
    assert log == ["start a#1", "handled", "start a#2", "a#2 after"]
    assert system.dead_for(DeadLetterReason.POISON) == [poison]


def test_a_message_set_aside_twice_comes_back_once(system: Driver, log: list[str]) -> None:
    system.start(scripted("a", log))
    seen: list[int] = []

    def stash_twice(ctx: Context) -> None:
        seen.append(1)
        if len(seen) == 1:
            ctx.stash()
            ctx.stash()

    system.tell(A, Do(action=stash_twice), Do(action=lambda ctx: ctx.unstash()), note("end"))

    system.until_logged(log, "a#1 end")
    assert len(seen) == 2


def test_a_timer_message_that_was_set_aside_comes_back(system: Driver, log: list[str]) -> None:
    system.start(scripted("a", log))
    ticked: list[int] = []

    def tick(ctx: Context) -> None:
        ticked.append(1)
        if len(ticked) == 1:
            ctx.stash()
        else:
            log.append("tick came back")

    system.tell(A, Do(action=lambda ctx: ctx.after(0, Do(action=tick), key="tick")))
    system.until(lambda: len(ticked) == 1)
    system.tell(A, Do(action=lambda ctx: ctx.unstash()), note("end"))

    system.until_logged(log, "a#1 end")
    assert log == ["start a#1", "tick came back", "a#1 end"]


def test_a_user_lane_that_is_not_to_be_kept_is_dropped_at_a_restart(
    system: Driver, log: list[str]
) -> None:
    system.start(scripted("a", log, mailbox=MailboxSpec(keep_on_restart=False)))
    system.suspend(A)
    system.tell(A, note(1), note(2))
    system.until(lambda: system.waiting(A) == 2)

    system.tell(A, DoUrgently(action=boom().action))

    system.until(lambda: system.cell(A).incarnation == 2)
    system.until(lambda: system.cell(A).status is Status.RUNNING)
    system.resume(A)
    assert system.dead_for(DeadLetterReason.DROPPED) == [note(1), note(2)]
    assert isinstance(system.dead_for(DeadLetterReason.POISON)[0], DoUrgently)
    assert Note not in map(type, system.dead_for(DeadLetterReason.POISON))
