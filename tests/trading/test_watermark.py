"""How far record and venue are known to say the same, and from when on the venue is read for it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.trading.durations import DAY, HOUR, MINUTE
from hydra.trading.watermark import (
    EDGE,
    OVERLAP,
    RECORDED_EVERY,
    Watermark,
    advanced,
    must_be_listed,
    read_from,
    recovered,
)

NOW = 1_700_000_000_000_000_000
TIMES = st.integers(0, 2 * NOW)


@given(TIMES, st.lists(TIMES))
def test_reading_begins_well_before_the_watermark_and_every_order_that_is_open_i62(
    watermark: int, sent: list[int]
) -> None:
    since = read_from(watermark, sent)

    assert since == max(0, min([watermark, *sent]) - OVERLAP)


def test_without_a_watermark_everything_is_read_i62() -> None:
    assert read_from(0, []) == Watermark().since == 0


@given(TIMES, TIMES, st.lists(TIMES))
def test_the_watermark_moves_to_what_is_settled_never_beyond_it_and_never_back_i62(
    watermark: int, began_at: int, sent: list[int]
) -> None:
    moved = advanced(watermark, began_at, sent)

    assert moved >= watermark
    assert moved == watermark or moved <= began_at
    assert moved == watermark or all(moved <= each for each in sent)


@pytest.mark.parametrize(
    ("at", "since", "must"),
    [
        (NOW, 0, True),
        (0, 0, True),
        (NOW - 1, NOW, False),
        (NOW, NOW, False),
        (NOW + EDGE - 1, NOW, False),
        (NOW + EDGE, NOW, True),
    ],
)
def test_what_may_be_dated_before_the_reading_need_not_be_in_it_i60(
    at: int, since: int, must: bool
) -> None:
    assert must_be_listed(at, since) is must


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "-1",
        "1.5",
        "1e18",
        " 5",
        "٣",
        "0x10",
        "9" * 40,
        str(NOW + 1),
        str(NOW + DAY),
    ],
)
def test_what_is_no_time_or_one_of_later_than_now_is_no_watermark_i62(text: str) -> None:
    watermark = Watermark()

    is_fine = watermark.recover(text, NOW)

    assert (recovered(text, NOW), watermark.since, is_fine) == (0, 0, text == "")


@given(st.text(max_size=30))
def test_whatever_is_on_record_nothing_is_read_from_later_than_now_i62(text: str) -> None:
    assert 0 <= recovered(text, NOW) <= NOW


def test_what_is_recorded_is_what_the_next_process_goes_on_from_i62() -> None:
    before, after = Watermark(), Watermark()
    text = before.clean(NOW)
    assert text is not None

    assert after.recover(text, NOW + HOUR)

    assert after.since == before.since == NOW - OVERLAP


def test_an_old_watermark_that_is_recovered_moves_on_from_there_and_not_before_it_i62() -> None:
    watermark = Watermark()
    watermark.recover(str(NOW - DAY), NOW)
    watermark.order_sent("found open", NOW - 2 * DAY)

    assert watermark.clean(NOW) is None  # not to before what is on record
    assert watermark.since == NOW - 2 * DAY - OVERLAP
    watermark.order_ended("found open")
    assert watermark.since == NOW - DAY - OVERLAP
    assert watermark.clean(NOW) == str(NOW)


def test_an_order_holds_it_back_until_it_is_over_and_one_of_an_unknown_time_altogether_i62() -> (
    None
):
    watermark = Watermark()
    watermark.order_sent("open", NOW)
    assert watermark.clean(NOW + HOUR) == str(NOW)
    watermark.order_sent("adopted", 0)
    assert watermark.since == 0
    watermark.order_ended("adopted")
    watermark.order_ended("open")
    watermark.order_ended("never heard of")

    assert watermark.since == NOW - OVERLAP
    assert watermark.clean(NOW + HOUR) == str(NOW + HOUR)


def test_it_is_put_on_record_when_it_has_come_far_enough() -> None:
    watermark = Watermark()
    asked = range(NOW, NOW + 5 * HOUR, MINUTE // 2)

    recorded = [text for at in asked if (text := watermark.clean(at)) is not None]

    assert recorded == [str(at) for at in range(NOW, NOW + 5 * HOUR, RECORDED_EVERY)]
    assert watermark.since == asked[-1] - OVERLAP
