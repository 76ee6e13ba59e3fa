"""The exchange's sessions, held against an independent table of the real ones."""

import csv
import gzip
import os
import stat
from datetime import datetime
from pathlib import Path

import pytest

from hydra.venues.exchange_calendar import SessionRow, UnknownYear, sessions

REAL = (
    Path(__file__).resolve().parents[3]
    / "shared" / "market-data" / "calendar" / "XNYS_sessions_1993_2026.csv.gz"
)  # fmt: skip


def real_sessions(year: int) -> tuple[SessionRow, ...]:
    with gzip.open(REAL, "rt") as lines:
        return tuple(
            (
                row["session"],
                ns(row["open_utc"]),
                ns(row["close_utc"]),
                bool(int(row["early_close"])),
            )
            for row in csv.DictReader(lines)
            if row["session"].startswith(f"{year}-")
        )


def ns(stamp: str) -> int:
    return int(datetime.fromisoformat(stamp).timestamp()) * 1_000_000_000


@pytest.mark.skipif(not REAL.exists(), reason=f"needs {REAL.name} in ../shared/market-data")
@pytest.mark.parametrize("year", [2001, 2011, 2016, 2018, 2024, 2026])
def test_the_sessions_of_a_year_are_the_real_ones(year: int) -> None:
    assert sessions(f"{year}-01-01", f"{year}-12-31", None) == real_sessions(year)


def test_only_what_lies_between_the_dates_is_given_across_years(tmp_path: Path) -> None:
    rows = sessions("2015-12-30", "2016-01-05", tmp_path / "cache")

    assert [row[0] for row in rows] == [
        "2015-12-30", "2015-12-31", "2016-01-04", "2016-01-05",
    ]  # fmt: skip


def test_a_year_is_kept_and_read_again_without_the_library(tmp_path: Path) -> None:
    cache = tmp_path / "state" / "cache"
    computed = sessions("2016-04-15", "2016-04-15", cache)
    (file,) = cache.iterdir()
    marked = file.read_bytes().replace(b"2016-04-15", b"2016-04-16")
    file.write_bytes(marked)

    assert sessions("2016-04-16", "2016-04-16", cache) == (("2016-04-16", *computed[0][1:]),)
    assert stat.S_IMODE(cache.parent.stat().st_mode) == 0o700


def test_what_is_kept_is_private_whatever_the_umask_i84(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        sessions("2016-04-15", "2016-04-15", tmp_path)
    finally:
        os.umask(before)

    (file,) = tmp_path.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("damage", [b"", b"[]", b"not json", b'[["2015-01-02",1,2,false]]'])
def test_a_damaged_cache_is_computed_anew(damage: bytes, tmp_path: Path) -> None:
    computed = sessions("2016-04-15", "2016-04-15", tmp_path)
    (file,) = tmp_path.iterdir()
    file.write_bytes(damage)

    assert sessions("2016-04-15", "2016-04-15", tmp_path) == computed
    assert file.read_bytes() != damage


def test_a_cache_that_cannot_be_written_does_not_matter(tmp_path: Path) -> None:
    in_the_way = tmp_path / "cache"
    in_the_way.touch()

    assert len(sessions("2016-04-15", "2016-04-18", in_the_way)) == 2


def test_a_year_beyond_the_calendar_is_refused() -> None:
    with pytest.raises(UnknownYear, match="does not know 2999"):
        sessions("2999-01-01", "2999-01-05", None)
