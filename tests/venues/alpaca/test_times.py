"""Instants on the wire and in the engine, to the last of nine digits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.venues.alpaca.bad_answer import BadAnswer
from hydra.venues.alpaca.times import nanoseconds, rfc3339

INSTANTS = st.integers(0, 4_102_444_800 * 10**9)


@given(INSTANTS)
def test_what_was_written_is_read_again(at: int) -> None:
    assert nanoseconds(rfc3339(at)) == at


@given(INSTANTS, st.integers(1, 9))
def test_any_number_of_digits_is_read_exactly(at: int, digits: int) -> None:
    text = rfc3339(at)
    cut = text[: len("2026-11-23T14:31:07.") + digits] + "Z"

    assert nanoseconds(cut) == at - at % 10 ** (9 - digits)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2026-11-23T14:31:07Z", 1_795_444_267_000_000_000),
        ("2026-11-23T14:31:07.4Z", 1_795_444_267_400_000_000),
        ("2026-11-23T14:31:07.402118733Z", 1_795_444_267_402_118_733),
        ("2026-11-23T09:31:07.402118733-05:00", 1_795_444_267_402_118_733),
        ("2026-11-23T20:01:07.402118733+05:30", 1_795_444_267_402_118_733),
    ],
)
def test_offsets_and_fractions_are_counted(text: str, at: int) -> None:
    assert nanoseconds(text) == at


@pytest.mark.parametrize(
    "text", ["0001-01-01T00:00:00.000000000Z", "2261-12-31T23:59:59.999999999Z"]
)
def test_all_that_can_be_read_can_be_written(text: str) -> None:
    assert rfc3339(nanoseconds(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-11-23",
        "2026-11-23T14:31:07",  # without an offset it names no instant
        "2026-11-23T14:31Z",
        "2026-13-23T14:31:07Z",
        "2026-11-23T14:31:61Z",
        "2026-11-23T14:31:07.Z",
        "2026-11-23T14:31:07.1234567890Z",
        "2026-11-23T14:31:07+99:00",
        "0000-11-23T14:31:07Z",
        "0001-01-01T00:00:00+00:01",  # a minute before the first year
        "2262-01-01T00:00:00Z",
        "9999-12-31T23:59:59-23:59",
        "٢٠٢٦-11-23T14:31:07Z",
        "1795444267",
        "2026-11-23T14:31:07Z ",
    ],
)
def test_what_names_no_instant_is_refused(text: str) -> None:
    with pytest.raises(BadAnswer, match="found the time"):
        nanoseconds(text)


@given(st.text())
def test_any_text_is_an_instant_or_a_bad_answer(text: str) -> None:
    try:
        nanoseconds(text)
    except BadAnswer:
        return
