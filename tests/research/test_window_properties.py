"""Windows of any zone and any time: the instant that was meant, or a refusal of one line."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from hydra.research.window import AskedWindow, BadReplayWindow, DataSpan, ReplayWindow, window_of

SECOND = 1_000_000_000
DAY = 24 * 3600
ZONES = (
    "UTC",
    "America/New_York",
    "America/Sao_Paulo",  # changed at midnight
    "America/Havana",
    "Australia/Lord_Howe",  # by half an hour
    "Africa/Casablanca",  # backwards in summer
    "Asia/Kathmandu",
    "Pacific/Apia",  # left a day out
    "Europe/London",
    "Africa/Monrovia",  # 44 minutes 30 seconds, until 1972
)
zones = st.sampled_from(ZONES)
LAST = int(datetime(2099, 1, 1, tzinfo=UTC).timestamp())


@st.composite
def instants(draw: st.DrawFn) -> tuple[int, ZoneInfo]:
    """Seconds since 1970 with a zone, half of them close to a change of its clocks."""
    zone = ZoneInfo(draw(zones))
    at = draw(st.integers(DAY, LAST))
    if draw(st.booleans()):
        at = next_change(at, zone) + draw(st.integers(-2 * 3600, 2 * 3600))
    return at, zone


def next_change(at: int, zone: ZoneInfo) -> int:
    """The first second with another offset, within a year of `at`; or `at`."""

    def offset(second: int) -> timedelta | None:
        return datetime.fromtimestamp(second, zone).utcoffset()

    step = next((at + day * DAY for day in range(366) if offset(at + day * DAY) != offset(at)), at)
    low, high = step - DAY, step
    while step != at and high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if offset(middle) == offset(at) else (low, middle)
    return high


def start_of(text: str, zone: ZoneInfo) -> int | str:
    """Seconds since 1970 that are understood, or the refusal. The end is out of the way."""
    try:
        bounds = window_of(start=text, end="2261-01-01", tz=zone.key).bounds
    except BadReplayWindow as refusal:
        return str(refusal)
    assert bounds is not None
    return bounds[0] // SECOND


def resolved(asked: Callable[[], AskedWindow], span: DataSpan) -> ReplayWindow | str:
    """The window over these data, or the refusal."""
    try:
        return asked().over(span)
    except BadReplayWindow as refusal:
        return str(refusal)


@given(instants())
def test_a_local_time_is_the_instant_that_shows_it_or_refused_with_ones_that_do_i50(
    instant: tuple[int, ZoneInfo],
) -> None:
    at, zone = instant
    local = datetime.fromtimestamp(at, zone)
    text = f"{local:%Y-%m-%dT%H:%M:%S}"

    understood = start_of(text, zone)

    if isinstance(understood, str):
        proposed = re.findall(r"\S+T\S+[+-][\d:]+", understood.partition("; write ")[2])
        assert len(proposed) == 2
        assert at in [start_of(each, zone) for each in proposed]
    else:
        assert understood == at


@given(instants())
def test_with_its_offset_every_instant_is_itself_i50(instant: tuple[int, ZoneInfo]) -> None:
    at, zone = instant

    assert start_of(datetime.fromtimestamp(at, zone).isoformat(), zone) == at


@given(instants())
def test_whatever_clock_time_is_understood_the_clocks_show_it_i50(
    instant: tuple[int, ZoneInfo],
) -> None:
    # As if there were no changes: so times are written too that the clocks leave out.
    at, zone = instant
    offset = datetime.fromtimestamp(at - DAY, zone).utcoffset()
    assert offset is not None
    text = f"{datetime.fromtimestamp(at, UTC) + offset:%Y-%m-%dT%H:%M:%S}"

    understood = start_of(text, zone)

    if isinstance(understood, str):
        assert understood.isprintable()
    else:
        assert f"{datetime.fromtimestamp(understood, zone):%Y-%m-%dT%H:%M:%S}" == text


@given(instants(), st.integers(1, 10**9))
def test_the_bounds_in_utc_are_read_back_as_the_same_half_open_window(
    instant: tuple[int, ZoneInfo], length: int
) -> None:
    at, zone = instant
    window = ReplayWindow(start=at * SECOND, end=(at + length) * SECOND, timezone_label=zone.key)
    span = DataSpan(start=window.start, end=window.end)

    asked = window_of(start=window.start_utc, end=window.end_utc, tz=zone.key)

    assert asked.over(span) == window
    assert at * SECOND == window.start < window.end


@given(
    start=st.integers(DAY, LAST),
    length=st.integers(1, 10**9),
    duration=st.integers(1, 99_999),
    tz=zones,
)
def test_a_duration_ends_at_the_midnight_behind_the_data_and_is_as_long_as_said(
    start: int, length: int, duration: int, tz: str
) -> None:
    span = DataSpan(start=start * SECOND, end=(start + length) * SECOND)

    window = resolved(lambda: window_of(window=f"PT{duration}M", tz=tz), span)

    if isinstance(window, str):
        assert window.isprintable()
        return
    assert window.end % (DAY * SECOND) == 0
    assert span.end <= window.end < span.end + DAY * SECOND
    assert window.end - window.start == duration * 60 * SECOND


@given(start=st.integers(DAY, LAST), length=st.integers(1, 10**9))
def test_the_window_that_a_refusal_proposes_has_all_of_the_data(start: int, length: int) -> None:
    span = DataSpan(start=start * SECOND, end=(start + length) * SECOND)

    window = window_of(window=f"P{span.days}D").over(span)

    assert window.start <= span.start < span.end <= window.end
    assert window.start + DAY * SECOND > span.start


words = st.one_of(
    st.none(),
    st.text(max_size=12),
    st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}(:[0-9]{2})?Z?)?"),
    st.from_regex(r"-?P[0-9]{0,6}[YMWD]?(T[0-9]{1,3}[HMS])?"),
)


@given(
    start=words,
    end=words,
    window=words,
    tz=st.one_of(zones, st.text(max_size=12)),
    environment=st.one_of(
        st.none(),
        st.dictionaries(
            st.sampled_from(["HYDRA_REPLAY_START", "HYDRA_REPLAY_END"]), st.text(max_size=12)
        ),
    ),
)
def test_any_words_are_a_window_with_an_end_after_its_start_or_one_line(
    start: str | None,
    end: str | None,
    window: str | None,
    tz: str,
    environment: dict[str, str] | None,
) -> None:
    span = DataSpan(start=1_700_000_000 * SECOND, end=1_701_000_000 * SECOND)

    found = resolved(
        lambda: window_of(start=start, end=end, window=window, tz=tz, environment=environment),
        span,
    )

    if isinstance(found, str):
        assert found.isprintable()
        assert len(found) < 500
    else:
        assert found.start < found.end
        assert found.start < span.end and span.start < found.end
