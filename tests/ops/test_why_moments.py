"""`hydra-trader why BOT SYMBOL TIME`: what was wanted, how it was judged, or why nothing was."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from hydra.actor import MINUTE, SECOND, Ref
from hydra.ops.exit_codes import ExitCode
from hydra.ops.why.times import Asked, BadMoment, asked_in, when
from hydra.runtime.system import Suspend
from hydra.settings.bot_parts import ProtectiveOrder
from hydra.store.engine_lock import EngineLock
from hydra.trading.causes import OPERATOR_CLOSE_ONLY, OPERATOR_HALT, STALE_SYMBOL
from messages.control import Halt
from supervisors import paths
from tests.engine.harness import (
    OPEN_AT,
    Life,
    World,
    bars_of,
    market_of,
    rising,
)
from tests.engine.scenery import protected_by
from tests.ops.sessions import typed
from tests.ops.why_worlds import (
    PACIFIC,
    Asking,
    explained,
    journal_in,
    on_disk,
    page,
    records_in,
    rewritten,
    shared_session,
    world_ledger,
)

NEWEST = OPEN_AT + 60 * MINUTE
"""2016-04-15 14:30 UTC."""
RISE = market_of(bars_of([100.0] * 10 + rising(30)))
"""mom_AAPL wants to buy on the bar that closes 15 minutes after the opening bell."""
BOT: Ref[Any] = Ref(f"{paths.BOTS.path}/mom_AAPL")
ASK = ("mom_AAPL", "AAPL")


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shared_session(tmp_path_factory)


@pytest.fixture
def folder(session: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(session, tmp_path / "session"))


@pytest.fixture
def run(folder: Path) -> Asking:
    return Asking(folder)


def lived(tmp_path: Path, **happening: Any) -> Life:
    """The rise, played with its bots; `at_NN` happens NN minutes after the opening bell.

    No stops rest, so that the entry is the only wish of its minute.
    """
    settings = protected_by(ProtectiveOrder.ENGINE)
    life = World(RISE, ledger_path=world_ledger(tmp_path), settings=settings).begin()
    for name, does in sorted(happening.items()):
        life.run_to(OPEN_AT + int(name.removeprefix("at_")) * MINUTE)
        does(life)
        life.runtime.settle()
    life.run_out()
    return life


# --- What is meant by a time


@pytest.mark.parametrize(
    ("text", "begins_at", "length"),
    [
        ("last", NEWEST, 1),
        ("13:45", OPEN_AT + 15 * MINUTE, MINUTE),
        ("13:45:30", OPEN_AT + 15 * MINUTE + 30 * SECOND, SECOND),
        ("9:05", OPEN_AT - 265 * MINUTE, MINUTE),
        ("2016-04-15T13:45", OPEN_AT + 15 * MINUTE, MINUTE),
        ("2016-04-15 13:45", OPEN_AT + 15 * MINUTE, MINUTE),
        ("2016-04-15T13:45:00", OPEN_AT + 15 * MINUTE, SECOND),
        ("2016-04-15T13:45:00Z", OPEN_AT + 15 * MINUTE, SECOND),
        ("2016-04-15T06:45-07:00", OPEN_AT + 15 * MINUTE, MINUTE),
        ("2016-04-15T13:45:00.250Z", OPEN_AT + 15 * MINUTE + SECOND // 4, 1_000),
    ],
)
def test_a_time_is_the_whole_minute_or_second_that_was_written_in_utc(
    text: str, begins_at: int, length: int
) -> None:
    assert asked_in(text, NEWEST) == Asked(begins_at, begins_at + length - 1)


@pytest.mark.parametrize("text", ["", "noon", "25:00", "13:61", "2016-04-15", "2016-13-01T00:00"])
def test_what_is_no_time_is_refused_with_examples(text: str) -> None:
    with pytest.raises(BadMoment, match=r"wanted a UTC time such as 2016-04-15T14:32 or 14:32"):
        asked_in(text, NEWEST)


def test_a_time_is_told_in_utc_and_locally_with_the_date_where_that_is_another_one() -> None:
    at, early = when(OPEN_AT + 1_500_000, PACIFIC), when(OPEN_AT - 12 * 60 * MINUTE, PACIFIC)

    assert at.words == "2016-04-15T13:30:00.001Z (06:30:00.001 PDT)"
    assert early.words == "2016-04-15T01:30:00Z (2016-04-14 18:30:00 PDT)"
    assert when(2**62 * 100, PACIFIC).words == f"{2**62 * 100} ns"


# --- Something was wanted


def test_a_denied_wish_is_explained_with_every_check_and_its_numbers_i90(session: Path) -> None:
    run = Asking(session)
    denied = records_in(session, "order_denied")[0]
    decision = denied["intent"]["decision"]

    told = explained(run, decision["bot"], decision["symbol"], denied["ts"][:16])

    judged = told["judged"]
    assert (told["outcome"], judged["verdict"]) == ("denied", "denied")
    assert (judged["check"], judged["reason"]) == (denied["check"], denied["reason"])
    refused = [each for each in judged["checks"] if each["verdict"] == "refused"]
    assert refused == [
        {
            "check": "entries_today_are_within_limit",
            "verdict": "refused",
            "numbers": [
                {"name": "entries today", "value": 3, "unit": ""},
                {"name": "fewer than", "value": 3, "unit": ""},
            ],
            "reason": "3 entries today, at most 3 allowed",
        }
    ]
    assert told["standing"]["state"] == "ACTIVE" and told["standing"]["causes"] == []
    assert told["engine"]["is_running"] and told["bot"]["is_up"]
    assert told["order"] is None
    lines = page(run, decision["bot"], decision["symbol"], denied["ts"][:16])
    assert "DENIED, entries today are within limit: 3 entries today, at most 3 allowed" in lines[1]
    assert any(line.endswith(" checks, in the order of asking; 1 said no:") for line in lines)


def test_an_approved_wish_is_the_story_of_its_order_i28_i90(session: Path) -> None:
    run = Asking(session)
    approved = records_in(session, "order_approved")[0]
    decision = approved["intent"]["decision"]

    told = explained(run, decision["bot"], decision["symbol"], approved["ts"][:16])

    order = explained(run, approved["client_order_id"])
    assert told["order"] == order["order"] and told["judged"] == order["judged"]
    assert told["headline"] == order["headline"]
    assert told["standing"]["state"] == "ACTIVE"


def test_a_wish_up_to_a_minute_ago_is_meant_and_an_older_one_is_named_i90(tmp_path: Path) -> None:
    run = on_disk(tmp_path, lived(tmp_path))

    outcomes = {at: explained(run, *ASK, f"13:{at}")["outcome"] for at in ("44", "45", "46", "47")}

    assert outcomes == {"44": "nothing", "45": "order", "46": "order", "47": "nothing"}
    before = explained(run, *ASK, "13:47")["before"]
    assert before["text"] == "mom_AAPL: buy 9 AAPL (entry)"
    assert before["ask"] == "hydra-trader why mom_AAPL AAPL 2016-04-15T13:45:00Z"


def test_a_wish_after_which_nothing_was_said_is_meant_however_old_it_is_i90(
    tmp_path: Path,
) -> None:
    run = on_disk(tmp_path, lived(tmp_path))
    (wish, *_) = records_in(tmp_path, "order_intended")
    rewritten(
        tmp_path,
        lambda r: None if r["event"] == "nothing_decided" and r["seq"] > wish["seq"] else r,
    )

    assert explained(run, *ASK, "13:59")["wanted"]["line"] == wish["seq"]


def test_a_wish_that_was_never_judged_says_so_i90(tmp_path: Path) -> None:
    life = lived(tmp_path)
    judgements = ("order_approved", "intent_stored", "report_stored", "nothing_decided")
    run = on_disk(tmp_path, life)
    rewritten(tmp_path, lambda r: None if r["event"] in judgements else r)

    told = explained(run, *ASK, "13:45")

    assert told["outcome"] == "not judged"
    assert told["headline"] == "mom_AAPL: buy 9 AAPL (entry): asked for, and never judged"
    assert told["wanted"]["reason"] == "placeholder_momentum_v1"
    assert told["notes"][0].startswith("no judgement follows it: ")


def test_a_judgement_that_was_too_long_to_be_written_is_told_without_its_numbers(
    tmp_path: Path,
) -> None:
    run = on_disk(tmp_path, lived(tmp_path))

    def cut(record: dict[str, Any]) -> dict[str, Any]:
        if record["event"] == "order_approved":
            record["oversize_bytes"] = len(record.pop("situation"))
        return record

    rewritten(tmp_path, cut)
    told = explained(run, *ASK, "13:45")

    assert told["judged"]["verdict"] == "approved"
    assert told["judged"]["checks"] == []
    assert told["judged"]["fault"].endswith("has no situation: it was too long to be written")


# --- Nothing was wanted, and why


def test_that_a_bot_wanted_nothing_is_told_with_its_reason_and_since_when_i90(
    tmp_path: Path,
) -> None:
    run = on_disk(tmp_path, lived(tmp_path))

    told = explained(run, *ASK, "13:42")

    assert told["outcome"] == "nothing"
    assert told["nothing"]["reason"] == "the strategy gives no signal"
    assert told["nothing"]["since"]["utc"] == "2016-04-15T13:35:00Z"
    assert told["headline"] == "mom_AAPL wanted nothing in AAPL: the strategy gives no signal"
    assert told["before"] is None


def test_a_halt_is_told_with_its_cause_since_when_and_how_it_ends_i10_i90(tmp_path: Path) -> None:
    since = OPEN_AT + 12 * MINUTE

    def halt(life: Life) -> None:
        life.halt(OPERATOR_HALT.cause(since=since, detail="looks odd"))
        symbol = STALE_SYMBOL.cause(subject="MSFT", since=since, detail="no price")
        life.tell(paths.RISK_GUARDIAN, Halt(cause=symbol))

    run = on_disk(tmp_path, lived(tmp_path, at_12=halt))

    told = explained(run, *ASK, "13:44")
    standing = told["standing"]
    assert standing["state"] == "HALTED"
    assert standing["since"]["utc"] == "2016-04-15T13:42:00Z"
    assert standing["causes"] == [
        {
            "code": "operator-halt",
            "state": "HALTED",
            "cause_class": "integrity",
            "since": {
                "utc": "2016-04-15T13:42:00Z",
                "local": "2016-04-15 06:42:00 PDT",
                "ns": since,
            },
            "detail": "looks odd",
            "concerns": "all orders",
            "ends": OPERATOR_HALT.remedy,
        },
        {**standing["causes"][1], "code": "stale_feed:MSFT", "concerns": "orders in MSFT"},
    ]
    denied = explained(run, *ASK, "13:45")
    assert denied["outcome"] == "denied"
    assert denied["judged"]["reason"] == "trading is halted (operator-halt)"
    assert explained(run, *ASK, "13:41")["standing"]["state"] == "ACTIVE"


def test_a_bot_that_was_down_wanted_nothing_i69_i90(tmp_path: Path) -> None:
    life = World(RISE, ledger_path=world_ledger(tmp_path)).begin()
    life.run_to(OPEN_AT + 11 * MINUTE)
    for _ in range(6):
        life.tell(BOT, Halt(cause=OPERATOR_HALT.cause(since=life.now, detail="no message for it")))
        life.advance(2 * SECOND)
    life.run_out()
    run = on_disk(tmp_path, life)

    assert explained(run, *ASK, "13:40")["bot"]["is_up"]
    told = explained(run, *ASK, "13:45")
    assert (told["outcome"], told["bot"]["is_up"]) == ("nothing", False)
    assert "it was quarantined since 2016-04-15T13:41:" in told["headline"]
    assert "until a person starts it" in told["headline"]


def test_a_bot_that_was_held_back_wanted_nothing_i90(tmp_path: Path) -> None:
    def suspend(life: Life) -> None:
        life.runtime.cells[BOT.path].tell_system(Suspend())

    run = on_disk(tmp_path, lived(tmp_path, at_12=suspend))

    told = explained(run, *ASK, "13:45")

    assert told["outcome"] == "nothing"
    assert "it was held back since 2016-04-15T13:4" in told["headline"]


def test_a_bot_to_which_no_bar_came_says_so_i43_i90(tmp_path: Path) -> None:
    world = World(RISE, ledger_path=world_ledger(tmp_path))
    first = world.begin()
    first.run_out()
    first.die()
    second = world.begin()  # the market has nothing more to say
    second.advance(MINUTE)
    run = on_disk(tmp_path, first, second)
    (*_, up) = [r for r in records_in(tmp_path, "actor_started") if r["source"] == BOT.path]

    told = explained(run, *ASK, up["ts"][:19])

    assert (told["outcome"], told["nothing"]["since"]) == ("nothing", None)
    assert "it had said nothing since it was up: no bar of AAPL had come to it" in told["headline"]


def test_that_the_market_was_over_is_told_i90(tmp_path: Path) -> None:
    run = on_disk(tmp_path, lived(tmp_path))
    (ended,) = records_in(tmp_path, "feed_ended")

    told = explained(run, *ASK, ended["ts"][:19])

    assert told["engine"]["is_running"]
    over = f"the market had nothing more to say in that session since {ended['ts'][:19]}Z"
    assert told["notes"][0].startswith(over)


# --- No engine ran


def test_before_the_first_start_and_after_the_end_no_engine_ran_i90(session: Path) -> None:
    run = Asking(session)
    last = records_in(session, "engine_stopped")[0]
    day = last["ts"][:10]

    early = explained(run, *ASK, f"{day}T01:00")
    late = explained(run, *ASK, f"{day}T23:30")

    assert (early["outcome"], late["outcome"]) == ("not running", "not running")
    assert "no engine had run yet" in early["headline"]
    assert f"it had stopped at {last['ts'][:19]}" in late["headline"]
    assert early["bot"] is None and late["bot"] is None
    assert late["before"] is not None


def test_between_a_crash_and_the_next_start_no_engine_ran_whatever_time_that_one_says_i90(
    tmp_path: Path,
) -> None:
    """A start may be written down with the time at which the market began."""
    world = World(RISE, ledger_path=world_ledger(tmp_path))
    first = world.begin()
    first.run_to(OPEN_AT + 12 * MINUTE)
    first.die()
    world.pass_by(OPEN_AT + 20 * MINUTE)
    second = world.begin()
    second.run_out()
    run = on_disk(tmp_path, first, second)
    begins_at = records_in(tmp_path, "engine_started")[0]["ts"]

    def as_it_may_be(record: dict[str, Any]) -> dict[str, Any]:
        return {**record, "ts": begins_at} if record["event"] == "engine_started" else record

    rewritten(tmp_path, as_it_may_be)

    assert explained(run, *ASK, "13:34")["outcome"] == "nothing"
    gone = explained(run, *ASK, "13:46")
    assert gone["outcome"] == "not running"
    assert "ended at or after 2016-04-15T13:3" in gone["headline"]
    assert "and did not say that it stopped" in gone["headline"]
    assert explained(run, *ASK, "13:55")["engine"]["is_running"]


def test_an_engine_that_still_runs_may_just_have_nothing_to_say_i90(tmp_path: Path) -> None:
    life = lived(tmp_path)
    run = on_disk(tmp_path, life)
    lock = EngineLock(tmp_path / "state" / "engine.lock")
    try:
        told = explained(run, *ASK, "23:00")
    finally:
        lock.release()

    assert told["outcome"] == "nothing"
    assert "it still runs: " in told["engine"]["text"]
    assert explained(run, *ASK, "23:00")["outcome"] == "not running"


# --- The newest word, and who is unknown


def test_the_last_word_comes_with_how_things_stand_now_i90(session: Path) -> None:
    told = explained(Asking(session), *ASK, "last")

    assert told["nothing"]["reason"] == "the session is over, or soon will be"
    assert told["standing"]["state"] == "ACTIVE"
    assert told["standing_now"]["state"] == "HALTED"
    assert [cause["code"] for cause in told["standing_now"]["causes"]] == ["stopping"]


def test_close_only_is_told_as_what_still_passes_i70(tmp_path: Path) -> None:
    def close_only(life: Life) -> None:
        life.halt(OPERATOR_CLOSE_ONLY.cause(since=life.now, detail="a drill"))

    run = on_disk(tmp_path, lived(tmp_path, at_12=close_only))

    text = "\n".join(page(run, *ASK, "13:45"))

    assert "DENIED, trading is open: only orders that reduce a position may pass" in text
    assert "  trading  CLOSE_ONLY: only orders that reduce a position may pass, since" in text
    assert "  because  operator-close-only (CLOSE_ONLY, all orders, since" in text
    assert f"           how it ends: {OPERATOR_CLOSE_ONLY.remedy}" in text


@pytest.mark.parametrize("words", [("mom_X", "AAPL", "last"), ("mom_AAPL", "TSLA", "10:00")])
def test_a_bot_that_never_said_anything_is_unknown_and_the_others_are_named(
    run: Asking, words: tuple[str, str, str]
) -> None:
    code, out, err = run("why", *words)

    assert (code, out) == (ExitCode.USAGE, "")
    assert err == (
        f"{words[0]} {words[1]}: no such bot has said anything in the journal; there is"
        " mom_AAPL AAPL, mom_AAPL_cross AAPL\n"
    )


def test_a_time_that_is_none_gets_one_clear_line(run: Asking) -> None:
    code, out, err = run("why", *ASK, "noon")

    assert (code, out) == (ExitCode.USAGE, "")
    assert err.startswith("found noon, wanted a UTC time") and err.count("\n") == 1


def test_without_a_journal_there_is_nothing_to_say_of_a_moment(folder: Path, run: Asking) -> None:
    journal_in(folder).unlink()

    code, out, err = run("why", *ASK, "last")

    assert (code, out) == (ExitCode.DURABILITY_REFUSED, "")
    said = f"{journal_in(folder)}: there is no journal; `hydra-trader verify` says more\n"
    assert err == typed(folder, said)
