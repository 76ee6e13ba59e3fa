"""The window of a replay: what the words of the command line mean, and which are refused."""

import re
from datetime import datetime
from typing import Any

import pytest

from hydra.research.window import (
    AskedWindow,
    BadReplayWindow,
    DataSpan,
    ReplayWindow,
    window_of,
)

SECOND = 1_000_000_000


def ns(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * SECOND


MARCH = DataSpan(start=ns("2024-03-04T14:30:00+00:00"), end=ns("2024-03-29T20:00:00+00:00"))
JUNE = DataSpan(start=ns("2024-06-01T00:00:00+00:00"), end=ns("2024-06-30T00:00:00+00:00"))
OF_MARCH = "the data go from 2024-03-04T14:30:00+00:00 to 2024-03-29T20:00:00+00:00"
ALL_OF_MARCH = "--window P26D takes all of them"
REQUIRED = "requires either --window or --start and --end"


def facts(asked: AskedWindow, span: DataSpan) -> dict[str, str]:
    return asked.over(span).facts


def test_a_duration_goes_back_from_the_end_of_the_data_in_days_of_utc_and_keeps_its_label() -> None:
    asked = window_of(window="P5D", tz="America/New_York")

    assert facts(asked, MARCH) == {
        "start_utc": "2024-03-25T00:00:00+00:00",
        "end_utc": "2024-03-30T00:00:00+00:00",
        "timezone_label": "America/New_York",
    }


def test_times_with_an_offset_become_utc_whatever_the_zone() -> None:
    start, end = "2024-06-01T09:30:00-04:00", "2024-06-05T16:00:00-04:00"

    assert [
        facts(window_of(start=start, end=end, tz=tz), JUNE) for tz in ("UTC", "Asia/Tokyo")
    ] == [
        {
            "start_utc": "2024-06-01T13:30:00+00:00",
            "end_utc": "2024-06-05T20:00:00+00:00",
            "timezone_label": tz,
        }
        for tz in ("UTC", "Asia/Tokyo")
    ]


@pytest.mark.parametrize(
    ("start", "end", "tz", "start_utc", "end_utc"),
    [
        ("2024-03-08", "2024-03-12", "UTC", "2024-03-08T00:00", "2024-03-12T00:00"),
        ("2024-03-08", "2024-03-12", "America/New_York", "2024-03-08T05:00", "2024-03-12T04:00"),
        ("2024-03-08T09:30", "2024-03-08 16:00:00", "America/New_York",
         "2024-03-08T14:30", "2024-03-08T21:00"),
        ("2024-03-08T09:30Z", "2024-03-08T16:00-0500", "Asia/Tokyo",
         "2024-03-08T09:30", "2024-03-08T21:00"),
        ("2024-03-08T09:30:00.000+05:30", "2024-03-09", "UTC",
         "2024-03-08T04:00", "2024-03-09T00:00"),
    ],
)  # fmt: skip
def test_a_date_is_the_midnight_of_its_zone_and_the_end_is_exclusive_i50(
    start: str, end: str, tz: str, start_utc: str, end_utc: str
) -> None:
    window = window_of(start=start, end=end, tz=tz).over(MARCH)

    assert window == ReplayWindow(
        start=ns(f"{start_utc}+00:00"), end=ns(f"{end_utc}+00:00"), timezone_label=tz
    )


@pytest.mark.parametrize(
    ("text", "start_utc"),
    [
        ("P2W", "2024-03-16T00:00:00+00:00"),
        ("PT12H", "2024-03-29T12:00:00+00:00"),
        ("P1DT2H3M4S", "2024-03-28T21:56:56+00:00"),
        ("P45D", "2024-02-14T00:00:00+00:00"),
    ],
)
def test_a_duration_is_of_weeks_or_of_days_and_less(text: str, start_utc: str) -> None:
    window = window_of(window=text).over(MARCH)

    assert (window.start_utc, window.end_utc) == (start_utc, "2024-03-30T00:00:00+00:00")


def test_data_that_end_at_midnight_are_anchored_there() -> None:
    assert window_of(window="P1D").over(JUNE).start_utc == "2024-06-29T00:00:00+00:00"


def test_a_window_may_reach_beyond_the_data() -> None:
    window = window_of(start="2020-01-01", end="2030-01-01").over(MARCH)

    assert (window.start_utc[:4], window.end_utc[:4]) == ("2020", "2030")


ENVIRONMENT = {"HYDRA_REPLAY_START": "2024-03-05", "HYDRA_REPLAY_END": "2024-03-06"}


def test_the_environment_stands_in_where_it_is_allowed_and_its_keys_are_told() -> None:
    asked = window_of(tz="America/New_York", environment=ENVIRONMENT)

    assert asked.environment_keys == ("HYDRA_REPLAY_START", "HYDRA_REPLAY_END")
    assert facts(asked, MARCH) == {
        "start_utc": "2024-03-05T05:00:00+00:00",
        "end_utc": "2024-03-06T05:00:00+00:00",
        "timezone_label": "America/New_York",
    }


@pytest.mark.parametrize("given", [{"window": "P5D"}, {"start": "2024-03-07", "end": "2024-03-08"}])
def test_what_is_given_goes_before_the_environment(given: dict[str, Any]) -> None:
    assert window_of(**given, environment=ENVIRONMENT) == window_of(**given)


def test_the_environment_counts_for_nothing_where_it_is_not_allowed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for key, text in ENVIRONMENT.items():
        monkeypatch.setenv(key, text)

    assert window_of() == AskedWindow(timezone_label="UTC")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, f"found no window; {REQUIRED}; {OF_MARCH}; {ALL_OF_MARCH}"),
        (
            {"environment": {"HYDRA_REPLAY_START": ""}},
            f"found no window; {REQUIRED}; {OF_MARCH}; {ALL_OF_MARCH}",
        ),
        (
            {"start": "2024-03-30", "end": "2024-04-02"},
            ("found no bar in the window from 2024-03-30T00:00:00+00:00 to "
            f"2024-04-02T00:00:00+00:00; wanted some; {OF_MARCH}; {ALL_OF_MARCH}, or choose a part "
            "of that"),
        ),
        (
            {"window": "P99999D"},
            ("found --window P99999D, which reaches back before 1970; wanted less; "
            f"{ALL_OF_MARCH}"),
        ),
        (
            {"window": "PT4H"},
            ("found no bar in the window from 2024-03-29T20:00:00+00:00 to "
            f"2024-03-30T00:00:00+00:00; wanted some; {OF_MARCH}; {ALL_OF_MARCH}, or choose a part "
            "of that"),
        ),
    ],
)  # fmt: skip
def test_a_window_beside_the_data_is_refused_with_their_span_and_a_window_that_works(
    given: dict[str, Any], said: str
) -> None:
    asked = window_of(**given)

    with pytest.raises(BadReplayWindow) as refused:
        asked.over(MARCH)

    assert str(refused.value) == said
    assert window_of(window="P26D").over(MARCH).start <= MARCH.start


MALFORMED = (
    "; wanted a date such as 2024-03-25, or a time such as 2024-06-01T09:30:00-04:00; correct it"
)
NO_DURATION = (
    "; wanted an ISO 8601 duration in whole numbers of at most five digits, such as P45D, P2W or "
    "PT12H; correct it"
)
LONG = (
    " with years or months, which have no one length; wanted weeks, days or less; write P30D or "
    "P365D, or give --start and --end"
)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"window": "P5D", "start": "2024-03-01", "end": "2024-03-02"},
            f"found --window with --start and --end; {REQUIRED}, not both; take one away",
        ),
        (
            {"window": "P5D", "end": "2024-03-02"},
            f"found --window with --end; {REQUIRED}, not both; take one away",
        ),
        ({"start": "2024-03-01"}, f"found --start without --end; {REQUIRED}; add --end"),
        ({"end": "2024-03-01"}, f"found --end without --start; {REQUIRED}; add --start"),
        (
            {"environment": {"HYDRA_REPLAY_END": "2024-03-01", "HYDRA_REPLAY_START": ""}},
            (
                f"found HYDRA_REPLAY_END without HYDRA_REPLAY_START; {REQUIRED}; "
                "add HYDRA_REPLAY_START"
            ),
        ),
        (
            {"environment": {**ENVIRONMENT, "HYDRA_REPLAY_END": "today"}},
            f"found HYDRA_REPLAY_END 'today'{MALFORMED}",
        ),
        ({"start": "", "end": "2024-03-02"}, f"found --start ''{MALFORMED}"),
        ({"start": "yesterday", "end": "2024-03-02"}, f"found --start 'yesterday'{MALFORMED}"),
        ({"start": "2024-02-30", "end": "2024-03-02"}, f"found --start '2024-02-30'{MALFORMED}"),
        ({"start": "2024-3-1", "end": "2024-03-02"}, f"found --start '2024-3-1'{MALFORMED}"),
        ({"start": "20240301", "end": "2024-03-02"}, f"found --start '20240301'{MALFORMED}"),
        (
            {"start": "2024-03-01T24:00", "end": "2024-03-02"},
            f"found --start '2024-03-01T24:00'{MALFORMED}",
        ),
        (
            {"start": "2024-03-01T10:00:00.5", "end": "2024-03-02"},
            f"found --start '2024-03-01T10:00:00.5'{MALFORMED}",
        ),
        (
            {"start": "2024-03-01\n", "end": "2024-03-02"},
            rf"found --start '2024-03-01\n'{MALFORMED}",
        ),
        (
            {"start": "2024-03-01T10:00+99:00", "end": "2024-03-02"},
            f"found --start '2024-03-01T10:00+99:00'{MALFORMED}",
        ),
        (
            {"start": "0000-01-01", "end": "2024-03-02"},
            "found --start 0000-01-01; wanted a year from 1970 to 2261; correct it",
        ),
        (
            {"start": "2024-03-01", "end": "9999-12-31T23:59:59-12:00"},
            "found --end 9999-12-31T23:59:59-12:00; wanted a year from 1970 to 2261; correct it",
        ),
        (
            {"start": "2024-03-05", "end": "2024-03-05"},
            (
                "found --start 2024-03-05 (2024-03-05T00:00:00+00:00) and --end 2024-03-05 "
                "(2024-03-05T00:00:00+00:00), which is an empty window; wanted an end after the "
                "start, and not in it; give a later --end: for the whole of a day, the day after it"
            ),
        ),
        (
            {"start": "2024-03-05T10:00+00:00", "end": "2024-03-05T10:00+01:00"},
            (
                "found --start 2024-03-05T10:00+00:00 (2024-03-05T10:00:00+00:00) and --end "
                "2024-03-05T10:00+01:00 (2024-03-05T09:00:00+00:00), which runs backwards; wanted "
                "an end after the start; exchange the two"
            ),
        ),
        (
            {"window": "P5D", "tz": "America/Gotham"},
            "found --tz 'America/Gotham'; wanted an IANA name such as America/New_York; correct it",
        ),
        (
            {"window": "P5D", "tz": "localtime"},
            "found --tz 'localtime'; wanted an IANA name such as America/New_York; correct it",
        ),
        (
            {"window": "P5D", "tz": "../../etc/passwd"},
            (
                "found --tz '../../etc/passwd'; wanted an IANA name such as America/New_York; "
                "correct it"
            ),
        ),
        (
            {"window": "P5D", "tz": ""},
            "found --tz ''; wanted an IANA name such as America/New_York; correct it",
        ),
        ({"window": "P"}, f"found --window 'P'{NO_DURATION}"),
        ({"window": "PT"}, f"found --window 'PT'{NO_DURATION}"),
        ({"window": "P5DT"}, f"found --window 'P5DT'{NO_DURATION}"),
        ({"window": "5D"}, f"found --window '5D'{NO_DURATION}"),
        ({"window": "P1.5D"}, f"found --window 'P1.5D'{NO_DURATION}"),
        ({"window": "p5d"}, f"found --window 'p5d'{NO_DURATION}"),
        ({"window": "P1W2D"}, f"found --window 'P1W2D'{NO_DURATION}"),
        ({"window": ""}, f"found --window ''{NO_DURATION}"),
        ({"window": "P\u0665D"}, rf"found --window 'P\u0665D'{NO_DURATION}"),
        ({"window": f"P{'9' * 5000}D"}, f"found --window 'P{'9' * 56}...'{NO_DURATION}"),
        ({"window": "P1M"}, f"found --window P1M{LONG}"),
        ({"window": "P1Y2M3DT4H"}, f"found --window P1Y2M3DT4H{LONG}"),
        (
            {"window": "P0DT0H"},
            "found --window P0DT0H, which is no time at all; wanted more; write P1D for a day",
        ),
        (
            {"window": "-P5D"},
            (
                "found --window -P5D, which is negative; wanted how far to go back from the end of "
                "the data; write P5D"
            ),
        ),
    ],
)
def test_words_that_are_no_window_are_refused_with_what_to_do(
    given: dict[str, Any], said: str
) -> None:
    with pytest.raises(BadReplayWindow) as refused:
        window_of(**given)

    assert str(refused.value) == said


GONE, TWICE = "2024-03-10T02:30:00", "2024-11-03T01:30:00"
NEW_YORK, SAO_PAULO, HAVANA = "America/New_York", "America/Sao_Paulo", "America/Havana"


@pytest.mark.parametrize(
    ("tz", "text", "said"),
    [
        (
            NEW_YORK,
            GONE,
            (
                f"found --start {GONE}, which does not exist in {NEW_YORK}, where the clocks leave "
                f"it out; wanted a time that does; write {GONE}-05:00, or another"
            ),
        ),
        (
            NEW_YORK,
            TWICE,
            (
                f"found --start {TWICE}, which happens twice in {NEW_YORK}; wanted to know which "
                f"is meant; write {TWICE}-04:00 or {TWICE}-05:00"
            ),
        ),
        (
            SAO_PAULO,
            "2018-11-04",
            (
                f"found --start 2018-11-04, whose midnight does not exist in {SAO_PAULO}, where "
                "the clocks leave it out; wanted a time that does; "
                "write 2018-11-04T00:00:00-03:00, or another"
            ),
        ),
        (
            HAVANA,
            "2023-11-05",
            (
                f"found --start 2023-11-05, whose midnight happens twice in {HAVANA}; wanted to "
                "know which is meant; write 2023-11-05T00:00:00-04:00 or 2023-11-05T00:00:00-05:00"
            ),
        ),
        (
            "Pacific/Apia",
            "2011-12-30",
            (
                "found --start 2011-12-30, whose midnight does not exist in Pacific/Apia, where "
                "the clocks leave it out; wanted a time that does; "
                "write 2011-12-30T00:00:00-10:00, or another"
            ),
        ),
    ],
)
def test_a_local_time_that_is_none_or_two_is_refused_with_what_to_write_i50(
    tz: str, text: str, said: str
) -> None:
    with pytest.raises(BadReplayWindow) as refused:
        window_of(start=text, end="2200-01-01", tz=tz)

    assert str(refused.value) == said
    for proposed in proposals_in(said):
        assert window_of(start=proposed, end="2200-01-01", tz=tz).bounds is not None


def proposals_in(refusal: str) -> list[str]:
    """What it says to write instead."""
    proposals = re.findall(r"\S+T\S+[+-]\d\d:\d\d", refusal.partition("; write ")[2])
    assert proposals
    return proposals
