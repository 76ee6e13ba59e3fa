"""Preflight: every component must answer well, and in time."""

import pytest

from actors.health_monitor import HealthMonitor
from hydra.actor import SECOND, Ref
from hydra.testkit import Kit, Probe
from messages.control import PreflightFailed, PreflightPassed
from messages.health import HealthReported
from messages.message import Message

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


def monitor(kit: Kit, *components: Probe, loop: int = LOOP) -> tuple[Probe, Ref[Message]]:
    guardian = kit.probe("guardian")
    ref = kit.start(
        HealthMonitor,
        components=tuple(probe.ref for probe in components),
        guardian=guardian.ref,
        loop_interval=loop,
    )
    return guardian, ref


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
    kit.start(HealthMonitor, components=(nobody,), guardian=guardian.ref, loop_interval=LOOP)

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
