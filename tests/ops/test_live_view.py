"""The live view: what it shows, where it finds it, and that it is in nobody's way."""

import io
import threading
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.ops import live_view_screen
from hydra.ops.live_view import FOOTER, Look, picture
from hydra.ops.live_view_look import Opening, opening_of
from hydra.ops.live_view_screen import LiveScreen, screen_for
from hydra.trading.durations import DAY, HOUR, MINUTE, SECOND
from hydra.trading.sessions import ROUND_THE_CLOCK, ExchangeSession, SessionTable, Window

CAUSE = {"state": "HALTED", "code": "operator-halt", "detail": "a drill", "ends": "resume"}


def told(**changes: Any) -> dict[str, Any]:
    """What `status` tells of an engine that trades and holds something."""
    bots = [
        {"id": "exit_bot", "status": "running", "positions": {}, "budget": None},
        {"id": "mom_AAPL", "status": "running", "positions": {"AAPL": "8"}, "budget": "124.99"},
    ]
    return {
        "venue": "embedded",
        "account": "PA1",
        "dry_run": False,
        "trading_state": "ACTIVE",
        "failed_closed": None,
        "at": "2026-01-05T15:40:53.100Z",
        "session": "2026-01-05",
        "causes": [],
        "configuration": None,
        "cancels_overdue": [],
        "notes": [],
        "bots": bots,
        "coverage_pct": "100",
        "mismatches": [],
        "orders": {"open": 1, "unknown": 0, "today": 3},
        "equity": "99996.41",
        "exposure": "936.10",
        "heat": "8.20",
        "health": {"loop_passed": True, "compared_age_s": 13.2},
        "feed_age_s": 53.6,
        "loops": 4,
        **changes,
    }


LOOK = Look(
    told=told(),
    hours={"mom_AAPL": "until 17:30"},
    words={"mom_AAPL": "AAPL: the strategy gives no signal"},
    protected={"mom_AAPL AAPL": "by an order at the venue"},
    decisions=("15:30:06  mom_AAPL        filled buy 8 AAPL at 116.99",),
    said="bots:   mom_AAPL",
)


def shown(look: Look, width: int = 80, height: int = 17) -> list[str]:
    return [line.text for line in picture(look, width, height)]


def test_the_whole_screen_in_a_small_window() -> None:
    assert shown(LOOK, height=16) == [
        "HYDRA   EMBEDDED VENUE: not real money, not real prices",
        "trading is ACTIVE: orders may pass",
        "market time 2026-01-05 15:40:53, exchange session 2026-01-05; times are UTC",
        "BOT              STATUS         BUDGET  MAY ENTER",
        "exit_bot         running             –",
        "mom_AAPL         running        124.99  until 17:30",
        "HELD, AND WHAT PROTECTS IT   exit coverage 100 %",
        "mom_AAPL                    8 AAPL                by an order at the venue",
        "LAST DECISIONS",
        "15:30:06  mom_AAPL        filled buy 8 AAPL at 116.99",
        "",
        "",
        "equity 99996 USD   exposure 936 USD   at risk 8 USD   orders 1 open, 3 today",
        "newest price 54 s old   loop 4 passed   venue compared 13 s ago",
        "bots: mom_AAPL",
        FOOTER,
    ]


def test_what_is_too_little_for_an_order_is_called_dust() -> None:
    lines = shown(Look(told=told(dust={"mom_AAPL AAPL": "8"})))

    assert "mom_AAPL                    8 AAPL                dust: too little to be sold" in lines


def test_a_wide_window_has_each_bot_s_last_word() -> None:
    assert any("AAPL: the strategy gives no signal" in line for line in shown(LOOK, 120))
    assert not any("AAPL: the strategy gives no signal" in line for line in shown(LOOK, 80))


@pytest.mark.parametrize(
    ("changes", "line", "style"),
    [
        ({"trading_state": "HALTED", "causes": [CAUSE]},
         "  HALTED by operator-halt: a drill", "red"),
        ({"trading_state": "HALTED"}, "trading is HALTED: no order may pass", "bold red"),
        ({"failed_closed": "the disk is full"}, "FAILED CLOSED: the disk is full", "bold red"),
        ({"coverage_pct": None}, "HELD, AND WHAT PROTECTS IT   exit coverage not known",
         "bold red"),
        ({"coverage_pct": "66.66"}, "HELD, AND WHAT PROTECTS IT   exit coverage 66.66 %",
         "bold red"),
        ({"session": None, "dry_run": True},
         "HYDRA   EMBEDDED VENUE: not real money, not real prices   DRY RUN: no order is sent",
         "bold yellow"),
        ({"venue": "live"}, "HYDRA   live, account PA1", "bold yellow"),
    ],
)  # fmt: skip
def test_what_is_not_as_it_should_be_stands_out(
    changes: dict[str, Any], line: str, style: str
) -> None:
    lines = picture(Look(told=told(**changes)), 100, 24)

    assert (line, style) in [(each.text, each.style) for each in lines]


def test_what_is_not_known_is_not_made_up_i10() -> None:
    nobody = [{"id": "mom_AAPL", "status": "running", "positions": None, "budget": None}]
    unknown = told(
        bots=nobody, coverage_pct=None, equity=None, exposure=None, heat=None, feed_age_s=None,
        loops=None, orders={"open": None, "unknown": None, "today": None},
        health={"loop_passed": None, "compared_age_s": None},
    )  # fmt: skip

    lines = shown(Look(told=unknown))

    assert "WHAT IS HELD IS NOT KNOWN   exit coverage not known" in lines
    assert "equity –   exposure –   at risk –   orders – open, – unknown, – today" in lines
    assert "no price yet   loop – not judged   not compared yet" in lines
    assert "NO BOT HAS WANTED TO TRADE YET" in lines


def test_text_from_outside_commands_no_terminal() -> None:
    lines = shown(Look(told=told(), said="\x1b[2Jgone", decisions=("a\x1b]0;b\a",)))

    assert not any("\x1b" in line or "\a" in line for line in lines)


@given(
    width=st.integers(1, 300),
    height=st.integers(1, 100),
    bots=st.integers(0, 60),
    causes=st.integers(0, 6),
    decisions=st.integers(0, 80),
)
def test_it_is_never_wider_or_higher_than_the_window(
    width: int, height: int, bots: int, causes: int, decisions: int
) -> None:
    many = [
        {"id": f"mom_{n}", "status": "running", "positions": {"AAPL": "1"}, "budget": "1"}
        for n in range(bots)
    ]
    look = Look(
        told=told(bots=many, causes=[CAUSE] * causes),
        decisions=[f"decision {n}" for n in range(decisions)],
    )

    lines = shown(look, width, height)

    assert len(lines) <= height
    assert all(len(line) <= width for line in lines)
    if height >= 24 and width >= 80:
        assert lines[1] == "trading is ACTIVE: orders may pass"
        assert lines[-1] == FOOTER
        assert not decisions or f"decision {decisions - 1}" in lines  # the newest


OPENS = 20_000 * DAY + 14 * HOUR + 30 * MINUTE
SESSION = ExchangeSession("2024-10-04", OPENS, OPENS + 6 * HOUR, early_close=False)
EXCHANGE = SessionTable((SESSION,))
MORNING = Window.parse("14:00", "16:00", "UTC")
ALWAYS = Window.parse("00:00", "23:59", "UTC")


@pytest.mark.parametrize(
    ("window", "now", "words"),
    [
        (MORNING, OPENS, "until 16:00"),
        (MORNING, OPENS + HOUR + 17 * SECOND, "until 16:00"),
        (MORNING, OPENS - SECOND, "from 14:30"),
        (MORNING, OPENS - DAY, "from 10-04 14:30"),
        (ALWAYS, OPENS, "until 20:30"),
        (MORNING, OPENS + 5 * HOUR, "no session ahead"),
    ],
)
def test_a_bot_may_enter_where_its_window_and_a_session_meet(
    window: Window, now: int, words: str
) -> None:
    assert opening_of(window, EXCHANGE, now).words(now) == words


def test_coins_trade_round_the_clock() -> None:
    assert opening_of(ALWAYS, ROUND_THE_CLOCK, OPENS) == Opening(True, None)
    assert Opening(True, None).words(OPENS) == "round the clock"


class Terminal(io.StringIO):
    """A terminal, as far as anybody can tell."""

    def isatty(self) -> bool:
        return True


class ClosedTerminal(Terminal):
    """One that was closed: everything that is written to it fails."""

    def write(self, _text: str) -> int:
        raise OSError(5, "Input/output error")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_view_screen, "EVERY_S", 0.01)
    monkeypatch.setattr(live_view_screen, "ENDS_WITHIN_S", 0.2)
    monkeypatch.setenv("TERM", "xterm")


@pytest.mark.usefixtures("quick")
def test_what_is_said_meanwhile_is_said_when_the_view_is_down() -> None:
    terminal, heard, looked = Terminal(), list[str](), threading.Event()
    screen = LiveScreen(terminal)

    def look(said: str) -> Look:
        heard.append(said)
        if said:
            looked.set()
        return LOOK

    screen.write("before\n")
    with screen.showing(look):
        screen.write("mean")
        screen.write("while\n")
        assert looked.wait(5)
        assert "meanwhile\n" not in terminal.getvalue()
    screen.write("after\n")

    said = terminal.getvalue()
    assert heard[-1] == "meanwhile"
    assert said.startswith("before\n") and said.endswith("meanwhile\nafter\n")
    assert "trading is ACTIVE: orders may pass" in said
    left_alternate_screen = said.index("\x1b[?1049l")
    assert said.index("\x1b[?1049h") < left_alternate_screen < said.index("meanwhile\n")


@pytest.mark.usefixtures("quick")
def test_a_closed_terminal_ends_the_view_and_nothing_else() -> None:
    screen = LiveScreen(ClosedTerminal())

    with screen.showing(lambda _said: LOOK):
        pass
    with pytest.raises(OSError, match="Input/output error"):
        screen.write("afterwards, as without a view\n")


@pytest.mark.usefixtures("quick")
def test_a_look_that_hangs_does_not_hold_the_session() -> None:
    terminal, release = Terminal(), threading.Event()
    screen = LiveScreen(terminal)

    def hangs(_said: str) -> Look:
        release.wait(10)
        return LOOK

    with screen.showing(hangs):
        screen.write("meanwhile\n")

    assert "meanwhile\n" in terminal.getvalue()
    release.set()


@pytest.mark.usefixtures("quick")
def test_only_the_newest_lines_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_view_screen, "LINES_KEPT", 2)
    terminal = Terminal()
    screen = LiveScreen(terminal)

    with screen.showing(lambda _said: LOOK):
        screen.write("a\nb\nc\nd\n")

    assert terminal.getvalue().endswith("… 2 earlier lines are in run.log\nc\nd\n")


@pytest.mark.parametrize(
    ("out", "term", "is_shown"),
    [(Terminal(), "xterm", True), (Terminal(), "dumb", False), (io.StringIO(), "xterm", False)],
)
def test_it_is_shown_on_a_terminal_that_can_be_painted_on(
    out: io.StringIO, term: str, is_shown: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", term)

    assert (screen_for(cast("Any", out)) is not None) is is_shown
