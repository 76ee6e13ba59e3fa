"""Shares in the contracts that the broker's stream has room for."""

from hypothesis import given
from hypothesis import strategies as st

from hydra.trading.contract_shares import (
    CONTRACTS_MAX,
    OWN_MIN,
    PLUGIN_MAX,
    contract_shares,
    left_for_own,
)


def test_shares_are_the_same_for_all_plug_ins_and_shrink_when_there_are_many() -> None:
    found = [
        (min(shares.values(), default=0), left_for_own(shares))
        for shares in (contract_shares([f"p{n}" for n in range(many)]) for many in (0, 1, 4, 5, 9))
    ]

    assert found == [(0, 200), (40, 160), (40, 40), (32, 40), (17, 47)]


@given(st.integers(0, 500))
def test_they_never_add_up_to_more_than_there_is_and_leave_enough_for_our_own(many: int) -> None:
    shares = contract_shares([f"p{number}" for number in range(many)])

    assert left_for_own(shares) >= OWN_MIN
    assert sum(shares.values()) + left_for_own(shares) == CONTRACTS_MAX
    assert all(0 <= share <= PLUGIN_MAX for share in shares.values())
