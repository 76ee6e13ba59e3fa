"""Preflight: every component must answer well, and in time."""

import pytest

from actors.health_monitor import HealthMonitor
from hydra.actor import SECOND, Actor, Context, Ref
from hydra.testkit import Kit, Probe
from hydra.testkit.faults import Edge
from messages.control import PreflightFailed, PreflightPassed, RecordValue
from messages.health import HealthReported, ReportHealth
from messages.lifecycle import StopChild
from messages.loops import LOOP_TOPIC, LOOPS_ON_RECORD, LoopRan, LoopsReported, ReportLoops
from messages.message import Message
from messages.positions import RecoverValue, ValueRecovered

LOOP = 5 * SECOND


@pytest.fixture
def kit() -> Kit:
    return Kit()


def well(component: str) -> HealthReported:
    return HealthReported(component=component, is_well=True, detail="fine")


def component(kit: Kit, name: str, answer: Message | None) -> Probe:
    probe = kit.probe(name)
    probe.reply_with(lambda _question: answer)
    return probe


def monitor(
    kit: Kit, *components: Probe, loop: int = LOOP, on_record: str = ""
) -> tuple[Probe, Ref[Message]]:
    guardian = kit.probe("guardian")
    ref = kit.start(
        HealthMonitor,
        components=tuple(probe.ref for probe in components),
        guardian=guardian.ref,
        persister=record(kit, on_record).ref,
        loop_interval=loop,
    )
    return guardian, ref


def record(kit: Kit, number: str = "") -> Probe:
    """A persister that has this as the number of the last loop."""

    def answer(question: Message) -> Message | None:
        return ValueRecovered(value=number) if isinstance(question, RecoverValue) else None

    persister = kit.probe("persister")
    persister.reply_with(answer)
    return persister


class Bot(Actor[LoopRan]):
    """Keeps what it hears of the loop."""

    def __init__(self, heard: list[LoopRan]) -> None:
        self._heard = heard

    def start(self, ctx: Context) -> None:
        ctx.subscribe(LOOP_TOPIC)

    def receive(self, message: LoopRan, ctx: Context) -> None:
        self._heard.append(message)


def test_preflight_passes_with_the_evidence_of_all_when_all_are_well(kit: Kit) -> None:
    guardian, _ = monitor(
        kit, component(kit, "ledger", well("ledger")), component(kit, "feed", well("feed"))
    )

    passed = guardian.expect(PreflightPassed)

    assert passed.evidence == ("ledger: fine", "feed: fine")
    guardian.expect(PreflightPassed, within=LOOP)  # and again with the next loop


def test_one_component_that_is_not_well_fails_it(kit: Kit) -> None:
    stale = HealthReported(component="feed", is_well=False, detail="150 s old")
    guardian, _ = monitor(
        kit, component(kit, "ledger", well("ledger")), component(kit, "feed", stale)
    )

    assert guardian.expect(PreflightFailed).failures == ("feed: 150 s old",)


def test_a_component_that_says_nothing_fails_it(kit: Kit) -> None:
    guardian, _ = monitor(
        kit, component(kit, "ledger", well("ledger")), component(kit, "mute", None)
    )

    failed = guardian.expect(PreflightFailed, within=3 * SECOND)

    (failure,) = failed.failures
    assert failure.startswith("mute: ")
    assert "did not answer" in failure or "no answer within 2 s" in failure


def test_a_component_that_is_not_there_fails_it(kit: Kit) -> None:
    guardian = kit.probe("guardian")
    nobody: Ref[Message] = Ref("/kit/nobody")
    kit.start(
        HealthMonitor,
        components=(nobody,),
        guardian=guardian.ref,
        persister=record(kit).ref,
        loop_interval=LOOP,
    )

    (failure,) = guardian.expect(PreflightFailed, within=3 * SECOND).failures
    assert failure.startswith("nobody: ")


def test_a_loop_that_has_not_ended_is_not_joined_by_the_next(kit: Kit) -> None:
    hanging = component(kit, "hanging", well("hanging"))
    kit.hang(hanging.ref)
    guardian, ref = monitor(kit, hanging, loop=SECOND // 2)

    kit.advance(SECOND)

    assert kit.state(ref)["overruns"] == 2
    assert guardian.told == []


def test_the_answers_of_an_older_loop_do_not_count(kit: Kit) -> None:
    flaky = kit.probe("flaky")
    answers = iter([None, well("flaky"), well("flaky")])
    flaky.reply_with(lambda _question: next(answers))
    guardian, _ = monitor(kit, flaky)

    guardian.expect(PreflightFailed, within=3 * SECOND)
    guardian.expect(PreflightPassed, within=LOOP)


def test_it_shows_what_it_heard_in_the_last_whole_loop_and_when(kit: Kit) -> None:
    stale = HealthReported(component="feed", is_well=False, detail="150 s old")
    guardian, ref = monitor(
        kit, component(kit, "ledger", well("ledger")), component(kit, "feed", stale)
    )
    guardian.expect(PreflightFailed)

    shown = kit.state(ref)

    assert shown["loop_interval"] == LOOP
    assert shown["heard_at"] == kit.now
    assert shown["heard"] == [
        {"component": "ledger", "is_well": True, "detail": "fine"},
        {"component": "feed", "is_well": False, "detail": "150 s old"},
    ]


def test_every_bot_is_told_of_each_loop_and_how_it_was() -> None:
    kit, heard = Kit(), list[LoopRan]()
    kit.start(Bot, heard=heard)
    began = kit.now
    answers = iter([well("feed"), HealthReported(component="feed", is_well=False, detail="old")])
    feed = kit.probe("feed")
    feed.reply_with(lambda _question: next(answers, well("feed")))
    monitor(kit, feed)

    kit.advance(LOOP + SECOND)

    first, second, third = heard
    assert first == LoopRan(number=1, passed=True, at=began)
    assert (second.number, second.passed) == (2, False)
    assert (third.number, third.passed) == (3, True)  # at a start a failed one is tried again
    assert [each.is_again for each in heard] == [False, False, True]


def test_who_says_nothing_in_time_is_late_and_halts_only_if_that_lasts(kit: Kit) -> None:
    hanging = component(kit, "hanging", well("hanging"))
    guardian, _ = monitor(kit, hanging, component(kit, "feed", well("feed")))
    guardian.expect(PreflightPassed)
    kit.delay(Edge(message=ReportHealth, receiver=hanging.ref), by=60 * SECOND)

    late = [guardian.expect(PreflightFailed, within=LOOP + 3 * SECOND) for _ in range(3)]

    assert [each.is_late for each in late] == [True, True, False]


def test_a_word_that_something_is_wrong_is_never_just_late(kit: Kit) -> None:
    hanging = component(kit, "hanging", well("hanging"))
    stale = HealthReported(component="feed", is_well=False, detail="150 s old")
    kit.hang(hanging.ref)
    guardian, _ = monitor(kit, hanging, component(kit, "feed", stale))

    assert guardian.expect(PreflightFailed, within=3 * SECOND).is_late is False


def test_loops_are_numbered_on_over_a_restart_and_no_number_is_used_twice(kit: Kit) -> None:
    guardian, ref = monitor(kit, component(kit, "feed", well("feed")), on_record="300")

    assert guardian.expect(PreflightPassed).loop == 301
    assert kit.ask(ref, ReportLoops()) == LoopsReported(
        begun=301, finished=301, passed=True, overruns=0
    )


def test_numbers_are_on_record_before_they_are_used_and_exact_after_an_orderly_end() -> None:
    kit = Kit()
    guardian, persister = kit.probe("guardian"), record(kit)
    ref = kit.start(
        HealthMonitor,
        components=(component(kit, "feed", well("feed")).ref,),
        guardian=guardian.ref,
        persister=persister.ref,
        loop_interval=LOOP,
    )
    kit.advance(LOOP)
    ahead = [told.value for told in persister.told if isinstance(told, RecordValue)]

    kit.ask(Ref("/kit"), StopChild(name=ref.name))
    kit.advance(SECOND)

    values = [told for told in persister.told if isinstance(told, RecordValue)]
    assert ahead == ["101"]
    assert values[-1] == RecordValue(key=LOOPS_ON_RECORD, value="2")


def test_no_loop_begins_before_it_is_known_how_far_they_were_numbered(kit: Kit) -> None:
    guardian, persister = kit.probe("guardian"), kit.probe("persister")
    kit.start(
        HealthMonitor,
        components=(component(kit, "feed", well("feed")).ref,),
        guardian=guardian.ref,
        persister=persister.ref,
        loop_interval=LOOP,
    )
    kit.advance(LOOP)
    assert guardian.told == []

    persister.reply_with(
        lambda question: ValueRecovered(value="7") if isinstance(question, RecoverValue) else None
    )
    assert guardian.expect(PreflightPassed, within=LOOP).loop == 8
