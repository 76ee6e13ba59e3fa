"""The risk check: what it lets pass, and what it refuses with which words."""

from hydra_dip.checks import not_at_lunch

from hydra.actor import MINUTE
from hydra.testkit.situations import ENTRY_AT, entry


def test_in_the_morning_an_entry_passes() -> None:
    assert not_at_lunch(entry()) is None


def test_at_lunch_it_does_not() -> None:
    noon = ENTRY_AT + 120 * MINUTE  # the fine entry is of 10:00 in New York

    refused = [not_at_lunch(entry(at=at)) for at in (noon, noon + 59 * MINUTE)]

    assert refused == ["it is between 12:00 and 13:00 in New York, when nothing is entered"] * 2
    assert not_at_lunch(entry(at=noon + 60 * MINUTE)) is None
