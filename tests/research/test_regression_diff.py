"""What differs from a baseline is told in the order in which one would look for its cause."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from hydra.research.baseline import Baseline
from hydra.research.regression_diff import SHOWN_MAX, differences


def intent(number: int, bot: str = "mom", **others: Any) -> dict[str, Any]:
    return {
        "at": f"minute {number}",
        "bot": bot,
        "symbol": "AAPL",
        "role": "entry",
        "side": "buy",
        "quantity": "9",
        "status": "filled",
        "client_order_id": f"hy1-{number}",
        "signal": number,
        **others,
    }


def baseline(*intents: dict[str, Any], **others: Any) -> Baseline:
    plain = Baseline(
        dataset="one",
        dataset_digests={"bots.yaml": "b0", "AAPL_1m.csv": "a0"},
        seed=7,
        checksums={"snapshot.json": "c0"},
        snapshot={"order_intents": list(intents), "pnl": {"total": "1.50"}},
        metrics={"trades": 2, "bots": {"mom": {"pnl": "1.50"}}},
    )
    return structs.replace(plain, **others)


def test_nothing_is_told_of_what_is_the_same() -> None:
    assert differences(baseline(intent(1)), baseline(intent(1))) == []


def test_another_input_is_told_first() -> None:
    new = baseline(
        seed=8,
        dataset="two",
        dataset_digests={"bots.yaml": "b1", "TSLA_1m.csv": "t0"},
        checksums={"snapshot.json": "c1"},
    )

    assert differences(baseline(), new) == [
        "the seed: 7 -> 8",
        "the data set: one -> two",
        "the data set itself: AAPL_1m.csv is gone",
        "the data set itself: TSLA_1m.csv is new",
        "the data set itself: bots.yaml has changed",
        "files: 1 of 1 differ",
        "        snapshot.json: c0 -> c1",
    ]


def test_an_intent_that_was_put_in_hides_nothing_of_what_comes_after_it() -> None:
    old = baseline(intent(1), intent(2), intent(3))
    put_in = intent(1, at="minute 1.5", client_order_id="hy1-1.5")
    renamed = intent(2, client_order_id="hy1-3", signal=3)
    new = baseline(intent(1), put_in, renamed, intent(3, quantity="8", client_order_id="hy1-4"))

    assert differences(old, new) == [
        "order intents: 3 in the baseline, 4 now; 2 differ, the first is number 2",
        "     2  baseline  –",
        "        now       minute 1.5 mom entry buy 9 AAPL filled",
        "     3  baseline  minute 3 mom entry buy 9 AAPL filled",
        "        now       minute 3 mom entry buy 8 AAPL filled",
        "        differs   quantity 9 -> 8",
        "        besides, 1 with another number and name alone",
    ]


def test_intents_of_two_bots_are_shown_but_not_compared_word_by_word() -> None:
    assert differences(baseline(intent(1)), baseline(intent(1, bot="dip"))) == [
        "order intents: 1 in the baseline, 1 now; 1 differ, the first is number 1",
        "     1  baseline  minute 1 mom entry buy 9 AAPL filled",
        "        now       minute 1 dip entry buy 9 AAPL filled",
    ]


def test_figures_are_told_by_their_names() -> None:
    new = baseline(
        snapshot={"order_intents": [], "pnl": {"total": "1.40"}},
        metrics={"trades": 2, "bots": {"mom": {"pnl": "1.40", "fees": "0.1"}}},
    )

    assert differences(baseline(), new) == [
        "snapshot: 1 differ",
        "        pnl.total: 1.50 -> 1.40",
        "metrics: 2 differ",
        "        bots.mom.fees: nothing -> 0.1",
        "        bots.mom.pnl: 1.50 -> 1.40",
    ]


@given(
    st.lists(st.sampled_from("abc"), max_size=12),
    st.lists(st.sampled_from("abc"), max_size=12),
)
def test_lists_differ_if_and_only_if_something_is_told_of_them_and_not_too_much(
    old: list[str], new: list[str]
) -> None:
    one = baseline(*(intent(1, at=word) for word in old))
    other = baseline(*(intent(1, at=word) for word in new))

    told = differences(one, other)

    assert bool(told) == (old != new)
    assert len(told) <= 2 + 3 * SHOWN_MAX
