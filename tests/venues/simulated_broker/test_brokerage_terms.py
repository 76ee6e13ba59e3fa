"""The terms of a brokerage, and its names and chances."""

from decimal import Decimal

import pytest

from hydra.venues.simulated.brokerage.ids import Ids, chance, uuid_of
from hydra.venues.simulated.brokerage.terms import BrokerageTerms


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"starting_cash": Decimal(-1)}, "starting_cash is -1, wanted 0 up"),
        ({"starting_cash": Decimal("NaN")}, "starting_cash is NaN, wanted 0 up"),
        ({"slippage_bps": Decimal(10_000)}, "slippage_bps is 10000, wanted 0 to under 10000"),
        (
            {"max_participation": Decimal(0)},
            "max_participation is 0, wanted over 0 and at most 1, or None",
        ),
        ({"partial_fill_rate": Decimal(2)}, "partial_fill_rate is 2, wanted 0 to 1"),
        ({"multiplier": 3}, "multiplier is 3, wanted 1, 2 or 4"),
        ({"options_level": 4}, "options_level is 4, wanted 0 to 3"),
        (
            {"crypto_maker_fee_bps": Decimal(-1)},
            "crypto_maker_fee_bps is -1, wanted 0 to under 10000",
        ),
    ],
)
def test_terms_that_make_no_sense_are_refused_with_what_was_wanted(
    changes: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        BrokerageTerms(**changes)  # type: ignore[arg-type]


def test_the_same_seed_gives_the_same_ids_and_another_seed_others() -> None:
    first, again, other = Ids(1), Ids(1), Ids(2)

    ids = [first.fresh() for _ in range(100)]

    assert ids == [again.fresh() for _ in range(100)]
    assert len({*ids, *(other.fresh() for _ in range(100))}) == 200
    assert len(uuid_of(1, "account")) == 36


def test_chance_is_spread_evenly_and_repeats() -> None:
    drawn = [chance(7, "cut", number) for number in range(2_000)]

    assert drawn == [chance(7, "cut", number) for number in range(2_000)]
    assert all(0 <= value < 1 for value in drawn)
    assert 800 < sum(value < Decimal("0.5") for value in drawn) < 1_200
