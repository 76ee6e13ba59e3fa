"""Plans that are drawn: the same again for a seed, and together all that can go wrong."""

from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.venues.simulated.misbehaving import MisbehavingExchange
from hydra.venues.simulated.random_plan import GRAVE, RECOVERABLE, random_plan
from tests.venues.simulated.draws import SYMBOLS
from tests.venues.simulated.histories import History, do, histories

ALL = {**RECOVERABLE, **GRAVE}


def test_a_seed_gives_the_same_plan_again_and_another_seed_another() -> None:
    plans = [random_plan(seed, SYMBOLS, ALL) for seed in range(50)]

    assert plans == [random_plan(seed, SYMBOLS, ALL) for seed in range(50)]
    assert len({plan.digest for plan in plans}) == 50


def test_each_plan_leaves_faults_out_and_together_they_have_them_all() -> None:
    rules = [random_plan(seed, SYMBOLS, ALL).rules for seed in range(50)]

    assert all(0 < len(some) < len(ALL) for some in rules)
    assert {type(rule.fault) for some in rules for rule in some} == set(ALL)
    assert all(rule.rate == ALL[type(rule.fault)] for some in rules for rule in some)


def test_what_an_engine_has_to_live_through_has_nothing_in_it_that_must_halt() -> None:
    plans = [random_plan(seed, SYMBOLS) for seed in range(50)]

    assert not {type(rule.fault) for plan in plans for rule in plan.rules} & set(GRAVE)


@settings(max_examples=20, deadline=None)
@given(history=histories(), seed=st.integers(0, 10**6))
def test_no_plan_makes_the_venue_fail_and_each_gives_the_same_again(
    history: History, seed: int
) -> None:
    plan = random_plan(seed, SYMBOLS, dict.fromkeys(ALL, 0.5))
    exchange, again = MisbehavingExchange(plan), MisbehavingExchange(plan)

    told = [do(exchange, step) for step in history.steps]

    assert told == [do(again, step) for step in history.steps]
