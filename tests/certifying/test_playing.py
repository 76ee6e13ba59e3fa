"""A bot that is fine keeps all rules, and one with a mistake breaks the one that is about it."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from hydra.certifying import witness
from hydra.certifying.playing import Candidate, played, tried
from hydra.certifying.rules import (
    ALLOWED,
    ASKS,
    CLOCK,
    DOUBLES,
    FLAT,
    GUARDS,
    HANDLES,
    QUICK,
    RAISES,
    SAME,
    STORMS,
    TRADES,
    Found,
    broken,
)
from hydra.certifying.scenarios import KINDS, scenario_of
from tests.certifying.bots import bring_bots

SEED = 0
SHORT = 60
"""Minutes, where nothing happens in them."""


@pytest.fixture(autouse=True)
def _brought(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bring_bots(tmp_path, monkeypatch)


def candidate(kind: str) -> Candidate:
    return Candidate(kind=kind, parameters={}, symbols=("AAPL",))


def found_in(kind: str, scenario: str) -> tuple[Found, ...]:
    drawn = scenario_of(KINDS.index(scenario), SEED)
    if not drawn.plan.acts:
        drawn = replace(drawn, plan=replace(drawn.plan, minutes=SHORT))
    return broken([played(candidate(kind), drawn).seen], {})


@pytest.mark.parametrize("scenario", ["everything denied", "fills in parts"])
def test_the_example_keeps_every_rule(scenario: str) -> None:
    assert found_in("fine", scenario) == ()


@pytest.mark.parametrize(
    ("kind", "scenario", "rule"),
    [
        ("raises", "wild prices", RAISES),
        ("forgets", "everything denied", HANDLES),
        ("pretends", "calm", ALLOWED),
        ("looks", "calm", CLOCK),
        ("ponders", "calm", QUICK),
        ("unasking", "wild prices", ASKS),
        ("guesses", "the bot crashes", DOUBLES),
        pytest.param("guesses", "the engine is killed", DOUBLES, marks=pytest.mark.slow),
        pytest.param("guesses", "the engine stops and starts", DOUBLES, marks=pytest.mark.slow),
        ("insists", "everything denied", STORMS),
        ("unguarded", "wild prices", GUARDS),
        ("keeps", "wild prices", FLAT),
        ("sleeps", "wild prices", TRADES),
    ],
)
def test_a_mistake_breaks_the_rule_that_is_about_it_and_no_other(
    kind: str, scenario: str, rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(witness, "CPU_SECONDS_MAX", 0.05)

    found = found_in(kind, scenario)

    assert {each.rule for each in found} == {rule}, found


def test_what_an_actor_does_that_the_bot_spawned_the_bot_does() -> None:
    number = KINDS.index("wild prices")

    seen = played(candidate("delegates"), scenario_of(number, SEED)).seen

    assert [(wish.symbol, wish.role) for wish in seen.wishes] == [
        ("AAPL", "entry"),
        ("AAPL", "exit"),
    ]
    ((rule, _, what),) = seen.failures
    assert (rule, what) == (RAISES, "KeyError: 'the second'")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_what_is_decided_by_hashes_of_texts_is_other_in_another_process() -> None:
    trial = tried(candidate("hashes"), 10, SEED, jobs=2)

    assert trial.is_whole
    assert {each.rule for each in trial.found} == {SAME}


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_example_keeps_every_rule_in_every_kind_of_scenario() -> None:
    trial = tried(candidate("fine"), len(KINDS), SEED, jobs=2)

    assert (trial.is_whole, trial.found) == (True, ())
    assert {seen.kind for seen in trial.scenarios} == set(KINDS)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_same_scenario_shows_the_same() -> None:
    number = KINDS.index("slow and double answers")

    one, other = (played(candidate("fine"), scenario_of(number, SEED)) for _ in range(2))

    assert one == other
    assert one.seen.executions > 0 and one.lines


def test_what_a_bot_prints_is_not_what_we_say(capsys: pytest.CaptureFixture[str]) -> None:
    found_in("raises", "wild prices")

    said = capsys.readouterr()
    assert (said.out, "a bot may print" in said.err) == ("", True)
