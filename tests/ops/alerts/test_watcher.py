"""The watch as a whole: what is told reaches every channel, whatever dies or fills up meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time
from pathlib import Path
from threading import Event
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from hydra.ops.alerts.channels import Channel
from hydra.ops.alerts.conditions import Seen
from hydra.ops.alerts.kept import KeptFiles
from hydra.ops.alerts.watcher import Watcher, WatchTerms
from hydra.ops.alerts.wording import Message
from hydra.ops.as_said import as_said
from hydra.ops.offline import CONFIG
from hydra.trading.durations import HOUR, MINUTE, SECOND
from hydra.trading.findings import Finding
from tests.ops.alerts.looks import AT, cause, gone, seen
from tests.waiting import eventually

WHO = "Hydra paper"
HALT = seen(causes=[cause("nav_jump")], trading_state="HALTED")
OTHER = seen(causes=[cause("nav_jump"), cause("reconciliation")], trading_state="HALTED")


class Recorded:
    """A channel that keeps what it gets, and refuses while it is told to."""

    def __init__(self, name: str = "JSON 1") -> None:
        self.name = name
        self.error: str | None = None
        self.got: list[Message] = []

    def send(self, message: Message) -> str | None:
        if self.error is None:
            self.got.append(message)
        return self.error

    @property
    def titles(self) -> list[str]:
        return [message.title.removeprefix(f"{WHO}: ") for message in self.got]


class Beats:
    """Counts."""

    def __init__(self, fault: str | None = None) -> None:
        self.at: list[int] = []
        self.fault = fault

    def beat(self, at: int) -> None:
        self.at.append(at)


class Watched:
    """A watch over an engine that is looked at by hand; each look takes two seconds."""

    def __init__(
        self,
        folder: Path,
        channels: Sequence[Channel],
        *,
        beats: Beats | None = None,
        terms: WatchTerms | None = None,
        at: int = AT,
    ) -> None:
        self.files = KeptFiles(folder / "alerts")
        self.files.make_folder()
        self.said: list[str] = []
        terms = terms or WatchTerms(who=WHO)
        self.watcher = Watcher(terms, self.files, channels, self.said.append, beats)
        self.watcher.start()
        self.at = at

    def looks(self, look: Seen, for_ns: int = 2 * SECOND) -> None:
        until = self.at + for_ns
        while self.at < until:
            self.at += 2 * SECOND
            self.watcher.take(look, self.at)
            self.settle()

    def settle(self) -> None:
        assert eventually(self._is_idle)

    def _is_idle(self) -> bool:
        self.watcher.deliver(self.at)
        return self.watcher.is_idle


def test_a_halt_reaches_every_channel_at_the_look_that_finds_it_i89(tmp_path: Path) -> None:
    one, other = Recorded(), Recorded("JSON 2")
    watched = Watched(tmp_path, [one, other])
    watched.looks(seen())
    watched.looks(HALT)

    assert one.titles == other.titles == ["CRITICAL: nav_jump"]
    assert one.got[0].body.startswith("NEW critical · nav_jump (HALTED): why. What ends it: ")


def test_what_is_to_be_typed_means_the_engine_that_is_watched(tmp_path: Path) -> None:
    said = as_said("paper", CONFIG, Path("mine"), None)
    ended = Finding("engine", False, "`hydra-trader status` tells how the last one ended")
    look = replace(gone(), findings=(ended,))
    channel, new = Recorded(), Recorded("JSON 2")
    terms = WatchTerms(who=WHO, said=said)
    Watched(tmp_path, [channel], terms=terms).looks(look, MINUTE)
    Watched(tmp_path, [channel, new], terms=terms, at=AT + 2 * MINUTE).looks(look)

    for (message,) in (channel.got, new.got):
        assert "`hydra-trader status --venue paper --state-dir mine` tells how" in message.body


def test_a_watch_that_is_started_anew_tells_nothing_twice_and_that_it_is_over(
    tmp_path: Path,
) -> None:
    channel = Recorded()
    Watched(tmp_path, [channel]).looks(HALT)
    again = Watched(tmp_path, [channel], at=AT + 10 * MINUTE)
    again.looks(HALT, MINUTE)
    assert channel.titles == ["CRITICAL: nav_jump"]

    again.looks(seen(), 2 * MINUTE)
    assert channel.titles == ["CRITICAL: nav_jump", "over: nav_jump"]


def test_it_knows_up_to_where_the_journal_was_seen_with_all_that_it_told_of_it(
    tmp_path: Path,
) -> None:
    watched = Watched(tmp_path, [Recorded()])
    failed = {"event": "actor_failed", "source": "/hydra/core/data_feed"}
    for look, kept in (
        (replace(seen(), journal_seq=7), 7),
        (replace(seen(), journal_seq=8), 7),  # nothing to tell: no need to write at each look
        (replace(seen(failed), journal_seq=9), 9),
        (replace(seen(), journal_seq=10), 10),  # it is over
        (replace(seen(), journal_seq=11), 10),
    ):
        watched.looks(look)
        assert watched.files.look().journal_seq == kept

    watched.looks(replace(seen(), journal_seq=12), MINUTE + 2 * SECOND)
    assert watched.files.look().journal_seq == 12


def test_a_channel_that_is_new_hears_what_stands_and_one_that_is_known_nothing_twice_i89(
    tmp_path: Path,
) -> None:
    """Whoever sees on the terminal that nobody is told, and then says whom to tell, is not told an
    hour later."""
    Watched(tmp_path, []).looks(HALT)
    one, other = Recorded(), Recorded("JSON 2")
    Watched(tmp_path, [one], at=AT + MINUTE).looks(HALT, 10 * SECOND)
    Watched(tmp_path, [one, other], at=AT + 2 * MINUTE).looks(OTHER, 10 * SECOND)

    assert one.titles == ["CRITICAL: nav_jump", "CRITICAL: reconciliation"]
    assert "STILL critical, for " in one.got[0].body
    (both,) = other.got
    assert both.title == f"(1 more) {WHO}: CRITICAL: nav_jump"
    assert both.body.count("NEW critical · reconciliation") == 1
    assert both.body.count("STILL critical, for ") == 1


def test_an_engine_that_is_gone_or_started_anew_is_told_over_a_restart_of_the_watch(
    tmp_path: Path,
) -> None:
    channel = Recorded()
    Watched(tmp_path, [channel]).looks(seen())
    again = Watched(tmp_path, [channel], at=AT + HOUR)
    again.looks(gone(), 30 * SECOND)
    again.looks(seen(process="process 9"))

    assert channel.titles == [
        "CRITICAL: no engine runs",
        "NOTICE: engine started anew, and 1 more",
    ]


def test_what_a_channel_refuses_comes_later_in_one_message_and_nothing_is_lost_i89(
    tmp_path: Path,
) -> None:
    channel = Recorded()
    channel.error = "no route"
    watched = Watched(tmp_path, [channel])
    watched.looks(HALT)
    watched.looks(OTHER, 30 * SECOND)
    assert channel.got == []
    assert "JSON 1: not delivered: no route" in watched.said

    channel.error = None
    again = Watched(tmp_path, [channel], at=watched.at + 15 * MINUTE)
    again.looks(OTHER)

    (message,) = channel.got
    assert message.title == f"(2 more) {WHO}: CRITICAL: nav_jump"
    assert "CRITICAL: reconciliation" in message.body
    assert "WARNING: alerts do not arrive" in message.body


@pytest.mark.parametrize(
    "odd",
    [
        {"causes": [{"code": "nav_jump"}]},
        {"bots": [{"id": "mom_AAPL"}]},
        {"bots": None},
        {"notes": None},
        {"equity": "a lot"},
        {"orders": {}},
        {"health": {"loop_age_s": "1", "loop_interval_s": 5.0}},
    ],
)
def test_an_answer_that_is_not_understood_is_no_answer_and_ends_no_watch_i89(
    tmp_path: Path, odd: dict[str, Any]
) -> None:
    """As of an engine of another version: a watch that died of it would tell nobody anything."""
    channel = Recorded()
    terms = WatchTerms(who=WHO, daily_at=time(0))
    watched = Watched(tmp_path, [channel], terms=terms)
    well = seen()
    assert well.told is not None
    strange = replace(well, told={**well.told, **odd})
    watched.looks(strange, 30 * SECOND)

    (message,) = channel.got
    assert message.title == f"{WHO}: CRITICAL: the engine does not answer"
    assert "is not understood" in message.body
    watched.watcher.take(strange, AT + 24 * HOUR)
    watched.settle()
    assert any("daily word, not all clear" in f"{got.title}{got.body}" for got in channel.got)


def test_a_channel_that_fails_is_told_of_on_the_others_i89(tmp_path: Path) -> None:
    dead, well = Recorded("JSON dead"), Recorded("JSON well")
    dead.error = "no route"
    watched = Watched(tmp_path, [dead, well])
    watched.looks(HALT, 3 * MINUTE)

    assert well.titles == ["CRITICAL: nav_jump", "WARNING: alerts do not arrive"]
    assert "1 alerts do not reach JSON dead: no route" in well.got[1].body

    dead.error = None
    watched.looks(HALT, 15 * MINUTE)
    assert well.titles[2:] == ["over: alerts do not arrive"]
    assert len(dead.got) == 2


def test_a_channel_that_hangs_holds_up_neither_the_others_nor_the_looks_i89(tmp_path: Path) -> None:
    may_go, well = Event(), Recorded("JSON well")

    class Hanging(Recorded):
        def send(self, message: Message) -> str | None:
            may_go.wait(10)
            return super().send(message)

    hanging = Hanging("JSON hangs")
    watched = Watched(tmp_path, [hanging, well])
    for number, look in enumerate((HALT, OTHER)):
        watched.watcher.take(look, AT + number * SECOND)
        assert eventually(lambda number=number: len(well.got) == number + 1)  # type: ignore[misc]
        watched.watcher.deliver(AT + number * SECOND)

    may_go.set()
    watched.settle()
    assert hanging.titles == well.titles == ["CRITICAL: nav_jump", "CRITICAL: reconciliation"]


def test_a_full_disk_keeps_nobody_from_being_told_and_is_told_itself_i89(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    channel = Recorded()
    watched = Watched(tmp_path, [channel])
    with monkeypatch.context() as patch:
        patch.setattr("hydra.ops.alerts.kept.os.open", full)
        watched.looks(HALT)
        watched.looks(HALT)
        assert channel.titles == ["CRITICAL: nav_jump", "WARNING: the watch's own files"]
        assert "No space left on device" in channel.got[1].body

    watched.looks(HALT, 3 * MINUTE)
    assert channel.titles[2:] == ["over: the watch's own files"]
    assert KeptFiles(tmp_path / "alerts").look().incidents.keys() == {"cause nav_jump"}


def test_files_of_its_own_that_cannot_be_read_are_told_and_it_begins_anew(tmp_path: Path) -> None:
    channel = Recorded()
    (tmp_path / "alerts").mkdir(mode=0o700)
    (tmp_path / "alerts" / "state.json").write_text("{")
    watched = Watched(tmp_path, [channel])
    watched.looks(seen())

    assert channel.titles == ["WARNING: the watch's own files"]
    assert "it began anew" in channel.got[0].body


def test_what_waits_for_a_channel_that_is_configured_no_more_is_dropped_and_said(
    tmp_path: Path,
) -> None:
    dead = Recorded("JSON old")
    dead.error = "no route"
    Watched(tmp_path, [dead]).looks(HALT)
    again = Watched(tmp_path, [Recorded("JSON new")])

    assert again.said == ["JSON old is configured no more: 1 alerts for it are dropped"]
    assert again.watcher.kept.waiting == {}


def test_the_daily_word_comes_once_a_day_by_the_clocks_of_the_settings(tmp_path: Path) -> None:
    zone = ZoneInfo("America/New_York")
    begins = datetime(2026, 3, 6, 12, tzinfo=zone)  # on the 8th clocks go forward
    terms = WatchTerms(who=WHO, zone=zone, daily_at=time(17))
    channel = Recorded()
    watched = Watched(tmp_path, [channel], terms=terms, at=int(begins.timestamp()) * SECOND)
    for hours in range(24 * 4):
        watched.watcher.take(seen(equity=str(1000 + hours)), watched.at + hours * HOUR)
        watched.settle()

    assert channel.titles == ["all clear"] * 4
    at = [datetime.fromtimestamp(each.at // SECOND, UTC).isoformat() for each in channel.got]
    days = ("06T22:00:00", "07T22:00:00", "08T21:00:00", "09T21:00:00")
    assert at == [f"2026-03-{day}+00:00" for day in days]
    assert "Equity since" not in channel.got[0].body
    assert "Equity since the last daily word: +24.00 USD" in channel.got[1].body


def test_who_begins_to_watch_after_the_hour_of_the_daily_word_hears_it_the_next_day(
    tmp_path: Path,
) -> None:
    begins = datetime(2026, 3, 6, 18, tzinfo=UTC)
    terms = WatchTerms(who=WHO, daily_at=time(17))
    channel = Recorded()
    watched = Watched(tmp_path, [channel], terms=terms, at=int(begins.timestamp()) * SECOND)
    watched.looks(seen())
    assert channel.titles == []

    watched.watcher.take(seen(), watched.at + 23 * HOUR)
    watched.settle()
    assert channel.titles == ["all clear"]


def test_the_daily_word_counts_what_was_told_since_the_last_one(tmp_path: Path) -> None:
    terms = WatchTerms(who=WHO, daily_at=time(0))
    channel = Recorded()
    watched = Watched(tmp_path, [channel], terms=terms)
    watched.looks(HALT)
    watched.looks(seen(), 2 * MINUTE)
    for day in (1, 2):
        watched.watcher.take(seen(), AT + day * 24 * HOUR)
        watched.settle()

    lines = [line for each in channel.got for line in each.body.splitlines() if "since" in line]
    assert lines == [
        "Alerts since the last daily word: 2.",
        "Equity since the last daily word: +0.00 USD (deposits count too).",
        "Alerts since the last daily word: 0.",
    ]


def test_it_beats_while_the_engine_works_halted_or_not_and_not_else(tmp_path: Path) -> None:
    beats = Beats()
    watched = Watched(tmp_path, [], beats=beats)
    watched.looks(seen())
    watched.looks(HALT)
    watched.looks(seen(lease_ms=0.0))
    watched.looks(gone())

    assert beats.at == [AT + 2 * SECOND, AT + 4 * SECOND]


def test_beats_that_do_not_arrive_are_told_after_a_while(tmp_path: Path) -> None:
    channel = Recorded()
    watched = Watched(tmp_path, [channel], beats=Beats("host: MaxRetryError"))
    watched.looks(seen(), 170 * SECOND)
    assert channel.titles == []

    watched.looks(seen(), 30 * SECOND)
    assert channel.titles == ["WARNING: no heartbeat"]


def test_the_history_has_what_was_told_and_what_came_of_it_i89(tmp_path: Path) -> None:
    channel = Recorded()
    channel.error = "no route"
    watched = Watched(tmp_path, [channel])
    watched.looks(HALT)
    channel.error = None
    watched.looks(HALT, 10 * SECOND)

    told = watched.files.told(9)
    assert [(line["what"], line.get("error")) for line in told] == [
        ("told", None),
        ("not delivered", "no route"),
        ("delivered", None),
    ]
    assert told[0]["title"] == f"{WHO}: CRITICAL: nav_jump"
