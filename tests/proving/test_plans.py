"""Plans of days: each seed its own, and ever smaller ones of one that failed."""

from hypothesis import given
from hypothesis import strategies as st

from hydra.proving.plan import (
    CALM_SHARE,
    CONTRACTS,
    OPTION_SHARE,
    OPTIONS_BOT,
    SYMBOLS,
    ActorFails,
    ChainFails,
    ContractsLost,
    ContractsMute,
    DayPlan,
    ProcessKilled,
    QuotesLie,
    day_of,
    smaller,
    symbols_of,
)
from hydra.proving.telling import plan_as_json, plan_from
from hydra.trading.durations import MINUTE
from hydra.venues.simulated.faults import Delay, DriftCash
from hydra.venues.simulated.random_plan import GRAVE, RECOVERABLE, random_plan
from supervisors import paths

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
    ends_at = plan.trouble_ends // MINUTE * len(symbols_of(plan))  # each has a bar a minute
    assert {rule.match.until_event for rule in plan.venue.rules} <= {ends_at}


def test_some_days_are_calm_and_each_kind_of_trouble_is_left_out_of_some() -> None:
    plans = [day_of(seed) for seed in range(400)]

    calm = sum(not plan.acts for plan in plans)
    killed = sum(any(isinstance(act, ProcessKilled) for act in plan.acts) for plan in plans)
    assert CALM_SHARE / 2 < calm / len(plans) < CALM_SHARE * 2
    assert 0.3 < killed / len(plans) < 0.7


def test_some_days_have_options_with_trouble_of_their_own_and_no_others_have_that() -> None:
    plans = [day_of(seed) for seed in range(400)]
    own = (ChainFails, ContractsLost, ContractsMute, QuotesLie)

    having = [plan for plan in plans if plan.has_options]
    assert OPTION_SHARE * 0.8 < len(having) / len(plans) < OPTION_SHARE * 1.2
    for kind in own:
        struck = sum(any(isinstance(act, kind) for act in plan.acts) for plan in having)
        assert 0.3 < struck / len(having) < 0.7
    failing = paths.bot(OPTIONS_BOT).path
    others = [act for plan in plans if not plan.has_options for act in plan.acts]
    assert not any(isinstance(act, own) for act in others)
    assert not any(isinstance(act, ActorFails) and act.path == failing for act in others)


def test_what_the_venue_does_is_as_frequent_and_lasts_as_long_however_many_symbols_there_are() -> (
    None
):
    pace = (len(SYMBOLS) + 1 + len(CONTRACTS)) / len(SYMBOLS)
    plan = next(
        plan
        for plan in map(day_of, range(2_000))
        if plan.has_options
        and {Delay, DriftCash} <= {type(rule.fault) for rule in plan.venue.rules}
    )
    drawn = random_plan(plan.market, symbols_of(plan), {**RECOVERABLE, **GRAVE}).rules

    for rule, as_drawn in zip(plan.venue.rules, drawn, strict=True):
        match rule.fault, as_drawn.fault:
            case Delay(events=events), Delay(events=few):
                assert (events, rule.rate) == (round(few * pace), as_drawn.rate)
            case DriftCash(), DriftCash():
                assert rule.rate == as_drawn.rate / pace
            case _:
                pass


@given(SEEDS)
def test_smaller_plans_are_smaller_and_come_down_to_nothing(seed: int) -> None:
    plan = day_of(seed)

    assert all(each.size < plan.size for each in smaller(plan))
    while plan.size:
        plan = next(smaller(plan))
    assert (plan.schedule, plan.venue.rules, plan.acts) == (None, (), ())
    assert not plan.has_options


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
