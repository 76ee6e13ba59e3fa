"""Grants as they are proposed, and the rule that verifies them and knows nothing of the other."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from hydra.trading.budgets import (
    BudgetDay,
    BudgetTerms,
    DayGrants,
    GrantProof,
    GrantProposal,
    fallback_grants,
    fault_in_grants,
    fault_in_proposal,
    proof_of,
    proposed,
    shares_for_day,
)

D = Decimal
TERMS = BudgetTerms(
    bucket_pct={"momentum": D(50), "crypto": D(25)},
    bots={"momentum": ("one", "two"), "crypto": ("coins",)},
    bot_min_pct=D(5),
    bot_max_pct=D(30),
)
DAY = BudgetDay(session="2026-01-05", loss_limit=D(1_000), terms=TERMS)
FINE = {"one": D("250.00"), "two": D("250.00"), "coins": D("250.00")}


def day(**used: Decimal | None) -> BudgetDay:
    return structs.replace(DAY, used=used)


def proposal(grants: Mapping[str, Decimal], session: str = DAY.session) -> GrantProposal:
    """One whose own proof is no good: the rule must not go by it."""
    nothing = GrantProof(limit=D(0), granted=D(0), beyond=D(0))
    return GrantProposal(session=session, grants=grants, refused={}, proof=nothing)


def granted(day: BudgetDay, *down: str) -> Mapping[str, Decimal]:
    found = proposed(day, set(down))
    assert found is not None
    assert fault_in_proposal(found, day) is None
    return found.grants


def test_every_bot_of_a_bucket_gets_the_same() -> None:
    assert granted(DAY) == FINE


def test_who_does_not_run_gets_nothing_and_the_others_of_its_bucket_what_it_has_not_used() -> None:
    assert granted(DAY, "two") == {"one": D("300.00"), "coins": D("250.00")}  # at most 30 percent
    assert granted(day(two=D(260)), "two") == {"one": D("240.00"), "coins": D("250.00")}
    assert granted(day(two=D(451)), "two") == {"coins": D("250.00")}  # under 5 percent are left


def test_what_nobody_was_granted_is_taken_off_everybody_alike_k11() -> None:
    # 700 of 1,000 are at risk with a bot that is configured no more: 300 are for 750 of grants.
    assert granted(day(gone=D(700))) == dict.fromkeys(FINE, D("100.00"))
    # What is at risk within a grant is in it already.
    assert granted(day(gone=D(100), one=D(240))) == FINE
    assert granted(day(gone=D(990))) == {}


def test_while_more_is_at_risk_than_may_be_lost_in_the_day_nothing_is_granted_k11() -> None:
    found = proposed(day(gone=D("1000.01")), set())

    assert found is not None and found.grants == {}
    assert fault_in_proposal(found, day(gone=D("1000.01"))) is not None


def test_a_bot_that_has_used_up_more_than_it_gets_takes_it_from_the_others_k11() -> None:
    found = proposed(day(one=D(600)), set())

    assert found is not None
    assert found.grants == {"one": D("250.00"), "two": D("200.00"), "coins": D("200.00")}
    assert found.proof == GrantProof(limit=D(1_000), granted=D("650.00"), beyond=D("350.00"))


def test_nothing_is_proposed_while_it_is_not_known_what_is_at_risk() -> None:
    assert proposed(day(one=None), set()) is None
    assert proof_of({}, day(one=None)) is None


@pytest.mark.parametrize(
    ("grants", "today", "words"),
    [
        ({"x": D(100)}, DAY, "found a grant for x, wanted one of coins, one, two"),
        ({"one": D("NaN")}, DAY, "found a grant of NaN USD for one, wanted an amount over 0"),
        ({"one": D(0)}, DAY, "found a grant of 0 USD for one, wanted an amount over 0"),
        ({"one": 100}, DAY, "found a grant of 100 USD for one, wanted an amount over 0"),
        ({"one": D("49.99")}, DAY, "found a grant of 49.99 USD for one, wanted from 50.00 to"),
        ({"one": D("300.01")}, DAY, "found a grant of 300.01 USD for one, wanted from 50.00 to"),
        (
            {"one": D(300), "two": D("200.01")},
            DAY,
            "found 500.01 USD for the momentum bucket, wanted at most 500.00 USD",
        ),
        (
            FINE,
            day(gone=D("250.01")),
            "found 750.00 USD of grants and 250.01 USD lost or at risk beyond them, wanted at",
        ),
        (FINE, day(one=None), "it is not known what one has at risk"),
    ],
)
def test_what_cannot_be_granted_is_refused_whoever_proposes_it_i31_k11(
    grants: Mapping[str, Any], today: BudgetDay, words: str
) -> None:
    fault = fault_in_proposal(proposal(grants), today)

    assert fault is not None and fault.startswith(words)


def test_grants_of_another_day_are_refused() -> None:
    assert fault_in_proposal(proposal(FINE, session="2026-01-02"), DAY) == (
        "found grants for session 2026-01-02, wanted 2026-01-05"
    )
    assert fault_in_proposal(proposal(FINE), DAY) is None


def test_buckets_have_their_shares_before_anybody_has_a_grant() -> None:
    assert shares_for_day(DAY) == DayGrants(
        grants={},
        shares={"momentum": D("500.00"), "crypto": D("250.00")},
        bucket_of={"one": "momentum", "two": "momentum", "coins": "crypto"},
    )


def test_to_fall_back_is_to_get_the_least_for_as_many_as_the_bucket_is_for() -> None:
    assert fallback_grants(DAY).grants == dict.fromkeys(FINE, D("50.00"))

    many = structs.replace(TERMS, bots={"momentum": tuple("abcdefghijklmn")})
    found = fallback_grants(structs.replace(DAY, terms=many)).grants
    assert found == dict.fromkeys("abcdefghij", D("50.00"))


AMOUNTS = st.decimals("0", "2000", places=2)
BOTS = ("a", "b", "c", "d", "e", "elsewhere")


@st.composite
def days(draw: st.DrawFn) -> BudgetDay:
    pct = draw(st.lists(st.decimals("0.01", "50", places=2), min_size=2, max_size=2))
    rails = sorted(draw(st.lists(st.decimals("0.01", "100", places=2), min_size=2, max_size=2)))
    return BudgetDay(
        session="2026-01-05",
        loss_limit=draw(st.decimals("0.01", "5000", places=4)),
        terms=BudgetTerms(
            bucket_pct={"momentum": pct[0], "crypto": pct[1]},
            bots={"momentum": ("a", "b", "c"), "crypto": ("d", "e")},
            bot_min_pct=rails[0],
            bot_max_pct=rails[1],
        ),
        used=draw(st.dictionaries(st.sampled_from(BOTS), AMOUNTS)),
    )


@given(day=days(), down=st.sets(st.sampled_from(BOTS)))
def test_whatever_is_proposed_holds_and_can_be_granted_i31_k11(
    day: BudgetDay, down: set[str]
) -> None:
    found = proposed(day, down)

    assert found is not None
    assert (fault_in_proposal(found, day) is None) is found.proof.holds
    assert found.proof.holds or not found.grants  # more than the whole limit is at risk already
    assert not found.grants.keys() & down
    assert found.grants.keys() | found.refused.keys() == {"a", "b", "c", "d", "e"}
    lost = {bot: max(found.grants.get(bot, D(0)), day.used.get(bot) or D(0)) for bot in BOTS}
    assert (sum(lost.values()) <= day.loss_limit) is found.proof.holds


@given(day=days(), grants=st.dictionaries(st.sampled_from(BOTS), AMOUNTS))
def test_what_can_be_granted_can_be_afforded_at_its_worst_k11(
    day: BudgetDay, grants: dict[str, Decimal]
) -> None:
    if fault_in_proposal(proposal(grants), day) is not None:
        return
    assert fault_in_grants(grants, day) is None
    worst = {bot: max(grants.get(bot, D(0)), day.used.get(bot) or D(0)) for bot in BOTS}
    assert sum(worst.values()) <= day.loss_limit
