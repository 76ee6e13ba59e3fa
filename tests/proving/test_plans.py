"""Plans of days: each seed its own, and ever smaller ones of one that failed."""

from hypothesis import given
from hypothesis import strategies as st

from hydra.proving.plan import CALM_SHARE, DayPlan, ProcessKilled, day_of, smaller
from hydra.proving.telling import plan_as_json, plan_from
from hydra.trading.durations import MINUTE

SEEDS = st.integers(0, 10**9)


@given(SEEDS)
def test_a_seed_gives_one_plan_and_a_file_gives_it_back(seed: int) -> None:
    plan = day_of(seed)

    assert day_of(seed) == plan
    assert plan_from(plan_as_json(plan)) == plan


@given(SEEDS)
def test_trouble_comes_in_order_and_ends_in_time_to_heal(seed: int) -> None:
    plan = day_of(seed)

    times = [act.at for act in plan.acts]
    assert times == sorted(times)
    assert all(0 <= at < plan.trouble_ends < plan.minutes * MINUTE for at in times)
    ends_at = plan.trouble_ends // MINUTE * 2  # two symbols have a bar a minute
    assert {rule.match.until_event for rule in plan.venue.rules} <= {ends_at}


def test_some_days_are_calm_and_each_kind_of_trouble_is_left_out_of_some() -> None:
    plans = [day_of(seed) for seed in range(400)]

    calm = sum(plan.size == 0 for plan in plans)
    killed = sum(any(isinstance(act, ProcessKilled) for act in plan.acts) for plan in plans)
    assert CALM_SHARE / 2 < calm / len(plans) < CALM_SHARE * 2
    assert 0.3 < killed / len(plans) < 0.7


@given(SEEDS)
def test_smaller_plans_are_smaller_and_come_down_to_nothing(seed: int) -> None:
    plan = day_of(seed)

    assert all(each.size < plan.size for each in smaller(plan))
    while plan.size:
        plan = next(smaller(plan))
    assert (plan.schedule, plan.venue.rules, plan.acts) == (None, (), ())


def test_one_thing_alone_is_left_of_a_plan_that_needs_no_more() -> None:
    plan = next(plan for plan in map(day_of, range(100)) if len(plan.acts) > 20)
    needed = plan.acts[7]

    def fails(candidate: DayPlan) -> bool:
        return needed in candidate.acts

    while True:
        found = next(filter(fails, smaller(plan)), None)
        if found is None:
            break
        plan = found

    assert (plan.acts, plan.size) == ((needed,), 1)
