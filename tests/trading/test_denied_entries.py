"""After a denial the next entry waits, each time longer, and never for long."""

from hypothesis import given
from hypothesis import strategies as st

from hydra.trading.denied_entries import FIRST_PAUSE, LONGEST_PAUSE, DeniedEntries
from hydra.trading.durations import HOUR, MINUTE


def test_nothing_waits_before_anything_was_denied() -> None:
    assert DeniedEntries().why_not(0) == ""


def test_each_denial_in_a_row_doubles_the_pause_until_one_passes() -> None:
    denials, at, pauses = DeniedEntries(), 0, list[int]()
    for _ in range(6):
        denials.denied(at)
        began = at
        while denials.why_not(at):
            at += MINUTE
        pauses.append((at - began) // MINUTE)

    assert pauses == [1, 2, 4, 8, 16, 16]
    denials.denied(at)
    assert denials.why_not(at) == "its last entries were denied, 7 in a row"
    denials.passed()
    assert denials.why_not(at) == ""
    denials.denied(at)
    assert denials.why_not(at + FIRST_PAUSE) == ""


@given(st.lists(st.integers(1, HOUR), min_size=1, max_size=200))
def test_however_often_somebody_asks_the_wishes_are_bounded_and_never_end(waits: list[int]) -> None:
    denials, at, wished = DeniedEntries(), 0, 0
    for wait in waits:
        at += wait
        if not denials.why_not(at):
            wished += 1
            denials.denied(at)

    assert 1 <= wished <= 5 + at // LONGEST_PAUSE
    assert denials.why_not(at + LONGEST_PAUSE) == ""
