"""`hydra-trader why --last-denial`: what a person asks first after a halt."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from hydra.actor import MINUTE
from hydra.ops.exit_codes import ExitCode
from hydra.trading.causes import DAILY_LOSS, OPERATOR_HALT, UNCLEAN_END
from hydra.trading.trading_state import CauseClass
from tests.engine.harness import (
    OPEN_AT,
    World,
    bars_of,
    begun,
    market_of,
    quiet,
)
from tests.ops.sessions import ledger_in, typed
from tests.ops.why_worlds import (
    Asking,
    explained,
    on_disk,
    page,
    records_in,
    rewritten,
    world_ledger,
)

FALL = market_of(bars_of([100.0] * 10 + [89.0] * 20))


@pytest.fixture
def halted(tmp_path: Path) -> Asking:
    """A session in which the daily loss limit is hit, and bots would like to go on."""
    life = begun(World(FALL, ledger_path=world_ledger(tmp_path)))
    life.enter(100)
    for _ in range(3):
        life.run_for(5 * MINUTE)
        life.enter(reference="89")
    return on_disk(tmp_path, life)


def test_the_newest_denial_after_the_daily_loss_limit_says_what_happened_and_how_it_ends_i37_i90(
    halted: Asking, tmp_path: Path
) -> None:
    told = explained(halted, "--last-denial")

    newest = records_in(tmp_path, "order_denied")[-1]
    assert told["outcome"] == "denied"
    assert told["judged"]["line"] == newest["seq"]
    closing = "only orders that reduce a position may pass (daily_loss)"
    assert told["judged"]["reason"] == closing
    for standing in (told["standing"], told["standing_now"]):
        (cause,) = standing["causes"]
        assert (cause["code"], cause["ends"]) == ("daily_loss", DAILY_LOSS.remedy)
        assert "USD" in cause["detail"] and cause["since"]["ns"] > OPEN_AT
    (loss,) = [e for e in told["judged"]["checks"] if e["check"] == "daily_loss_is_within_limit"]
    names = [number["name"] for number in loss["numbers"]]
    assert names[:2] == ["loss today", "at most"] and loss["verdict"] == "refused"
    text = "\n".join(page(halted, "--last-denial"))
    assert f"how it ends: {DAILY_LOSS.remedy}" in text
    assert "HOW THINGS STAND at the end of the journal" in text


def test_the_first_denial_of_a_row_is_named_and_can_be_asked_about_i90(
    halted: Asking, tmp_path: Path
) -> None:
    denials = records_in(tmp_path, "order_denied")

    told = explained(halted, "--last-denial", "mom_AAPL")

    in_a_row = told["in_a_row"]
    assert (in_a_row["denials"], len(denials)) == (3, 3)
    first_at = denials[0]["ts"][:19] + "Z"
    assert in_a_row["first_at"]["utc"] == first_at
    assert in_a_row["ask"] == f"hydra-trader why mom_AAPL AAPL {first_at}"
    typed_there = typed(halted.folder, in_a_row["ask"])
    assert f"the first one: {typed_there}" in page(halted, "--last-denial")


def life_of_denials(tmp_path: Path) -> tuple[Any, list[str]]:
    life = begun(World(quiet(), ledger_path=world_ledger(tmp_path)))
    life.enter(bot="mom_AAPL", quantity=1_000_000)
    life.run_for(MINUTE)
    life.enter(bot="mom_AAPL_cross", quantity=2_000_000)
    life.run_for(MINUTE)
    life.enter(bot="mom_AAPL")
    life.run_for(2 * MINUTE)
    life.enter(bot="mom_AAPL", quantity=3_000_000)
    return life, ["mom_AAPL", "mom_AAPL_cross"]


def test_the_denials_of_one_bot_are_its_own_and_an_approval_ends_the_row_i90(
    tmp_path: Path,
) -> None:
    life, (one, other) = life_of_denials(tmp_path)
    run = on_disk(tmp_path, life)

    of_all, of_one, of_other = (
        explained(run, "--last-denial", *words) for words in ((), (one,), (other,))
    )

    assert of_all["judged"] == of_one["judged"]
    quantities = [Decimal(told["wanted"]["quantity"]) for told in (of_one, of_other)]
    assert quantities == [3_000_000, 2_000_000]
    assert of_one["in_a_row"] is None and of_other["in_a_row"] is None
    assert of_one["wanted"]["asked_at"] is None, "nobody wrote down the wish"


def test_the_wish_of_a_denial_is_the_one_before_it_also_if_it_comes_again_i90(
    tmp_path: Path,
) -> None:
    life, _ = life_of_denials(tmp_path)
    life.halt(OPERATOR_HALT.cause(since=life.now, detail="a drill"))
    run = on_disk(tmp_path, life)
    denied = records_in(tmp_path, "order_denied")[-1]

    def wished(record: dict[str, Any]) -> dict[str, Any]:
        """Once long before, and once after it."""
        if record["event"] in ("preflight_passed", "halt_latched"):
            place = {key: record[key] for key in ("ts", "seq", "crc")}
            wish = {
                "event": "order_intended",
                "intent": denied["intent"],
                "source": "/hydra/bots/b",
            }
            return {**wish, **place}
        return record

    rewritten(tmp_path, wished)
    wishes = [record["seq"] for record in records_in(tmp_path, "order_intended")]
    assert wishes[0] < denied["seq"] < wishes[-1]

    assert explained(run, "--last-denial")["wanted"]["line"] == wishes[0]


def test_that_nothing_was_denied_is_said(tmp_path: Path) -> None:
    life = begun(World(quiet(), ledger_path=world_ledger(tmp_path)))
    run = on_disk(tmp_path, life)

    assert run("why", "--last-denial")[0] == ExitCode.USAGE
    code, out, err = run("why", "--last-denial", "mom_AAPL")
    assert (code, out) == (ExitCode.USAGE, "")
    assert err == "no denial of mom_AAPL is in what there is of the journal\n"


def test_a_halt_of_which_only_the_ledger_knows_is_told_from_there_i02_i90(tmp_path: Path) -> None:
    """As one that was carried over from an account that ended."""
    life = begun(World(quiet(), ledger_path=world_ledger(tmp_path)))
    life.halt(OPERATOR_HALT.cause(since=OPEN_AT - MINUTE, detail="in another account"))
    life.enter()
    life.die()
    run = on_disk(tmp_path, life)
    rewritten(tmp_path, lambda r: None if r["event"] == "halt_latched" else r)

    (cause,) = explained(run, "--last-denial")["standing"]["causes"]

    assert (cause["code"], cause["detail"]) == ("operator-halt", "in another account")
    assert cause["since"]["ns"] == OPEN_AT - MINUTE
    ledger_in(tmp_path).write_bytes(b"no database " * 500)
    code, out, _ = run("why", "--last-denial")
    assert code == ExitCode.DURABILITY_REFUSED
    assert "  because  operator-halt (HALTED, all orders)" in out.splitlines()


def test_an_unclean_end_that_is_on_record_is_told_from_there_after_another_start_i03_i90(
    tmp_path: Path,
) -> None:
    """As on live, until the operator has looked."""
    life = begun(World(quiet(), ledger_path=world_ledger(tmp_path)))
    unclean = UNCLEAN_END.cause(since=OPEN_AT - MINUTE, detail="trading was open")
    life.halt(structs.replace(unclean, cause_class=CauseClass.INTEGRITY))
    life.enter()
    life.die()
    run = on_disk(tmp_path, life)
    rewritten(
        tmp_path, lambda r: {**r, "event": "engine_started"} if r["event"] == "halt_latched" else r
    )

    (cause,) = explained(run, "--last-denial")["standing"]["causes"]

    assert (cause["code"], cause["detail"]) == ("unclean_end", "trading was open")
    assert cause["since"]["ns"] == OPEN_AT - MINUTE


def test_what_stood_just_before_a_denial_counts_and_not_what_came_with_the_same_time_i90(
    tmp_path: Path,
) -> None:
    life = begun(World(quiet(), ledger_path=world_ledger(tmp_path)))
    life.enter(quantity=1_000_000)
    life.halt(OPERATOR_HALT.cause(since=life.now, detail="at once"))
    run = on_disk(tmp_path, life)

    told = explained(run, "--last-denial")

    assert told["standing"]["state"] == "ACTIVE"
    assert told["standing_now"]["state"] == "HALTED"
