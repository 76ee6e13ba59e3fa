"""What days on paper show: missing, unclean and of another configuration show nothing."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.ops.going_live.evidence import Calendar, Evidence, Wanted, evidence_of, why_not
from hydra.ops.track_record.snapshots import Snapshot, TradedFor
from tests.ops.going_live.days import SESSION_S, day

OURS, OTHER = "ours", "another"
FIRST = date(2026, 9, 1)
ENDED = tuple(
    each.isoformat()
    for each in (FIRST + timedelta(days=number) for number in range(60))
    if each.weekday() < 5
)
WANTED = Wanted(14, 5)


def shown(
    days: list[Snapshot],
    ended: tuple[str, ...] = ENDED,
    under_way: str | None = None,
    up_to: str | None = None,
) -> Evidence:
    return evidence_of(days, Calendar(ended, under_way), {OURS}, up_to=up_to)


def clean(dates: tuple[str, ...]) -> list[Snapshot]:
    return [day(each, OURS) for each in dates]


def test_each_session_up_to_the_last_that_has_ended_counts() -> None:
    assert shown(clean(ENDED[-14:])) == Evidence(
        in_a_row=14, newest=ENDED[-1], ended_since=0, ends_at=""
    )
    assert shown(clean(ENDED[-14:])).shows(WANTED)
    assert not shown(clean(ENDED[-13:])).shows(WANTED)
    assert not shown([]).shows(WANTED)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"venue": "live"}, "it is of venue live"),
        ({"venue": "embedded"}, "it is of venue embedded"),
        ({"unclean": ("equity not known", "halted by x")}, "equity not known; halted by x"),
        ({"session_s": None}, "not known for how long, and with which"),
        ({"session_s": 0}, "not known for how long, and with which"),
        ({"traded": None}, "not known for how long, and with which"),
        ({"traded": ()}, "open for trading for 0 min of 390 min"),
        ({"traded": (TradedFor(OURS, 194 * 60),)}, "open for trading for 194 min of 390 min"),
        (
            {"traded": (TradedFor(OTHER, SESSION_S),)},
            "open for trading for 0 min of 390 min with this configuration",
        ),
        (
            {"traded": (TradedFor(OTHER, 200 * 60), TradedFor(OURS, 190 * 60))},
            "open for trading for 190 min of 390 min with this configuration",
        ),
    ],
)
def test_a_day_that_shows_nothing_ends_the_row_and_says_why(
    change: dict[str, Any], why: str
) -> None:
    days = clean(ENDED[-20:])
    bad = days[15] = day(ENDED[-5], OURS, **change)

    assert (why_not(bad, {OURS}) or "").startswith(why)
    found = shown(days)
    assert found.in_a_row == 4
    assert found.ends_at.startswith(f"{ENDED[-5]}: {why}")
    assert not found.shows(WANTED)


def test_half_of_the_session_is_enough() -> None:
    assert why_not(day(ENDED[0], OURS, SESSION_S // 2), {OURS}) is None


def test_a_session_without_a_day_may_have_been_a_bad_one() -> None:
    days = clean(ENDED[-20:])
    del days[15]

    assert shown(days) == Evidence(
        in_a_row=4, newest=ENDED[-1], ended_since=0, ends_at=f"{ENDED[-5]}: no snapshot"
    )


@pytest.mark.parametrize(("since", "does"), [(5, True), (6, False)])
def test_days_that_are_long_past_show_nothing_of_now(since: int, does: bool) -> None:
    found = shown(clean(ENDED[-14 - since : -since]))

    assert (found.in_a_row, found.ended_since) == (14, since)
    assert found.shows(WANTED) is does


def test_a_day_that_is_not_over_shows_nothing_yet_and_takes_nothing_away() -> None:
    days = [*clean(ENDED[-15:-1]), day(ENDED[-1], OURS, 60)]

    assert shown(days, ENDED[:-1], under_way=ENDED[-1]).shows(WANTED)
    assert not shown(days).shows(WANTED)


@pytest.mark.parametrize("strange", ["2026-12-24", "2026-10-31", "9999-99-99", "0001-01-01"])
def test_a_day_of_no_session_that_has_ended_shows_nothing(strange: str) -> None:
    days = sorted([*clean(ENDED[-14:]), day(strange, OURS)], key=lambda each: each.date)
    found = shown(days)

    assert found.shows(WANTED) is (strange < ENDED[-14])


def test_what_came_after_the_days_that_a_permission_rests_on_does_not_count() -> None:
    days = [*clean(ENDED[-30:-10]), day(ENDED[-10], OURS, unclean=("halted by x",))]

    assert not shown(days).shows(WANTED)
    assert shown(days, up_to=ENDED[-11]) == Evidence(
        in_a_row=20, newest=ENDED[-11], ended_since=0, ends_at=""
    )
    # Nor does a day stand in for one that was taken away.
    assert not shown(days[:-2], up_to=ENDED[-11]).shows(Wanted(14, 0))


fates = st.sampled_from(["clean", "unclean", "other", "closed", "missing", "live"])


def of_fate(date: str, fate: str) -> Snapshot | None:
    match fate:
        case "clean":
            return day(date, OURS)
        case "unclean":
            return day(date, OURS, unclean=("x",))
        case "other":
            return day(date, OTHER)
        case "closed":
            return day(date, OURS, 0)
        case "live":
            return day(date, OURS, venue="live")
        case _:
            return None


@given(st.lists(fates, max_size=len(ENDED)), st.integers(1, 20), st.integers(0, 6))
def test_it_is_shown_exactly_by_so_many_fine_sessions_in_a_row_that_are_recent(
    lived: list[str], in_a_row: int, within: int
) -> None:
    dates = ENDED[len(ENDED) - len(lived) :]
    days = [each for each in map(of_fate, dates, lived) if each is not None]
    wanted = Wanted(in_a_row, within)

    told = list(lived)
    silent = 0
    while told and told[-1] == "missing":
        told.pop()
        silent += 1
    is_shown = silent <= within and told[-in_a_row:] == ["clean"] * in_a_row
    assert shown(days).shows(wanted) is is_shown


@given(st.lists(fates, min_size=1, max_size=len(ENDED)), st.data())
def test_a_day_that_is_made_worse_never_shows_more(lived: list[str], data: st.DataObject) -> None:
    dates = ENDED[len(ENDED) - len(lived) :]
    place = data.draw(st.integers(0, len(lived) - 1))
    worse = [*lived]
    worse[place] = data.draw(fates.filter(lambda fate: fate not in ("clean", "missing")))

    before, after = (
        shown([each for each in map(of_fate, dates, fated) if each is not None])
        for fated in (lived, worse)
    )
    assert (
        after.in_a_row <= before.in_a_row
        or worse[place] == lived[place]
        or (
            # A silence at the end was told of by then.
            lived[place] == "missing"
        )
    )
