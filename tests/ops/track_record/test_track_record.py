"""A track record that a stranger can check: added at the end, never changed, the same report."""

from __future__ import annotations

import stat
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec import json
from msgspec.structs import replace

from hydra.ops.surfaces.writer import SurfaceWriter
from hydra.ops.track_record.folder import TakenAlready, TrackRecord, TrackRecordBroken
from hydra.ops.track_record.report import (
    Day,
    Figures,
    encoded_report,
    page_of,
    track_report_of,
)
from hydra.ops.track_record.snapshots import BotDay, LedgerAt, Snapshot, encoded, with_account
from hydra.trading.account_reading import AccountReading
from hydra.trading.equity_bridge import (
    Difference,
    EquityBridge,
    Line,
    Section,
    not_known,
)
from tests.ops.control.command_line import asks, says
from tests.ops.control.engines import FACTS, controlled
from tests.ops.control.lives import lived
from tests.ops.sessions import typed
from tests.ops.test_health import make_well
from tests.ops.track_record.test_snapshots import taken

ZERO = Decimal(0)
READING = AccountReading(
    account="PA-TEST", at=5, cash=Decimal("100.25"), equity=Decimal("100.25"), marks=()
)
BRIDGE = EquityBridge(
    since="a test",
    began_at=1,
    ended_at=5,
    began=Decimal(100),
    ended=Decimal("100.25"),
    lines=(Line(Section.ACTIVITIES, "INT", Decimal("0.25")),),
    unexplained=ZERO,
)
DATES = ("2026-11-19", "2026-11-20", "2026-11-23")


def day(date: str, equity: str | None, *unclean: str, trips: int = 0) -> Snapshot:
    """As the first version wrote them: it did not know what there was in all."""
    return replace(
        taken(),
        date=date,
        equity=None if equity is None else Decimal(equity),
        bots=(BotDay(bot="a", round_trips=trips, realised=Decimal(trips)),),
        unclean=unclean,
        previous=None,
    )


def kept(folder: Path, *days: Snapshot) -> TrackRecord:
    track = TrackRecord(folder / "track_record")
    for each in days:
        track.add(replace(each, previous=track.last()))
    return track


def three_days(folder: Path) -> TrackRecord:
    return kept(folder, *(day(date, "100") for date in DATES))


def test_each_day_names_the_one_before_and_all_are_read_again(tmp_path: Path) -> None:
    track = three_days(tmp_path)
    days = track.read()

    assert [each.date for each in days] == list(DATES)
    assert [each.previous and each.previous.date for each in days] == [None, *DATES[:2]]
    assert (track.folder / "latest.json").read_bytes() == encoded(days[-1])
    files = [path for path in track.folder.rglob("*") if path.is_file()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert len(files) == 4


@pytest.mark.parametrize("date", ["2026-11-23", "2026-11-21"])
def test_a_day_that_is_there_or_was_passed_is_never_written(tmp_path: Path, date: str) -> None:
    track = three_days(tmp_path)
    before = {path: path.read_bytes() for path in track.snapshots.iterdir()}

    with pytest.raises(TakenAlready, match="found a snapshot of 2026-11-23"):
        track.add(replace(day(date, "1"), previous=track.last()))
    assert {path: path.read_bytes() for path in track.snapshots.iterdir()} == before


def test_two_who_add_the_same_first_day_do_not_overwrite_each_other(tmp_path: Path) -> None:
    track = kept(tmp_path, day(DATES[0], "100"))

    with pytest.raises(FileExistsError):
        track.add(day(DATES[0], "999"))
    assert track.read()[0].equity == 100


def test_what_a_kill_left_half_written_is_no_day_and_in_nobodys_way(tmp_path: Path) -> None:
    track = kept(tmp_path, day(DATES[0], "100"))
    (track.snapshots / f".{DATES[1]}.json.partial").write_text("{")
    track.add(replace(day(DATES[1], "100"), previous=track.last()))

    assert [each.date for each in track.read()] == list(DATES[:2])


@pytest.mark.parametrize("how", ["changed", "removed", "added", "renamed", "spoilt", "no text"])
def test_a_snapshot_that_was_changed_added_or_taken_away_is_named(tmp_path: Path, how: str) -> None:
    track = three_days(tmp_path)
    second = track.snapshots / f"{DATES[1]}.json"
    match how:
        case "changed":
            second.write_bytes(second.read_bytes().replace(b'"100"', b'"101"'))
            named = DATES[2]
        case "removed":
            second.unlink()
            named = DATES[2]
        case "added":
            (track.snapshots / "2026-11-22.json").write_bytes(encoded(day("2026-11-22", "1")))
            named = "2026-11-22"
        case "renamed":
            second.rename(track.snapshots / "2026-11-18.json")
            named = "2026-11-18"
        case "spoilt":
            second.write_text("{")
            named = DATES[1]
        case _:
            second.write_bytes(b'{"date": "\xff"}')
            named = DATES[1]

    with pytest.raises(TrackRecordBroken, match=f"{named}.json: found "):
        track.read()


def test_the_figures_are_those_of_the_days() -> None:
    days = (
        day("2026-11-18", "100", trips=1),
        day("2026-11-19", "110", trips=2),
        day("2026-11-20", None, "equity not known"),
        day("2026-11-23", "99", "halted by x"),
        day("2026-11-24", "104.5"),
    )
    report = track_report_of(days)

    assert report.figures == Figures(
        days=5,
        clean_days=3,
        clean_days_in_a_row=1,
        weekdays_without=0,
        first="2026-11-18",
        last="2026-11-24",
        equity=Decimal("104.5"),
        return_pct=Decimal("4.5000"),
        max_drawdown_pct=Decimal("10.0000"),
        best_day_pct=Decimal("10.0000"),
        worst_day_pct=Decimal("-10.0000"),
        days_up=2,
        days_down=1,
        round_trips=3,
        realised=Decimal(3),
    )
    assert report.days[3] == Day(
        date="2026-11-23",
        equity=Decimal(99),
        change=Decimal(-11),
        change_pct=Decimal("-10.0000"),
        realised=Decimal(0),
        round_trips=0,
        fills=0,
        rejections=0,
        held=1,
        unclean=("halted by x",),
    )


def test_what_was_traded_after_a_day_was_taken_counts_for_the_next_one() -> None:
    """Coins go on trading in the evening and over the weekend, in the session that was taken."""

    def bot(in_session: int, in_all: int) -> BotDay:
        return BotDay(
            bot="a",
            fills=in_session,
            round_trips=in_session,
            rejections=in_session,
            realised=Decimal(in_session),
            realised_in_all=Decimal(in_all),
            fills_in_all=in_all,
            round_trips_in_all=in_all,
            rejections_in_all=in_all,
        )

    days = [
        replace(day(date, "100"), bots=bots, ledger=LedgerAt(seq, ""))
        for date, seq, bots in (
            ("2026-11-19", 10, (bot(1, 5),)),  # 4 are of before there was a track record
            ("2026-11-20", 20, (bot(2, 7),)),
            ("2026-11-23", 30, (bot(2, 12),)),  # and 3 of the weekend
            ("2026-11-24", 5, (bot(1, 1),)),  # of another ledger
        )
    ]
    report = track_report_of(days)

    assert [each.realised for each in report.days] == [Decimal(each) for each in (1, 2, 5, 1)]
    assert [(each.fills, each.round_trips, each.rejections) for each in report.days] == [
        (number,) * 3 for number in (1, 2, 5, 1)
    ]
    assert (report.figures.realised, report.figures.round_trips) == (Decimal(9), 9)


def test_weekdays_without_a_snapshot_are_counted() -> None:
    days = ["2026-11-13", "2026-11-16", "2026-11-19", "2026-11-30"]
    report = track_report_of([day(date, "100") for date in days])

    assert report.figures.weekdays_without == 2 + 6
    assert "8 weekdays between them have none (holidays among them)" in page_of(report)


def test_of_days_without_a_worth_nothing_is_made_up() -> None:
    figures = track_report_of([day(DATES[0], None, "equity not known")]).figures

    assert (figures.equity, figures.return_pct, figures.max_drawdown_pct) == (None, None, None)


def test_the_page_shows_figures_and_days() -> None:
    page = page_of(track_report_of([day("2026-11-20", "100"), day("2026-11-23", "99.5", "x")]))

    assert "2 days from 2026-11-20 to 2026-11-23, of which 1 clean, 0 in a row" in page
    assert "| return, % (deposits count) | -0.5000 |" in page
    assert page.endswith(
        "| 2026-11-20 | 100.00 | – | – | +0.00 | 0 | 0 | 0 | 1 | – | yes |\n"
        "| 2026-11-23 | 99.50 | -0.50 | -0.5000 | +0.00 | 0 | 0 | 0 | 1 | – | x |\n"
    )


def test_the_page_shows_what_the_equity_bridge_of_each_day_comes_to() -> None:
    zero = with_account(day("2026-11-19", "100"), READING, BRIDGE)
    off = replace(BRIDGE, unexplained=Decimal("-0.001"), differences=(Difference("odd", ZERO),))
    unknown = not_known("nothing was kept", "nothing", READING)
    days = [zero, with_account(day("2026-11-20", "100"), READING, off)]
    report = track_report_of([*days, with_account(day("2026-11-23", "100"), READING, unknown)])
    page = page_of(report)

    assert "| days whose equity bridge is zero | 1 |" in page
    assert [line.split(" | ")[-2:] for line in page.splitlines()[-3:]] == [
        ["0.00", "yes |"],
        ["-0.001", "equity bridge: -0.001 USD unexplained (odd) |"],
        ["–", "yes |"],
    ]


def test_days_of_before_the_bridge_stay_as_they_were_and_are_followed_by_one(
    tmp_path: Path,
) -> None:
    track = three_days(tmp_path)
    for path in track.snapshots.iterdir():
        path.unlink()
    previous = None
    for date in DATES:
        told = json.decode(encoded(replace(day(date, "100"), previous=previous)))
        old = json.encode({k: v for k, v in told.items() if k not in ("reading", "bridge")})
        (track.snapshots / f"{date}.json").write_bytes(old)
        previous = track.last()

    track.add(with_account(replace(day("2026-11-24", "1"), previous=previous), READING, BRIDGE))

    assert [each.bridge for each in track.read()] == [None, None, None, BRIDGE]
    assert track.read()[-1].reading == READING


def written_by(folder: Path) -> dict[str, bytes]:
    """The files of the report."""
    found = (folder / "state" / "track_record").glob("[Tt][Rr]*")
    return {path.name: path.read_bytes() for path in found}


def test_a_day_is_added_and_reported_by_command_the_same_to_the_byte_each_time(
    tmp_path: Path,
) -> None:
    lived(tmp_path)
    with controlled(tmp_path) as engine:
        make_well(engine)
        guardian = {**engine.told.shown["risk_guardian"], "trading_day": "2026-11-23"}
        engine.told.shown = {**engine.told.shown, "risk_guardian": {**guardian, "equity": "99"}}
        SurfaceWriter(engine.runtime, FACTS, engine.files.surfaces).write_once()

    added, again = says(tmp_path, "snapshot"), says(tmp_path, "snapshot")
    page = says(tmp_path, "track-record")
    files = written_by(tmp_path)
    report = asks(tmp_path, "track-record")

    assert (added.exit_code, again.exit_code, page.exit_code) == (0, 0, 0)
    said = added.stdout.splitlines()
    assert said[0].endswith("2026-11-23.json: 2026-11-23, a clean day")
    assert said[1].startswith("no equity bridge: ")
    assert "what is there is never changed" in again.stdout
    assert report["figures"]["equity"] == "99"
    assert files.keys() == {
        "TRACK_RECORD_2026-11-23.md",
        "TRACK_RECORD_latest.md",
        "track_record_latest.json",
    }
    assert written_by(tmp_path) == files
    assert files["TRACK_RECORD_latest.md"].decode() == page.stdout
    days = TrackRecord(tmp_path / "state" / "track_record").read()
    assert files["track_record_latest.json"] == encoded_report(track_report_of(days))


def test_where_no_engine_has_left_a_word_or_no_day_is_there_that_is_said(tmp_path: Path) -> None:
    lived(tmp_path)
    taken_of_none, report = says(tmp_path, "snapshot"), says(tmp_path, "track-record")

    assert (taken_of_none.exit_code, report.exit_code) == (2, 2)
    assert "surfaces/nav.json: found no such file; an engine keeps it fresh" in taken_of_none.stderr
    way_out = typed(tmp_path, "found no snapshot; `hydra-trader snapshot` adds one\n")
    assert report.stderr.endswith(way_out)


def test_a_broken_track_record_is_one_line_and_code_1(tmp_path: Path) -> None:
    track = three_days(tmp_path / "state")
    (track.snapshots / f"{DATES[1]}.json").unlink()
    result = says(tmp_path, "track-record")

    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert "a snapshot was changed, added or taken away" in result.stderr
