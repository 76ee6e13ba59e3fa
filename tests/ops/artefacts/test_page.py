"""The page of a session, word by word, and what is counted on it."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from hydra.ops.artefacts.halts import Halts, HaltTold
from hydra.ops.artefacts.opening import Opening
from hydra.ops.artefacts.page import TRADES_SHOWN, page_of
from hydra.ops.artefacts.provenance import Provenance
from hydra.ops.artefacts.report import Report, report_of, told_by
from hydra.ops.artefacts.story import OF_NO_INTEREST, Line
from hydra.ops.artefacts.troubles import TROUBLES, Trouble, Troubles, words_of
from hydra.store.journal_line import timestamp
from hydra.trading.durations import MINUTE
from hydra.trading.trading_state import Cause, CauseClass, TradingState
from messages.summary import Trade
from messages.vocabulary import KINDS_BY_NAME
from tests.ops.artefacts.lives import RUN, bundle_in, engine_in, traded
from tests.store.orders import AT

GOLDEN = Path(__file__).with_name("session.md")
SILENT = Cause(
    code="feed_silent",
    cause_class=CauseClass.LIMIT,
    state=TradingState.CLOSE_ONLY,
    since=AT + MINUTE,
    detail="no price for 17 s | at most 15 s",
)
LATCHED: Line = {
    "ts": timestamp(AT + MINUTE),
    "seq": 9,
    "event": "halt_latched",
    "cause": msgspec.to_builtins(SILENT),
}
CLEARED: Line = {
    "ts": timestamp(AT + 3 * MINUTE),
    "seq": 12,
    "event": "halt_cleared",
    "code": "feed_silent",
    "reason": "prices are back",
}


def test_a_page_reads_like_a_report(tmp_path: Path) -> None:
    with engine_in(tmp_path) as engine:
        engine.tell("preflight_failed", failures=["positions not read yet"])
        engine.tell("preflight_passed", evidence=[], epoch=1)
        engine.tell("trading_state", state="ACTIVE", causes=[])
        traded(engine)
        engine.tell("stream_lost", stream="prices", reason="silent for <30 s>")
        engine.tell("halt_latched", cause=SILENT, epoch=2)
        engine.tell("control_halt", reason="lunch", by="uid 0", state="HALTED")

    assert (bundle_in(tmp_path) / "session.md").read_text() == GOLDEN.read_text()


@pytest.mark.parametrize(
    ("mode", "where", "last"),
    [
        ("embedded", "", "a whole."),
        ("paper", " --venue paper", "a whole."),
        ("live", " --venue live", "a whole."),
        (
            "replay",
            " --state-dir FOLDER --log-dir FOLDER/logs",
            "FOLDER is the one in which this page lies.",
        ),
    ],
)
def test_the_commands_to_look_with_are_of_the_session_s_own_record(
    mode: str, where: str, last: str
) -> None:
    loss = Trade(
        bot="mom",
        symbol="AAPL",
        side="buy",
        quantity=Decimal(1),
        entry_price=Decimal(11),
        exit_price=Decimal(10),
        opened_at=AT,
        closed_at=AT,
        entry_reason="",
        exit_reason="",
        realised=Decimal(-1),
    )
    found = msgspec.structs.replace(report([LATCHED]), mode=mode, trades=(loss,))
    page = page_of(found).rstrip()
    steps = page.partition("## What to look at next\n\n")[2]

    when = f"{timestamp(AT)[:16]}Z"
    assert f"- `hydra-trader verify{where}` checks" in steps
    assert f"- `hydra-trader why mom AAPL {when}{where}`: the largest loss" in steps
    assert (f"- `hydra-trader status{where}` says what stands" in steps) is (mode != "replay")
    assert steps.endswith(last)


def report(lines: list[Line], opening: Opening | None = None) -> Report:
    opening = opening or Opening(ledger_seq=0, ledger_chain="", journal_seq=1)
    provenance = Provenance(session="s", run=RUN, began_at=AT, began_wall_at=1)
    told, _ = told_by(opening, lines)
    return report_of(provenance, told)


def halts_in(standing: Sequence[Cause], lines: Iterable[Line]) -> tuple[HaltTold, ...]:
    halts = Halts(standing)
    for line in lines:
        halts.take(line)
    return halts.all


def troubles_in(lines: Iterable[Line]) -> tuple[Trouble, ...]:
    troubles = Troubles()
    for line in lines:
        troubles.take(line)
    return troubles.all


def test_a_session_that_goes_on_says_so() -> None:
    page = page_of(report([]))

    assert "The session has not ended, or was killed a moment ago." in page
    assert "Not compared with the ledger: the session has not been closed yet." in page


def test_a_halt_is_told_from_when_it_stands_to_who_let_it_go() -> None:
    told = HaltTold(
        code="feed_silent",
        cause_class="limit",
        state="CLOSE_ONLY",
        since=timestamp(AT + MINUTE),
        detail="no price for 17 s | at most 15 s",
    )

    assert halts_in((), [LATCHED]) == (told,)
    assert halts_in((), [LATCHED, LATCHED, CLEARED]) == (
        msgspec.structs.replace(told, cleared_at=CLEARED["ts"], cleared_by="prices are back"),
    )
    (carried,) = halts_in((SILENT,), [LATCHED])
    assert carried == msgspec.structs.replace(told, carried=True)


def test_a_halt_that_came_back_is_two_halts() -> None:
    again = {**LATCHED, "ts": timestamp(AT + 9 * MINUTE)}

    assert [halt.cleared_at for halt in halts_in((), [LATCHED, CLEARED, again])] == [
        CLEARED["ts"],
        None,
    ]


def test_what_stood_before_anybody_could_tell_is_a_halt_too() -> None:
    named: Line = {
        "ts": timestamp(AT),
        "seq": 2,
        "event": "trading_state",
        "state": "HALTED",
        "causes": ["start", "unclean_end", "feed_silent"],
    }

    told = {halt.code: halt for halt in halts_in((SILENT,), [named, named])}

    assert list(told) == ["feed_silent", "unclean_end"]
    assert told["unclean_end"].detail == "it stood when the session began"
    assert "**Trading was never open.**" in page_of(report([named]))
    assert "never open" not in page_of(report([named | {"state": "ACTIVE", "causes": []}]))


def test_starting_and_stopping_are_no_halts_on_the_page() -> None:
    start = msgspec.structs.replace(SILENT, code="start")
    line = {**LATCHED, "cause": msgspec.to_builtins(start)}

    assert report([line]).halts == ()
    assert len(report([LATCHED]).halts) == 1


def test_troubles_are_counted_by_kind_with_the_first_in_words() -> None:
    lost: Line = {
        "ts": timestamp(AT),
        "seq": 3,
        "event": "stream_lost",
        "source": "/hydra/core/data_feed",
        "stream": "prices",
        "reason": "silent",
    }
    later = {**lost, "ts": timestamp(AT + MINUTE), "reason": "closed"}

    assert troubles_in([lost, later]) == (
        Trouble(
            area="feed",
            event="stream_lost",
            count=2,
            first_at=timestamp(AT),
            last_at=timestamp(AT + MINUTE),
            first="/hydra/core/data_feed: stream: prices; reason: silent",
        ),
    )


def test_how_every_session_begins_is_no_trouble_and_the_same_later_is() -> None:
    lost: Line = {"ts": timestamp(AT), "seq": 1, "event": "stream_lost", "reason": "not begun"}
    failed: Line = {"ts": timestamp(AT), "seq": 1, "event": "preflight_failed", "failures": ["x"]}
    passed: Line = {"ts": timestamp(AT), "seq": 2, "event": "preflight_passed"}

    assert troubles_in([lost, failed, passed]) == ()
    assert [each.event for each in troubles_in([lost, passed, lost])] == ["stream_lost"]
    assert [each.count for each in troubles_in([failed, passed, failed])] == [1]
    assert [each.count for each in troubles_in([failed])] == [1]


@pytest.mark.parametrize(
    "line",
    [
        {"event": "reconciled", "is_clean": True},
        {"event": "symbol_reported", "why": None},
        {"event": "trading_status", "trades": True},
    ],
)
def test_good_news_is_no_trouble(line: Line) -> None:
    assert troubles_in([{"ts": timestamp(AT), "seq": 1, **line}]) == ()


def test_long_words_are_cut() -> None:
    assert len(words_of({"event": "fail_closed", "reason": "x" * 500})) == 200


def test_every_kind_that_is_named_is_one_of_the_journals() -> None:
    assert set(TROUBLES) | OF_NO_INTEREST <= set(KINDS_BY_NAME)
    assert not set(TROUBLES) & OF_NO_INTEREST


def test_of_very_many_trades_the_newest_are_on_the_page() -> None:
    trade = Trade(
        bot="fast",
        symbol="AAPL",
        side="sell",
        quantity=Decimal(1),
        entry_price=Decimal("0.5432"),
        exit_price=Decimal(2),
        opened_at=AT,
        closed_at=AT,
        entry_reason="",
        exit_reason="",
        realised=Decimal(-1),
    )
    many = msgspec.structs.replace(report([]), trades=(trade,) * (TRADES_SHOWN + 5))

    page = page_of(many)

    assert page.count("| fast | AAPL | short |") == TRADES_SHOWN
    assert "The 5 before them are in `trades.csv`." in page
    assert "| 0.5432 | 2.00 |" in page
