"""What options may come to at worst, against a search over all prices."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.venues.simulated.brokerage.contracts import OptionContract, Right
from hydra.venues.simulated.brokerage.option_book import (
    OptionBook,
    OptionLot,
    Risk,
    WorkingOptions,
    added_risk,
    payout_without,
    risk_of,
    shares_needed,
)
from tests.venues.simulated_broker.checks.situations import contract, holding

STRIKES = ("40", "42.5", "45", "47.5")
LOTS = st.lists(
    st.builds(
        OptionLot,
        st.builds(contract, st.sampled_from(STRIKES), st.sampled_from(Right)),
        st.integers(-3, 3).map(Decimal),
    ),
    max_size=5,
)
CALL_40, CALL_45 = contract("40"), contract("45")
LATER_CALL_40 = contract("40", expiration="2027-01-15")


def lots(*pairs: tuple[OptionContract, int]) -> tuple[OptionLot, ...]:
    return tuple(OptionLot(listed, Decimal(quantity)) for listed, quantity in pairs)


def risk(payout: int, naked_shares: int = 0) -> Risk:
    return Risk(Decimal(payout), Decimal(naked_shares))


@settings(max_examples=150)
@given(LOTS)
def test_the_worst_payment_of_one_expiration_is_that_of_the_worst_price(
    held: list[OptionLot],
) -> None:
    found = risk_of(held)

    calls = sum(lot.quantity for lot in held if lot.contract.right is Right.CALL)
    assert found.naked_shares == max(0, -calls * 100)
    if not found.naked_shares:
        halves = range(120)
        worst = min(_worth(held, Decimal(price) / 2) for price in halves)
        assert found.payout == max(0, -worst)


@settings(max_examples=100)
@given(LOTS, LOTS)
def test_two_holdings_together_never_cost_more_than_each_by_itself(
    some: list[OptionLot], others: list[OptionLot]
) -> None:
    both = risk_of([*some, *others])

    assert both.naked_shares <= risk_of(some).naked_shares + risk_of(others).naked_shares
    if not (risk_of(some).naked_shares or risk_of(others).naked_shares):
        assert both.payout <= risk_of(some).payout + risk_of(others).payout


@pytest.mark.parametrize(
    ("held", "shares", "expected"),
    [
        (lots((CALL_40, 1)), 0, risk(0)),
        (lots((CALL_40, -1)), 0, risk(0, 100)),
        (lots((CALL_40, -1)), 100, risk(0)),
        (lots((CALL_40, -2)), 150, risk(0, 50)),
        (lots((contract("40", Right.PUT), -1)), 0, risk(4000)),
        (lots((CALL_40, 1), (CALL_45, -1)), 0, risk(0)),
        (lots((CALL_40, -1), (CALL_45, 1)), 0, risk(500)),
        # Shares cover the short call, though a long one at another strike could.
        (lots((CALL_40, -1), (CALL_45, 1)), 100, risk(0)),
        # What must be covered by shares is the short call of the lowest strike.
        (lots((CALL_40, -1), (contract("42.5"), -1), (CALL_45, 1)), 100, risk(250)),
        # A condor can lose on one side only.
        (
            lots(
                (contract("45"), -1), (contract("47.5"), 1),
                (contract("42.5", Right.PUT), -1), (contract("40", Right.PUT), 1),
            ),
            0,
            risk(250),
        ),
        # A later long call covers an earlier short one, and never the reverse.
        (lots((CALL_40, -1), (LATER_CALL_40, 1)), 0, risk(0)),
        (lots((CALL_40, 1), (LATER_CALL_40, -1)), 0, risk(0, 100)),
        # It covers one of them only.
        (lots((CALL_40, -1), (LATER_CALL_40, 1), (contract("45"), -1)), 0, risk(0, 100)),
        # A later short put does not take it away from an earlier short call.
        (
            lots(
                (CALL_40, -1), (LATER_CALL_40, 1),
                (contract("40", Right.PUT, "2027-01-15"), -1),
            ),
            0,
            risk(4000),
        ),
    ],
)  # fmt: skip
def test_known_positions_have_their_known_worst(
    held: tuple[OptionLot, ...], shares: int, expected: Risk
) -> None:
    assert risk_of(held, shares=Decimal(shares)) == expected


def test_below_the_level_for_spreads_a_put_is_secured_by_cash_alone() -> None:
    spread = lots((contract("42.5", Right.PUT), -1), (contract("40", Right.PUT), 1))

    assert risk_of(spread) == risk(250)
    assert risk_of(spread, longs_cover=False) == risk(4250)


def test_an_open_sale_uses_cover_and_an_open_purchase_gives_none() -> None:
    sale = lots((CALL_45, -1))

    sold = OptionBook(working=(WorkingOptions("a", sale),), shares=Decimal(100))
    bought = OptionBook(working=(WorkingOptions("a", lots((CALL_40, 1))),))

    assert added_risk(sold, sale, True) == risk(0, 100)
    assert added_risk(bought, sale, True) == risk(0, 100)


def test_a_spread_leans_on_nothing_and_lends_nothing() -> None:
    spread = lots((CALL_40, -1), (CALL_45, 1))
    book = OptionBook(working=(WorkingOptions("a", spread),), shares=Decimal(100))

    assert added_risk(book, spread, True) == risk(500)
    assert added_risk(book, lots((CALL_45, -1)), True) == risk(0)


def test_shares_under_short_calls_must_stay() -> None:
    assert shares_needed(holding((CALL_40, "-2"), (CALL_45, "1"), shares="200"), True) == 100


def test_selling_shares_leaves_the_cover_to_a_dearer_call() -> None:
    book = holding((CALL_40, "-1"), (CALL_45, "1"), shares="100")

    assert payout_without(book, Decimal(100), True) == 500
    assert payout_without(book, Decimal(0), True) == 0


def _worth(held: list[OptionLot], price: Decimal) -> Decimal:
    worth = Decimal(0)
    for lot in held:
        above = price - lot.contract.strike
        inner = max(Decimal(0), above if lot.contract.right is Right.CALL else -above)
        worth += lot.quantity * 100 * inner
    return worth
