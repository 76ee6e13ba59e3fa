"""`hydra-trader certify`, as a bot's writer calls it."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hydra.certifying import certify_command
from hydra.certifying.certificate import Certificate, path_in, read, subject_of
from hydra.certifying.playing import Candidate, Trial
from hydra.certifying.rules import QUICK, RULES, Found, Seen
from hydra.certifying.scenarios import KINDS
from hydra.cli import app
from hydra.ops.exit_codes import ExitCode
from tests.certifying.bots import bring_bots

HOME = Path(__file__).resolve().parents[2]
BOT = """plugin_bots:
  - bot_id: {bot}
    enabled: true
    kind: fine
    bucket: momentum
    symbols: [AAPL]
    session: {{trade_start: "06:35", trade_end: "12:00", manage_until: "12:50"}}
    execution: {{default_notional_usd: 1000}}
    params: {{dip_pct: {dip}}}
"""
SLOW = Found(rule=QUICK, scenario=1, what="it took\nmore than 2 s")


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = tmp_path / "site"
    site.mkdir()
    bring_bots(site, monkeypatch)
    shutil.copytree(HOME / "config", tmp_path / "config")
    monkeypatch.chdir(tmp_path)


def configured(*bots: str) -> None:
    path = Path("config/bots.yaml")
    head, *others = bots
    text = "".join((head, *(each.removeprefix("plugin_bots:\n") for each in others)))
    path.write_text(path.read_text().replace("\ncryptobot:", f"\n{text}\ncryptobot:"))


def trial(*found: Found, is_whole: bool = True) -> Trial:
    seen = tuple(
        Seen(number=number, kind=KINDS[number % len(KINDS)], calm=True, restarts=False)
        for number in range(60)
    )
    return Trial(scenarios=seen, found=found, is_whole=is_whole)


def found_to_be(monkeypatch: pytest.MonkeyPatch, what: Trial) -> list[Candidate]:
    """Nothing is played, and this is what came of it; gives who was tried."""
    tried: list[Candidate] = []

    def seen(candidate: Candidate, *_: object) -> Trial:
        tried.append(candidate)
        return what

    monkeypatch.setattr(certify_command, "_tried", seen)
    return tried


def certify(*words: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["certify", "fine", *words])
    return done.exit_code, done.stdout, done.stderr


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_bot_is_played_and_certified_for_its_parameters() -> None:
    configured(BOT.format(bot="dip_AAPL", dip=0.4))

    code, said, _ = certify("--scenarios", "50", "--jobs", "2")

    assert code == ExitCode.CLEAN, said
    assert said.startswith("fine of some_bots 1.0 (some_bots:FINE), code ")
    assert "50 scenarios, 6 of them twice: " in said
    path = path_in(Path("state/certificates"), subject_of("fine", {"dip_pct": 0.4}))
    certificate = read(path)
    assert isinstance(certificate, Certificate)
    assert (certificate.scenarios, certificate.verdict) == (50, "passed")
    assert said.splitlines()[-1].startswith(f"certified: {path}, good for paper until ")


def test_a_broken_rule_is_told_with_its_scenario_and_how_to_see_it_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found_to_be(monkeypatch, trial(SLOW, SLOW))

    code, said, _ = certify("--seed", "7", "--param", "dip_pct=0.4")

    assert code == certify_command.BROKEN
    lines = said.splitlines()
    at = next(number for number, line in enumerate(lines) if "FAILED" in line)
    assert [line.strip() for line in lines[at : at + 3]] == [
        f"FAILED  {QUICK:22}  {RULES[QUICK]}",
        f"scenario 1, {KINDS[1]}: it took more than 2 s (and 1 more)",
        "again with  hydra-trader certify fine --seed 7 --param dip_pct=0.4 --scenario 1",
    ]
    path = path_in(Path("state/certificates"), subject_of("fine", {"dip_pct": 0.4}))
    assert lines[-1] == (f"NOT CERTIFIED: {path} says so; on paper and live the bot enters nothing")
    certificate = read(path)
    assert isinstance(certificate, Certificate)
    assert [each.rule for each in certificate.rules if not each.passed] == [QUICK]


def test_each_set_of_parameters_in_the_configuration_has_its_own_certificate(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bots = (("one", 0.4), ("two", 0.8), ("same", 0.4))
    configured(*(BOT.format(bot=bot, dip=dip) for bot, dip in bots))
    tried = found_to_be(monkeypatch, trial())

    code, said, _ = certify("--json")

    assert code == ExitCode.CLEAN
    assert [dict(each.parameters) for each in tried] == [{"dip_pct": 0.4}, {"dip_pct": 0.8}]
    assert len(list(Path("state/certificates").iterdir())) == 2
    reports = [json.loads(path.read_bytes()) for path in Path("runs/certify").glob("*.json")]
    assert [report["verdict"] for report in reports] == ["passed", "passed"]
    assert sorted(json.loads(said), key=str) == sorted(reports, key=str)


def test_what_was_stopped_leaves_the_certificate_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    found_to_be(monkeypatch, trial())
    certify()
    (path,) = Path("state/certificates").iterdir()
    before = path.read_bytes()
    found_to_be(monkeypatch, trial(SLOW, is_whole=False))

    code, said, _ = certify()

    assert code == certify_command.BROKEN
    assert said.splitlines()[-1] == "stopped before all was played"
    assert path.read_bytes() == before


def test_one_scenario_is_shown_from_its_beginning_and_certifies_nothing() -> None:
    number = KINDS.index("orders rejected")

    code, said, _ = certify("--scenario", str(number), "--seed", "0")

    assert code == ExitCode.CLEAN, said
    assert f"scenario {number}: orders rejected; prices " in said
    assert "the venue: " in said and "wants buy " in said and "report: OrderRejected of " in said
    assert said.splitlines()[-1] == "no rule was broken that one scenario can break"
    assert not Path("state/certificates").exists()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--param", "dip_pct"], ExitCode.USAGE, "--param dip_pct: found no KEY=VALUE;"),
        (["--param", "dip=1"], ExitCode.CONFIGURATION_REFUSED, "fine: "),
        (["--config", "nowhere"], ExitCode.CONFIGURATION_REFUSED, "nowhere"),
    ],
)
def test_what_cannot_be_tried_is_one_line(words: list[str], code: ExitCode, said: str) -> None:
    found, _, line = certify(*words)

    assert (found, line.count("\n")) == (code, 1) or "nowhere" in line
    assert said in line


def test_a_kind_that_nobody_brought_is_one_line() -> None:
    done = CliRunner().invoke(app, ["certify", "fien"])

    assert done.exit_code == ExitCode.CONFIGURATION_REFUSED
    assert done.stderr == "fien: found fien, no such kind of bot; did you mean fine?\n"
