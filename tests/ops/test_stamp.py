"""How reports say when they were made."""

from datetime import UTC, datetime, timedelta, timezone

from hydra.ops.stamp import stamp


def test_an_instant_is_told_in_utc_to_the_second() -> None:
    east = timezone(timedelta(hours=5, minutes=30))

    told = stamp(datetime(2026, 11, 22, 1, 2, 3, 999_999, tzinfo=east))

    assert told == "2026-11-21T19:32:03Z"


def test_where_none_is_given_it_is_now() -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    told = datetime.fromisoformat(stamp())

    assert before <= told <= datetime.now(UTC)
