"""`hydra-trader reconcile` as an operator meets it."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from hydra.actor import SECOND
from hydra.cli import app
from hydra.ops.exit_codes import ExitCode
from messages.reconciliation import DifferenceSettled, SettleDifference
from tests.ops.control.command_line import ME, asks, places, says
from tests.ops.control.engines import ControlledEngine, controlled
from tests.ops.control.lives import begun, lived
from tests.ops.control.test_settling import CASH, FOREIGN, POSITION
from tests.ops.sessions import typed

REASON = ("--reason", "seen at the broker")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[ControlledEngine]:
    with controlled(tmp_path, differences=(POSITION, FOREIGN, CASH)) as engine:
        engine.told.settlement = DifferenceSettled(subject="x", note="it is compared anew")
        yield engine


def test_each_difference_is_shown_with_what_to_type_i29(
    engine: ControlledEngine, tmp_path: Path
) -> None:
    result = says(tmp_path, "reconcile")

    assert (result.exit_code, result.stderr) == (1, "")
    told = (
        "3 differences, as of 1970-01-01T00:00:00.000Z (market time)",
        "",
        "position AAPL: found 10, wanted 0 (the venue's less ours: 10)",
        "  assign it to the bot whose it is, at its price, or exclude it if it is none of ours",
        "  hydra-trader reconcile assign AAPL --bot BOT --price USD --reason …",
        "  hydra-trader reconcile exclude AAPL --reason …",
        "",
        "foreign order v-1: found buy 5 MSFT, wanted no such order",
        "  cancel it at the venue, adopt it for a bot, or exclude it if somebody looks after it",
        "  hydra-trader reconcile adopt v-1 --bot BOT --reason …",
        "  hydra-trader reconcile exclude v-1 --reason …",
        "",
        "cash: found 100, wanted 95 (the venue's less ours: 5)",
        "  find out what it is (a deposit, a fee, interest), then adjust by it",
        "  hydra-trader reconcile adjust-cash 5 --reason …",
    )
    assert result.stdout.splitlines() == [typed(tmp_path, line) for line in told]


def test_for_programs_it_is_json(engine: ControlledEngine, tmp_path: Path) -> None:
    told = asks(tmp_path, "reconcile")

    assert [row["subject"] for row in told["rows"]] == ["AAPL", "v-1", "cash"]


def test_that_nothing_differs_is_said_with_exit_code_0(tmp_path: Path) -> None:
    with controlled(tmp_path):
        result = says(tmp_path, "reconcile")

    assert (result.exit_code, result.stdout) == (
        ExitCode.CLEAN,
        "nothing differs, as of 1970-01-01T00:00:00.000Z (market time)\n",
    )


def test_an_old_comparison_is_not_passed_for_a_new_one_i60(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hydra.ops.control.settling.COMPARED_WITHIN", SECOND // 50)
    with controlled(tmp_path) as engine:
        engine.told.compares = False

        result = says(tmp_path, "reconcile")

    assert result.stdout == (
        "nothing differs, as of 1970-01-01T00:00:00.000Z (market time); no newer comparison came in"
        " time\n"
    )


def test_that_nothing_was_compared_is_not_that_nothing_differs_i60(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hydra.ops.control.settling.COMPARED_WITHIN", SECOND // 50)
    with controlled(tmp_path) as engine:
        engine.told.differences = type(engine.told.differences)(
            at=0, differences=(), checked=False, failure="the venue does not answer"
        )

        result = says(tmp_path, "reconcile")

    assert (result.exit_code, result.stdout) == (
        1,
        "NOT COMPARED, so whether something differs is not known: the venue does not answer\n",
    )


@pytest.mark.parametrize(
    ("words", "recorded"),
    [
        (
            ("assign", "AAPL", "--bot", "mom_AAPL", "--price", "187.30"),
            {
                "kind": POSITION.kind,
                "subject": "AAPL",
                "decision": "assign",
                "bot": "mom_AAPL",
                "price": Decimal("187.30"),
                "amount": Decimal(10),
            },
        ),
        (
            ("exclude", "AAPL"),
            {
                "kind": POSITION.kind,
                "subject": "AAPL",
                "decision": "exclude",
                "amount": Decimal(10),
            },
        ),
        (
            ("adopt", "v-1", "--bot", "mom_AAPL"),
            {"kind": FOREIGN.kind, "subject": "v-1", "decision": "adopt", "bot": "mom_AAPL"},
        ),
        (
            ("adjust-cash", "-5.50"),
            {
                "kind": CASH.kind,
                "subject": "cash",
                "decision": "adjust",
                "amount": Decimal("-5.50"),
            },
        ),
    ],
)
def test_each_decision_is_put_on_record_with_reason_and_name_i29(
    engine: ControlledEngine,
    tmp_path: Path,
    words: tuple[str, ...],
    recorded: dict[str, object],
) -> None:
    result = says(tmp_path, "reconcile", *words, *REASON)

    assert (result.exit_code, result.stderr) == (ExitCode.CLEAN, "")
    assert result.stdout.startswith(f"on record: {recorded['decision']} ")
    assert "\nit is compared anew\n" in result.stdout
    assert engine.told.settled == [
        SettleDifference(
            reason="seen at the broker",
            operator=ME,
            **recorded,  # type: ignore[arg-type]  # a row of the table above
        )
    ]


def test_the_options_may_stand_before_the_verb_too(
    engine: ControlledEngine, tmp_path: Path
) -> None:
    result = says(tmp_path, "reconcile", "--json", "exclude", "AAPL", *REASON)

    assert '"note": "it is compared anew"' in result.stdout


def test_where_it_is_may_be_said_behind_the_verb_too(
    engine: ControlledEngine, tmp_path: Path
) -> None:
    result = run("reconcile", "exclude", "AAPL", *REASON, *places(tmp_path), "--json")

    assert (result.exit_code, len(engine.told.settled)) == (ExitCode.CLEAN, 1)
    assert '"note": "it is compared anew"' in result.stdout


def test_what_the_engine_refuses_is_one_line(engine: ControlledEngine, tmp_path: Path) -> None:
    result = says(tmp_path, "reconcile", "exclude", "TSLA", *REASON)

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "there is no difference named TSLA; there is AAPL, v-1 or cash\n"


@pytest.mark.parametrize(
    "words",
    [
        ("assign", "AAPL", *REASON),
        ("assign", "AAPL", "--bot", "mom_AAPL", "--price", "much", *REASON),
        ("assign", "AAPL", "--bot", "mom_AAPL", "--price", "NaN", *REASON),
        ("exclude", "AAPL"),
        ("exclude", "AAPL", "--reason", "no"),
        ("adopt", *REASON),
        ("adjust-cash", *REASON),
        ("adjust-cash", "much", *REASON),
        ("adjust-cash", "5", "--reasn", "x", *REASON),
        ("sell", "AAPL", *REASON),
    ],
)
def test_a_wrong_usage_has_exit_code_2_and_settles_nothing(
    engine: ControlledEngine, tmp_path: Path, words: tuple[str, ...]
) -> None:
    assert says(tmp_path, "reconcile", *words).exit_code == ExitCode.USAGE
    assert engine.told.settled == []


@pytest.mark.parametrize(
    "words", [("assign", "AAPL", "--price", "187.30"), ("adopt", "v-1")], ids=["assign", "adopt"]
)
def test_a_slip_in_a_bots_name_gives_nothing_away_i29(
    engine: ControlledEngine, tmp_path: Path, words: tuple[str, ...]
) -> None:
    """What a bot holds that nobody knows is sold as soon as trading is open."""
    slip = says(tmp_path, "reconcile", *words, "--bot", "mom_APPL", *REASON)
    settled = list(engine.told.settled)
    meant = says(tmp_path, "reconcile", *words, "--bot", "mom_APPL", "--gone", *REASON)

    assert (slip.exit_code, slip.stdout, settled) == (ExitCode.USAGE, "", [])
    assert slip.stderr.startswith("found --bot mom_APPL, wanted one of crypto_core, ")
    assert "is closed at once" in slip.stderr
    assert meant.exit_code == ExitCode.CLEAN
    assert [each.bot for each in engine.told.settled] == ["mom_APPL"]


@pytest.mark.parametrize("words", [(), ("exclude", "AAPL", *REASON)])
def test_where_no_engine_runs_and_none_ever_traded_it_says_so(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    files = lived(tmp_path)

    result = says(tmp_path, "reconcile", *words)

    assert (result.exit_code, result.stdout) == (ExitCode.USAGE, "")
    assert result.stderr == (
        f"{files.venue_account}: found none, so no engine has traded here; wanted the state of one;"
        " say where it is with --state-dir or --venue\n"
    )


def test_an_engine_that_does_not_answer_is_named_with_what_to_do_i73(tmp_path: Path) -> None:
    record = begun(lived(tmp_path))
    try:
        result = says(tmp_path, "reconcile")
    finally:
        record.close()

    assert (result.exit_code, result.stdout) == (ExitCode.HELD_BY_ANOTHER, "")


def run(*words: str) -> Result:
    return CliRunner().invoke(app, [*words], env={"COLUMNS": "200"}, catch_exceptions=False)
