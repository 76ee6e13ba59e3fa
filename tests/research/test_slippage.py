"""The same replay under more and more slippage, as a table."""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec import structs

from hydra.research.dataset import read_dataset
from hydra.research.replay_run import ReplayPlan
from hydra.research.slippage import (
    SLIPPAGES_MAX,
    BadSlippage,
    SlippageStress,
    UnderSlippage,
    slippage_stress,
    slippages_in,
    table_of,
)
from tests.research.datasets import make_dataset

BPS = Decimal(0), Decimal(5), Decimal(40)


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> ReplayPlan:
    """An hour of a coin, whose one bot goes out at the market once."""
    dataset = read_dataset(make_dataset(tmp_path_factory.mktemp("slippage") / "coin"))
    return ReplayPlan(
        settings=dataset.settings,
        data=dataset.data,
        terms=dataset.terms,
        seed=7,
        label="stress",
        folder=Path("never made"),
        with_sheet=False,
    )


def rows(*pnls: str, trades: Sequence[int] = ()) -> SlippageStress:
    return SlippageStress(
        rows=tuple(
            UnderSlippage(
                bps=Decimal(number * 5),
                trades=trades[number] if trades else 3,
                pnl=Decimal(pnl),
                max_drawdown_pct=0.125,
                bots={"dip": Decimal(pnl), "mom": Decimal(0)},
            )
            for number, pnl in enumerate(pnls)
        )
    )


def test_each_row_is_a_replay_of_its_own_and_only_the_slippage_differs(plan: ReplayPlan) -> None:
    seen: list[UnderSlippage] = []

    stress = slippage_stress(plan, BPS, done=seen.append)

    assert stress.rows == tuple(seen)
    assert [row.bps for row in stress.rows] == list(BPS)
    assert [row.trades for row in stress.rows] == [1, 1, 1]
    first, second, third = (row.pnl for row in stress.rows)
    # One market order of about 495 USD: 5 bps of that are 25 cents.
    assert Decimal("0.24") < first - second < Decimal("0.25")
    assert Decimal("1.97") < first - third < Decimal("1.99")
    assert all(row.bots == {"crypto_core": row.pnl} for row in stress.rows)
    assert not plan.folder.exists()


def test_a_row_is_what_that_slippage_gives_by_itself(plan: ReplayPlan) -> None:
    terms = structs.replace(plan.terms, slippage_bps=Decimal(99))

    alone = slippage_stress(structs.replace(plan, terms=terms), BPS[1:2])

    assert alone.rows[0] == slippage_stress(plan, BPS).rows[1]


def test_what_was_stopped_on_the_way_does_not_count(plan: ReplayPlan) -> None:
    through: list[UnderSlippage] = []

    stress = slippage_stress(plan, BPS, done=through.append, is_stopping=lambda: len(through) == 1)

    assert [row.bps for row in stress.rows] == [BPS[0]]
    assert table_of(SlippageStress(rows=())) == ["none was played to its end"]


def test_the_table_says_what_is_lost_and_where_the_gain_is_gone() -> None:
    assert table_of(rows("1234.5", "10", "-3.216")) == [
        "SLIPPAGE  TRADES    P&L USD       LOST  DRAWDOWN        dip    mom",
        "   0 bps       3  +1,234.50          –    0.12 %  +1,234.50  +0.00",
        "   5 bps       3     +10.00  +1,224.50    0.12 %     +10.00  +0.00",
        "  10 bps       3      -3.22  +1,237.72    0.12 %      -3.22  +0.00",
        "P&L falls, or stays, with every step of slippage, as it has to",
        "the gain is gone somewhere between 5 and 10 bps",
    ]


def test_a_gain_by_slippage_is_said_to_be_one_of_other_trades() -> None:
    *_, remark = table_of(rows("10", "12.5", "1", trades=(3, 4, 4)))

    assert remark == (
        "P&L RISES from 0 to 5 bps, by +2.50 USD: slippage alone cannot do that, so other trades"
        " were made (3 and 4); take none of these figures for what slippage costs"
    )


def test_a_loss_with_other_trades_in_it_is_not_said_to_be_that_of_slippage() -> None:
    *_, falls, remark = table_of(rows("10", "7", "5", "1", trades=(52, 51, 52, 72)))

    assert falls == "P&L falls, or stays, with every step of slippage, as it has to"
    assert remark == (
        "not 52 trades as at 0 bps, but 51 at 5, 72 at 15 bps: what is LOST there is not of"
        " slippage alone"
    )


def test_of_one_slippage_nothing_is_concluded() -> None:
    assert len(table_of(rows("10"))) == 2


@pytest.mark.parametrize(
    ("text", "found"),
    [("2", ["2"]), ("0,2,5,10", ["0", "2", "5", "10"]), ("0.5, 9999", ["0.5", "9999"])],
)
def test_a_list_of_slippages_is_read(text: str, found: list[str]) -> None:
    assert slippages_in(text) == tuple(map(Decimal, found))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "found --slippage-bps ''; wanted one number or up to 20 with commas"),
        ("0,,2", "wanted one number"),
        ("two", "wanted one number"),
        ("-1", "wanted one number"),
        ("NaN", "wanted one number"),
        ("Infinity", "wanted one number"),
        ("10000", "wanted one number"),
        (",".join(map(str, range(SLIPPAGES_MAX + 1))), "wanted one number"),
        ("5,2,2", "wanted each once, the smallest first; write 2,5"),
    ],
)
def test_anything_else_is_refused(text: str, told: str) -> None:
    with pytest.raises(BadSlippage, match=told):
        slippages_in(text)
