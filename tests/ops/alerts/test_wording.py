"""The words: what a person reads on a telephone, and nothing made up."""

from __future__ import annotations

from msgspec.structs import replace

from hydra.ops.alerts.conditions import Severity
from hydra.ops.alerts.incidents import Incident, Kind, Notice
from hydra.ops.alerts.wording import (
    LINE_MAX,
    LINES_MAX,
    TITLE_MAX,
    Message,
    daily_message,
    message_of,
)
from hydra.trading.durations import MINUTE, SECOND
from tests.ops.alerts.looks import AT, told

LOSS = Incident(
    key="cause daily_loss",
    severity=Severity.CRITICAL,
    title="daily_loss",
    text="daily_loss (CLOSE_ONLY): lost 512.30. What ends it: wait for the next session",
    patience=0,
    settled=MINUTE,
    is_moment=False,
    is_our_own=False,
    began_at=AT,
    seen_at=AT + 3 * MINUTE,
    came_up=2,
    told_at=AT,
)
FEED = replace(
    LOSS, key="check feed", severity=Severity.WARNING, title="feed not well", text="feed: x"
)
HELD = [
    {"id": "a", "status": "running", "positions": {"SPY": "3", "AAPL": "1.50"}, "budget": None},
    {"id": "b", "status": "running", "positions": {"SPY": "-1"}, "budget": None},
]


def test_one_message_has_all_that_a_look_brought_the_worst_first_and_how_it_stands() -> None:
    notices = [Notice(Kind.OVER, LOSS), Notice(Kind.STILL, FEED), Notice(Kind.NEW, LOSS)]

    assert message_of(notices, told(bots=HELD), who="Hydra paper", at=AT) == Message(
        at=AT,
        severity=Severity.CRITICAL,
        title="Hydra paper: CRITICAL: daily_loss, and 2 more",
        body=(
            f"NEW critical · {LOSS.text}\n"
            "STILL warning, for 3 min, came up 2 times · feed: x\n"
            "OVER after 3 min, came up 2 times · daily_loss\n"
            "\n"
            "Trading ACTIVE, equity 100000.50 USD, holding AAPL 1.50, SPY 2.\n"
            "2025-11-24 16:00:00 UTC"
        ),
    )


def test_each_kind_of_notice_begins_with_what_it_is() -> None:
    def line(kind: Kind) -> str:
        return message_of([Notice(kind, LOSS)], None, who="H", at=AT).body.partition(" · ")[0]

    assert {kind: line(kind) for kind in Kind} == {
        Kind.NEW: "NEW critical",
        Kind.WORSE: "WORSE, now critical",
        Kind.STILL: "STILL critical, for 3 min, came up 2 times",
        Kind.AGAIN: "AGAIN critical, 2 times in 3 min",
        Kind.OVER: "OVER after 3 min, came up 2 times",
    }


def test_that_something_is_over_wakes_nobody() -> None:
    message = message_of([Notice(Kind.OVER, LOSS)], told(), who="H", at=AT)

    assert (message.severity, message.title) == (Severity.NOTICE, "H: over: daily_loss")


def test_what_is_not_known_is_not_made_up() -> None:
    notices = [Notice(Kind.NEW, LOSS)]
    blind = message_of(notices, None, who="H", at=AT)
    unsure = told(equity=None, bots=[{**HELD[0], "positions": None}])
    half = message_of(notices, unsure, who="H", at=AT)

    assert "How it stands is not known: no engine answers." in blind.body
    assert "Trading ACTIVE, equity not known, not known what is held." in half.body


def test_no_message_is_longer_than_channels_take() -> None:
    long = replace(LOSS, title="x" * 300, text="y" * 3_000)
    message = message_of([Notice(Kind.NEW, long)] * 20, told(), who="H", at=AT)
    lines = message.body.splitlines()

    assert len(message.title) == TITLE_MAX
    assert [len(line) for line in lines[:LINES_MAX]] == [LINE_MAX] * LINES_MAX
    assert lines[LINES_MAX] == "… and 8 more; see `hydra-trader health`"


def test_the_daily_word_of_a_good_day_is_all_clear() -> None:
    message = daily_message(told(), {}, new_since=4, equity_before="99990", who="H", at=AT)

    assert message == Message(
        at=AT,
        severity=Severity.NOTICE,
        title="H: all clear",
        body=(
            "Trading ACTIVE, equity 100000.50 USD, holding nothing.\n"
            "Orders today: 3, open: 0.\n"
            "Equity since the last daily word: +10.50 USD (deposits count too).\n"
            "Alerts since the last daily word: 4.\n"
            "2025-11-24 16:00:00 UTC"
        ),
    )


def test_the_daily_word_says_what_stands_and_does_not_call_it_clear() -> None:
    waiting = replace(FEED, told_at=None)
    message = daily_message(
        told(), {"a": LOSS, "b": waiting}, new_since=1, equity_before=None, who="H", at=AT
    )

    assert (message.severity, message.title) == (
        Severity.CRITICAL,
        "H: daily word, not all clear",
    )
    assert f"STANDS critical, for 3 min · {LOSS.text}" in message.body
    assert "feed" not in message.body
    assert "Equity since" not in message.body


def test_without_an_engine_no_day_is_all_clear() -> None:
    message = daily_message(None, {}, new_since=0, equity_before="1", who="H", at=AT + SECOND)

    assert message.title == "H: daily word, not all clear"
    assert message.body.startswith("How it stands is not known: no engine answers.\n")
