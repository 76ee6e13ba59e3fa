from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.trading.budgets import Budgets, DayGrants, grants_for_day
from hydra.trading.inventory import ClosedLot, FifoInventory
from hydra.trading.orders import Role, Side
from hydra.trading.situation import BudgetView
from tests.trading.risk_orders import approved, fill, proposal

D = Decimal

GRANTED = DayGrants(
    grants={"one": D(100), "two": D(100), "three": D(200)},
    shares={"momentum": D(250), "crypto": D(200)},
    bucket_of={"one": "momentum", "two": "momentum", "three": "crypto"},
)
NOTHING_AT_RISK: dict[str, Decimal | None] = {}


def lots(*made: int) -> tuple[ClosedLot, ...]:
    """Lots that made so much each."""
    bought, sold = proposal(Side.BUY, "1"), proposal(Side.SELL, "1", role=Role.EXIT)
    closed: list[ClosedLot] = []
    for gain in made:
        inventory, _ = FifoInventory("AAPL").apply(fill(approved("a", bought).order, 1, 1000))
        _, lot = inventory.apply(fill(approved("b", sold).order, 1, 1000 + gain))
        closed += lot
    return tuple(closed)


def test_what_is_left_is_the_grant_less_what_is_lost_and_what_is_at_risk_i31() -> None:
    budgets = Budgets(D(300), GRANTED, {"one": D(-10), "two": D(-20), "three": D(-30)})

    view = budgets.view("one", {"one": D(5), "two": D(6), "three": D(7)})

    assert view == BudgetView(
        bot_left=D(100 - 10 - 5),
        bucket_left=D(250 - 10 - 5 - 20 - 6),
        day_left=D(300 - 10 - 5 - 20 - 6 - 30 - 7),
    )


def test_a_new_day_has_everything_left() -> None:
    budgets = Budgets(D(300), GRANTED, {})

    assert budgets.view("three", NOTHING_AT_RISK) == BudgetView(
        bot_left=D(200), bucket_left=D(200), day_left=D(300)
    )


def test_a_gain_raises_no_budget_and_pays_for_no_other_bot() -> None:
    budgets = Budgets(D(300), GRANTED, {"one": D(50), "two": D(-20)})

    assert budgets.view("one", NOTHING_AT_RISK) == BudgetView(
        bot_left=D(100), bucket_left=D(230), day_left=D(280)
    )


def test_within_a_bot_a_gain_makes_up_for_a_loss() -> None:
    budgets = Budgets(D(300), GRANTED, {"one": D(-40)})

    budgets.booked("one", lots(30))
    assert budgets.view("one", NOTHING_AT_RISK).bot_left == D(90)

    budgets.booked("one", lots(30, -5))
    assert budgets.view("one", NOTHING_AT_RISK).bot_left == D(100)
    assert budgets.realised == {"one": D(15)}


def test_losses_are_counted_as_they_are_booked_i38() -> None:
    budgets = Budgets(D(300), GRANTED, {})

    budgets.booked("two", lots(-7, -3))
    budgets.booked("two", ())
    budgets.booked("old", lots(-2))

    assert budgets.realised == {"two": D(-10), "old": D(-2)}
    assert budgets.view("two", {}) == Budgets(D(300), GRANTED, budgets.realised).view("two", {})
    assert budgets.view("two", {}) == BudgetView(
        bot_left=D(90), bucket_left=D(240), day_left=D(288)
    )


@pytest.mark.parametrize("gains", [(-9, 12, 3, -20), (-9, 9, -4), (5, -5, 0, -1, 2)])
def test_a_loss_ends_with_a_gain_and_comes_again(gains: tuple[int, ...]) -> None:
    budgets = Budgets(D(300), GRANTED, {"two": D("-3.50")})

    for gain in gains:
        budgets.booked("one", lots(gain))

        at_once = Budgets(D(300), GRANTED, budgets.realised)
        assert repr(budgets.view("one", {})) == repr(at_once.view("one", {}))


def test_what_others_are_told_of_the_losses_is_not_the_budget_s_own() -> None:
    realised = {"one": D(-10)}
    budgets = Budgets(D(300), GRANTED, realised)

    realised["one"] = budgets.realised["one"] = D(0)

    assert budgets.view("one", {}).bot_left == D(90)


def test_more_at_risk_than_was_granted_leaves_less_than_nothing() -> None:
    budgets = Budgets(D(300), GRANTED, {"one": D(-60)})

    assert budgets.view("one", {"one": D(50)}).bot_left == D(-10)


def test_who_holds_without_a_grant_is_counted_for_the_day_only() -> None:
    budgets = Budgets(D(300), GRANTED, {"old": D(-1)})

    assert budgets.view("one", {"older": D(2)}) == BudgetView(
        bot_left=D(100), bucket_left=D(250), day_left=D(297)
    )


def test_no_grant_no_trade_i40() -> None:
    nobody = Budgets(D(300), GRANTED, {}).view("old", {"one": D(5)})
    no_share = DayGrants(grants={"one": D(1)}, shares={}, bucket_of={"one": "momentum"})

    assert nobody == BudgetView(bot_left=None, bucket_left=None, day_left=D(295))
    assert Budgets(None, no_share, {}).view("one", {}) == BudgetView(
        bot_left=D(1), bucket_left=None, day_left=None
    )


@pytest.mark.parametrize(
    ("unvalued", "left"),
    [
        ("one", BudgetView(bot_left=None, bucket_left=None, day_left=None)),
        ("two", BudgetView(bot_left=D(100), bucket_left=None, day_left=None)),
        ("three", BudgetView(bot_left=D(100), bucket_left=D(250), day_left=None)),
        ("old", BudgetView(bot_left=D(100), bucket_left=D(250), day_left=None)),
    ],
)
def test_what_cannot_be_valued_leaves_nothing_to_whom_it_concerns_i35(
    unvalued: str, left: BudgetView
) -> None:
    assert Budgets(D(300), GRANTED, {}).view("one", {unvalued: None}) == left


AMOUNTS = st.decimals(-50, 50, places=2) | st.sampled_from([D(0), D("-0.0"), D("1.500")])
SOMEBODY = st.sampled_from([*GRANTED.bucket_of, "old"])


@given(
    made=st.dictionaries(SOMEBODY, AMOUNTS),
    closed=st.lists(st.tuples(SOMEBODY, st.lists(st.integers(-30, 30), max_size=2)), max_size=4),
    at_risk=st.dictionaries(SOMEBODY, st.none() | AMOUNTS.map(abs)),
    bot=SOMEBODY,
)
def test_what_is_left_is_what_it_comes_to_bot_by_bot_whatever_was_booked_i33(
    made: dict[str, Decimal],
    closed: list[tuple[str, list[int]]],
    at_risk: dict[str, Decimal | None],
    bot: str,
) -> None:
    budgets, realised = Budgets(D(300), GRANTED, made), dict(made)
    for one, gains in closed:
        budgets.booked(one, lots(*gains))
        realised[one] = sum(map(D, gains), realised.get(one, D(0)))

    def left(limit: Decimal | None, bots: set[str]) -> Decimal | None:
        for one in bots:
            heat = at_risk.get(one, D(0))
            if limit is None or heat is None:
                return None
            limit += min(realised.get(one, D(0)), D(0)) - heat
        return limit

    bucket = GRANTED.bucket_of.get(bot)
    assert repr(budgets.view(bot, at_risk)) == repr(
        BudgetView(
            bot_left=left(GRANTED.grants.get(bot), {bot}),
            bucket_left=None
            if bucket is None
            else left(
                GRANTED.shares[bucket],
                {one for one, other in GRANTED.bucket_of.items() if other == bucket},
            ),
            day_left=left(D(300), {*realised, *at_risk}),
        )
    )


SHIPPED = {"momentum": D(25), "options": D(50), "crypto": D(25)}


def shared(daily_risk: Decimal, bots: dict[str, list[str]], **changes: Any) -> DayGrants:
    terms: dict[str, Any] = {"bucket_pct": SHIPPED, "min_pct": D(5), "max_pct": D(25), **changes}
    return grants_for_day(daily_risk, bots=bots, **terms)


def test_a_bucket_is_shared_alike_by_its_bots() -> None:
    bots = {"momentum": ["a", "b", "c"], "options": ["o"], "crypto": ["x"]}

    assert shared(D("1000.01"), bots) == DayGrants(
        # A third of a quarter, in whole cents; and at most a quarter, of whatever share.
        grants={
            "a": D("83.33"),
            "b": D("83.33"),
            "c": D("83.33"),
            "o": D("250.00"),
            "x": D("250.00"),
        },
        shares={"momentum": D("250.00"), "options": D("500.00"), "crypto": D("250.00")},
        bucket_of={
            "a": "momentum",
            "b": "momentum",
            "c": "momentum",
            "o": "options",
            "x": "crypto",
        },
    )


def test_who_would_get_too_little_to_trade_with_gets_nothing() -> None:
    bots = {"momentum": list("abcdefg")}

    granted = shared(D(1000), bots)

    reason = (
        "the momentum bucket has 25 percent of the day's risk, which is enough for 5 of its 7 bots "
        "with at least 5 each"
    )
    assert granted.grants == dict.fromkeys("abcde", D("50.00"))
    assert granted.refused == dict.fromkeys("fg", reason)
    assert set(granted.bucket_of) == set("abcdefg")


def test_a_bucket_that_is_too_small_for_one_bot_gives_nothing() -> None:
    granted = shared(D(1000), {"momentum": ["a"]}, bucket_pct={"momentum": D("4.99")})

    assert (granted.grants, list(granted.refused)) == ({}, ["a"])
    assert shared(D(1000), {"momentum": ["a"]}, bucket_pct={"momentum": D(5)}).grants == {
        "a": D("50.00")
    }


def test_a_bucket_without_a_percentage_or_without_bots_gives_nothing() -> None:
    granted = shared(D(1000), {"forex": ["f"], "crypto": []})

    assert (granted.grants, list(granted.refused)) == ({}, ["f"])
    assert granted.shares == {"forex": D("0.00"), "crypto": D("250.00")}


@pytest.mark.parametrize("risk", [D(0), D(-1), D("NaN"), D("Infinity"), D("0.03")])
def test_a_day_without_risk_grants_nothing_i34_i40(risk: Decimal) -> None:
    granted = shared(risk, {"momentum": ["a"]})

    assert (granted.grants, list(granted.refused)) == ({}, ["a"])
    assert granted.shares["momentum"] == 0


@pytest.mark.parametrize(
    "terms",
    [
        {"bucket_pct": {"momentum": D(60), "crypto": D("40.01")}},
        {"min_pct": D(0)},
        {"min_pct": D(-5)},
        {"min_pct": D(26)},
    ],
)
def test_terms_that_do_not_fit_together_are_refused_i40(terms: dict[str, Any]) -> None:
    with pytest.raises(
        ValueError, match=r"^found buckets of .* percent and .* percent a bot, want"
    ):
        shared(D(1000), {"momentum": ["a"]}, **terms)


PERCENT = st.decimals("0.01", "100", places=2)


@given(
    risk=st.decimals("0.01", "100000000", places=4),
    pct=st.lists(st.decimals("0.01", "33", places=2), min_size=3, max_size=3),
    sizes=st.lists(st.integers(0, 12), min_size=3, max_size=3),
    rails=st.tuples(PERCENT, PERCENT).map(sorted),
)
def test_grants_never_add_up_to_more_than_there_is_i31(
    risk: Decimal, pct: list[Decimal], sizes: list[int], rails: list[Decimal]
) -> None:
    bots = {
        bucket: [f"{bucket}{n}" for n in range(size)]
        for bucket, size in zip(SHIPPED, sizes, strict=True)
    }
    buckets = dict(zip(SHIPPED, pct, strict=True))

    granted = shared(risk, bots, bucket_pct=buckets, min_pct=rails[0], max_pct=rails[1])

    assert sum(granted.shares.values()) <= risk
    for bucket, names in bots.items():
        grants = [granted.grants[name] for name in names if name in granted.grants]
        assert sum(grants) <= granted.shares[bucket] <= risk * buckets[bucket] / 100
        assert len(set(grants)) <= 1
        for grant in grants:
            assert grant == grant.quantize(D("0.01")) and 0 < grant <= risk * rails[1] / 100
            assert grant > risk * rails[0] / 100 - D("0.02")  # less only by rounding down
    assert granted.grants.keys() | granted.refused.keys() == granted.bucket_of.keys()
    assert not granted.grants.keys() & granted.refused.keys()
