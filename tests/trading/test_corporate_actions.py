"""From when to when a symbol is left alone because of a split or the like: by dates alone."""

from datetime import date, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from hydra.trading.corporate_actions import (
    FLAT_BEFORE_CLOSE_NS,
    LOOPS_SILENT_MAX,
    NEVER,
    ActionsWatch,
    CorporateAction,
    Spell,
    cuts_of,
    due_to_close,
    matters,
    newest_cut,
    no_corporate_action_is_near,
    spell_of,
    spells_of,
)
from hydra.trading.local_time import new_york_instant
from hydra.trading.situation import NOBODY_TELLS, ActionsView
from tests.trading.coverage_parts import SESSIONS, instant
from tests.trading.situations import ENTRY, EXIT, FLATTEN, STOP_EXIT, changed

CONTRACT = "NOVA240719C00042000"
SPLIT = CorporateAction(
    kind="forward_splits",
    symbols=("NOVA",),
    first=date(2024, 7, 10),
    last=date(2024, 7, 10),
    terms="4 for 1",
)
WORDS = "forward split 4 for 1 of NOVA, ex-date 2024-07-10"
SPELL = spell_of(SPLIT, SESSIONS)
TUESDAY, WEDNESDAY = "2024-07-09", "2024-07-10"


def on(first: str, last: str | None = None, **changes: Any) -> Spell:
    """The days around an action of this ex-date."""
    dates = {"first": date.fromisoformat(first), "last": date.fromisoformat(last or first)}
    return spell_of(structs.replace(SPLIT, **dates, **changes), SESSIONS)


def watch(*known: str, spells: tuple[Spell, ...] = (SPELL,)) -> ActionsWatch:
    made = ActionsWatch(is_asked=True)
    made.told(known or ("NOVA",), spells)
    return made


# The days


def test_the_session_before_is_shut_and_so_is_that_of_the_ex_date() -> None:
    assert (
        Spell(
            symbols=("NOVA",),
            words=WORDS,
            shut_from=instant(f"{TUESDAY} 09:30"),
            flat_from=instant(f"{TUESDAY} 15:30"),
            cut_at=instant(f"{WEDNESDAY} 00:00"),
            shut_until=instant(f"{WEDNESDAY} 16:00"),
        )
        == SPELL
    )


def test_over_a_holiday_the_session_before_is_that_of_the_half_day() -> None:
    spell = on("2024-07-05")

    assert spell.shut_from == instant("2024-07-03 09:30")
    assert spell.flat_from == instant("2024-07-03 12:30")
    assert spell.cut_at == instant("2024-07-05 00:00")


@pytest.mark.parametrize("first", ["2024-07-06", "2024-07-07", "2024-07-08"])
def test_what_is_dated_on_a_weekend_is_of_the_monday(first: str) -> None:
    spell = on(first)

    assert spell.flat_from == instant("2024-07-05 15:30")
    assert spell.cut_at == instant("2024-07-08 00:00")
    assert spell.shut_until == instant("2024-07-08 16:00")


def test_what_is_booked_later_keeps_entries_shut_until_it_is() -> None:
    assert on(WEDNESDAY, "2024-07-12").shut_until == instant("2024-07-12 16:00")
    assert on(WEDNESDAY, "2024-07-14").shut_until == instant("2024-07-12 16:00")


def test_where_the_calendar_ends_before_it_entries_are_shut_for_good() -> None:
    spell = on("2024-07-29")

    assert (spell.shut_from, spell.shut_until) == (instant("2024-07-26 09:30"), NEVER)
    assert spell.flat_from == instant("2024-07-26 15:30")


def test_where_the_calendar_begins_with_it_they_are_shut_from_ever_on() -> None:
    spell = on("2024-06-28")

    assert (spell.shut_from, spell.cut_at) == (0, instant("2024-07-01 00:00"))
    assert spell.flat_from == spell.cut_at  # no session was before, so nothing can be closed


@given(st.dates(date(2024, 7, 2), date(2024, 7, 26)), st.integers(0, 10))
def test_whatever_its_dates_nobody_may_enter_after_the_last_chance_to_leave(
    first: date, days: int
) -> None:
    action = structs.replace(SPLIT, first=first, last=first + timedelta(days=days))

    spell = spell_of(action, SESSIONS)

    assert spell.shut_from < spell.flat_from < spell.cut_at < spell.shut_until
    assert spell.cut_at >= new_york_instant(first, time())
    before = SESSIONS.at(spell.flat_from)
    assert before is not None
    assert spell.flat_from == before.close_at - FLAT_BEFORE_CLOSE_NS
    # No session lies between the one in which it is closed and the day that it is closed for.
    following = SESSIONS.next_after(before.open_at)
    assert following is None or following.open_at >= spell.cut_at
    assert following is None or following.date >= first.isoformat()


# Which of them matter


@pytest.mark.parametrize(
    "kind",
    [
        *("forward_splits", "reverse_splits", "unit_splits", "stock_dividends", "spin_offs"),
        *("cash_mergers", "stock_mergers", "stock_and_cash_mergers", "redemptions"),
        *("name_changes", "worthless_removals", "rights_distributions", "never_heard_of"),
    ],
)
def test_all_but_an_ordinary_dividend_matters_known_or_not(kind: str) -> None:
    assert matters(structs.replace(SPLIT, kind=kind))


def test_of_dividends_only_a_special_one_matters() -> None:
    ordinary = structs.replace(SPLIT, kind="cash_dividends", terms="")

    assert spells_of([ordinary], SESSIONS) == ()
    (special,) = spells_of([structs.replace(ordinary, is_special=True)], SESSIONS)
    assert special.words == "cash dividend of NOVA, ex-date 2024-07-10"


# What is to be closed


@pytest.mark.parametrize(
    ("at", "is_due"),
    [
        (f"{TUESDAY} 15:29", False),
        (f"{TUESDAY} 15:30", True),
        (f"{TUESDAY} 23:59", True),
        (f"{WEDNESDAY} 00:00", False),
    ],
)
def test_shares_and_contracts_are_closed_in_the_last_half_hour_before_it(
    at: str, is_due: bool
) -> None:
    held = [("one", "NOVA"), ("two", CONTRACT), ("two", "AAPL"), ("two", "BTC/USD")]

    due = due_to_close(held, (SPELL,), instant(at))

    assert due == ({("one", "NOVA"): WORDS, ("two", CONTRACT): WORDS} if is_due else {})


def test_contracts_on_a_share_with_a_dot_are_found_by_their_root() -> None:
    spell = structs.replace(SPELL, symbols=("BRK.B",))
    held = [("one", "BRKB240719C00042000"), ("one", "BRK.B"), ("one", "BRKX")]

    assert set(due_to_close(held, (spell,), SPELL.flat_from)) == set(held[:2])
    assert set(cuts_of([spell])) == {"BRK.B", "BRKB"}


def test_of_several_cuts_the_newest_that_has_been_counts() -> None:
    cuts = cuts_of([SPELL, on("2024-07-16")])["NOVA"]

    assert [newest_cut(cuts, at) for at in (cuts[0] - 1, cuts[0], cuts[1] - 1, cuts[1])] == [
        *(0, cuts[0]),
        *(cuts[0], cuts[1]),
    ]


# What the guardian knows


@pytest.mark.parametrize("symbol", ["NOVA", CONTRACT])
@pytest.mark.parametrize(
    ("at", "near"),
    [
        ("2024-07-08 15:59", ""),
        (f"{TUESDAY} 09:29", ""),
        (f"{TUESDAY} 09:30", WORDS),
        (f"{WEDNESDAY} 15:59", WORDS),
        (f"{WEDNESDAY} 16:00", ""),
    ],
)
def test_an_action_is_near_from_the_session_before_to_its_own_end(
    symbol: str, at: str, near: str
) -> None:
    found = watch().view(symbol, instant(at))

    assert found == ActionsView(is_asked=True, is_answered=True, near=near)


def test_two_of_them_are_both_told() -> None:
    other = structs.replace(SPELL, words="name change of NOVA")

    near = watch(spells=(SPELL, other)).view("NOVA", SPELL.shut_from).near

    assert near == f"{WORDS}; name change of NOVA"


def test_nothing_is_known_at_first_of_others_and_after_a_silence() -> None:
    silent = watch()
    answers = []
    for _ in range(LOOPS_SILENT_MAX + 1):
        answers.append(silent.view("NOVA", 0).is_answered)
        silent.loop_ran()

    assert not ActionsWatch(is_asked=True).view("NOVA", 0).is_answered
    assert not watch("NOVA").view("AAPL", 0).is_answered
    assert answers == [True] * (LOOPS_SILENT_MAX + 1)
    assert not silent.view("NOVA", 0).is_answered


def test_of_coins_and_where_nobody_tells_nobody_is_asked() -> None:
    assert not watch().view("BTC/USD", 0).is_asked
    assert not ActionsWatch(is_asked=False).view("NOVA", 0).is_asked


# The check


def check(**changes: Any) -> str | None:
    return no_corporate_action_is_near(changed(ENTRY, **changes))


def test_an_entry_near_one_is_denied_and_so_is_one_of_which_nobody_knows_i46() -> None:
    assert check() is None
    assert check(near=WORDS) == f"{WORDS}: entries are shut from the session before it to its end"
    unknown = "it is not known whether a split or the like of AAPL is near"
    assert check(is_answered=False) == unknown
    assert check(is_answered=None) == unknown
    assert check(symbol="NOVA240719C00042000", is_answered=False) == unknown.replace("AAPL", "NOVA")


def test_where_nobody_tells_of_them_as_in_old_journals_the_check_passes() -> None:
    assert no_corporate_action_is_near(structs.replace(ENTRY, actions=NOBODY_TELLS)) is None


@pytest.mark.parametrize("leaving", [EXIT, STOP_EXIT, FLATTEN])
def test_leaving_is_always_possible(leaving: Any) -> None:
    assert no_corporate_action_is_near(changed(leaving, near=WORDS, is_answered=False)) is None
