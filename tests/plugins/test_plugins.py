"""What another distribution brings: found by name, shown with its origin, never half a thing."""

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from hydra.actor import MINUTE
from hydra.ops.why.judgements import Judgement
from hydra.plugins import (
    Origin,
    PluginBroken,
    at_rest,
    bot_kind,
    fault_in_plugin,
    fault_in_signal,
    plugins_in_use,
    risk_check,
    strategy_factory,
)
from hydra.settings import Settings, SettingsRefused, load_settings
from hydra.settings.changes import changes_between, reload_verdict
from hydra.settings.strategy_mode import in_mode
from hydra.terms import guardian_terms, plans_of, traded_symbols
from hydra.testkit.builders import intent
from hydra.testkit.situations import entry
from hydra.trading.fees import NO_FEES
from hydra.trading.orders import Denial, Role, Side
from hydra.trading.risk_checks import CHECKS, first_denial
from hydra.trading.situation import Situation
from hydra.trading.strategy_modes import StrategyMode
from hydra.trading.trading_state import TradingState
from tests.engine.scenery import quiet
from tests.plugins.brought import bring

HOME = Path(__file__).resolve().parents[2]

GOOD = """
import msgspec
from hydra.actor import Actor
from hydra.plugins import BotKind

class Parameters(msgspec.Struct, frozen=True, kw_only=True):
    dips: int = 1

class Bot(Actor):
    def __init__(self, plan, guardian, feed):
        self.plan = plan

    def receive(self, message, ctx):
        pass

KIND = BotKind(actor=Bot, parameters=Parameters, history_bars=3)

class Quiet:
    warm_up = 1

    def on_bar(self, bar, session):
        return None

def make(parameters):
    return Quiet()

def never(situation):
    return "never"

def always(situation):
    return None

def failing(situation):
    raise KeyError("oops")

def quitting(situation):
    raise SystemExit("I have had enough")

class Speechless(Exception):
    def __str__(self):
        raise ValueError("no words")

    __repr__ = __str__

def speechless(situation):
    raise Speechless

def unspeakable(situation):
    return Speechless()

def odd(situation):
    return True

class Picky(msgspec.Struct, frozen=True):
    dips: int = 0

    def __post_init__(self):
        1 / self.dips

class Backward(Quiet):
    warm_up = -1

NOTHING = 7
BAD_KIND = BotKind(actor=int, parameters=Parameters)
PICKY = BotKind(actor=Bot, parameters=Picky)
LONG_AGO = BotKind(actor=Bot, parameters=Parameters, history_bars="3")

def nothing(parameters):
    return 7

def backward(parameters):
    return Backward()

def raising(parameters):
    raise RuntimeError("two\\nlines")
"""
POINTS = {
    "hydra.bots": {
        "dipper": "good:KIND",
        "no_kind": "good:NOTHING",
        "bad_kind": "good:BAD_KIND",
        "picky": "good:PICKY",
        "long_ago": "good:LONG_AGO",
    },
    "hydra.strategies": {
        "quiet": "good:make",
        "gone": "good:not_there",
        "no_factory": "good:NOTHING",
        "no_strategy": "good:nothing",
        "raising": "good:raising",
        "backward": "good:backward",
        "unimportable": "no_such_module:make",
    },
    "hydra.risk_checks": {
        "never": "good:never",
        "always": "good:always",
        "failing": "good:failing",
        "quitting": "good:quitting",
        "speechless": "good:speechless",
        "unspeakable": "good:unspeakable",
        "odd": "good:odd",
        "no_check": "good:NOTHING",
    },
}


@pytest.fixture
def good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """On the path for this test only; what is cached is by path, so nothing of it stays."""
    folder = tmp_path / "site"
    folder.mkdir()
    bring(folder, "good", GOOD, POINTS, "2.1")
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, "good", raising=False)
    return folder


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return Path(shutil.copytree(HOME / "config", tmp_path / "config"))


PLUGIN_BOT = """
plugin_bots:
  - bot_id: dip
    enabled: true
    kind: dipper
    bucket: momentum
    symbols: [AAPL]
    session: {trade_start: "06:35", trade_end: "12:00", manage_until: "12:50"}
    execution: {default_notional_usd: 500}
    params: {dips: 2}
"""


def with_bot(config: Path, text: str = PLUGIN_BOT) -> None:
    bots = config / "bots.yaml"
    bots.write_text(bots.read_text().replace("\ncryptobot:", f"{text}\ncryptobot:"))


def with_checks(config: Path, names: str) -> None:
    file = config / "settings.yaml"
    text = f"plugins:\n  risk_checks: [{names}]\n\nhealth:"
    file.write_text(file.read_text().replace("health:", text))


def loaded(config: Path) -> Settings:
    return load_settings(config, signal_check=fault_in_signal, plugin_check=fault_in_plugin)


def test_each_is_found_by_its_name(good: Path) -> None:
    assert strategy_factory("quiet")({}).warm_up == 1
    assert bot_kind("dipper").history_bars == 3
    assert risk_check("always").__name__ == "plugin.always"
    assert risk_check("always") is risk_check("always")


@pytest.mark.parametrize(
    ("ask", "name", "words"),
    [
        (bot_kind, "dippr", "found dippr, no such kind of bot; did you mean dipper?"),
        (risk_check, "x", "found x, no such risk check; there are always, failing, never"),
        (
            bot_kind,
            "no_kind",
            "no_kind of good 2.1 (good:NOTHING) is int, wanted a BotKind of an Actor",
        ),
        (bot_kind, "bad_kind", "is BotKind, wanted a BotKind of an Actor"),
        (bot_kind, "long_ago", "has history_bars of '3', wanted a whole number, 0 or more"),
        (strategy_factory, "no_factory", "is int, wanted a factory"),
        (strategy_factory, "gone", "cannot be used: AttributeError"),
        (
            strategy_factory,
            "unimportable",
            "unimportable of good 2.1 (no_such_module:make) cannot be used: ModuleNotFoundError",
        ),
        (risk_check, "no_check", "is int, wanted a function"),
    ],
)
def test_what_cannot_be_used_is_one_line_that_says_whose_it_is(
    good: Path, ask: Callable[[str], object], name: str, words: str
) -> None:
    with pytest.raises(PluginBroken) as broken:
        ask(name)

    assert words in str(broken.value)
    assert "\n" not in str(broken.value)


def test_two_that_bring_the_same_are_both_named_and_neither_is_taken(good: Path) -> None:
    bring(good, "other", GOOD, {"hydra.risk_checks": {"always": "other:always"}})

    with pytest.raises(PluginBroken) as broken:
        risk_check("always")

    assert str(broken.value) == (
        "found always of good 2.1 (good:always) and always of other 1.0 (other:always),"
        " wanted one; uninstall the others"
    )


def test_a_strategy_that_cannot_be_made_is_a_fault_of_the_settings(good: Path) -> None:
    faults = [fault_in_signal(name, {}) for name in ("quiet", "raising", "no_strategy")]

    assert faults[0] is None
    assert faults[1] == (
        "raising of good 2.1 (good:raising) cannot be used: RuntimeError: two lines"
    )
    assert "is int, wanted a strategy" in (faults[2] or "")


def test_a_strategy_that_remembers_less_than_nothing_is_a_fault_of_the_settings(good: Path) -> None:
    assert fault_in_signal("backward", {}) == (
        "backward of good 2.1 (good:backward) has a warm_up of -1, wanted a whole number, 0 or more"
    )


def test_parameters_of_a_bot_that_cannot_be_made_are_a_fault_of_the_settings(good: Path) -> None:
    assert fault_in_plugin("hydra.bots", "picky", {"dips": 1}) is None
    assert fault_in_plugin("hydra.bots", "picky", {}) == (
        "picky of good 2.1 (good:PICKY) cannot be used: ZeroDivisionError: division by zero"
    )


def test_nothing_is_looked_for_unless_something_is_named(
    good: Path, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def looked(**_group: str) -> Any:
        raise AssertionError("somebody looked for entry points")

    monkeypatch.setattr("hydra.plugins.entry_points", looked)

    settings = loaded(config)

    assert plugins_in_use(settings) == ()
    assert "good" not in sys.modules


def test_looking_takes_no_time_that_a_start_would_feel(good: Path) -> None:
    took_ms: list[float] = []
    for number in range(5):  # the best of some: the machine may be busy
        bring(good, f"other{number}", "", {"hydra.bots": {f"b{number}": "x:y"}})
        sys.path.insert(0, f"{good}/{number}")  # another path, so nothing of it is cached
        began = time.perf_counter()
        fault_in_plugin("hydra.bots", "no_such_kind", {})
        took_ms.append((time.perf_counter() - began) * 1000)
        sys.path.pop(0)

    assert min(took_ms) < 60  # about 10 on a quiet machine


def test_a_configuration_names_them_and_says_where_they_come_from(good: Path, config: Path) -> None:
    with_bot(config)
    with_checks(config, "never, always")
    bots = config / "bots.yaml"
    bots.write_text(bots.read_text().replace('"placeholder_momentum_v1"', '"quiet"', 1))

    settings = loaded(config)

    assert [str(each) for each in plugins_in_use(settings)] == [
        "dipper of good 2.1 (good:KIND)",
        "always of good 2.1 (good:always)",
        "never of good 2.1 (good:never)",
        "quiet of good 2.1 (good:make)",
    ]
    assert plugins_in_use(settings)[0] == Origin(
        group="hydra.bots", name="dipper", distribution="good", version="2.1", place="good:KIND"
    )
    assert settings.plugins.risk_checks == ("never", "always")


@pytest.mark.parametrize(
    ("edit", "line"),
    [
        (lambda config: with_checks(config, "nevr"), "plugins.risk_checks[0]: found nevr, no such"),
        (lambda config: with_checks(config, "never, never"), "is in the list twice"),
        (
            lambda config: with_bot(config, PLUGIN_BOT.replace("dips", "dip")),
            "plugin_bots[0]: dipper: no parameter 'dip'; did you mean 'dips'?",
        ),
        (
            lambda config: with_bot(config, PLUGIN_BOT.replace("dipper", "diper")),
            "plugin_bots[0]: found diper, no such kind of bot; did you mean dipper?",
        ),
        (
            lambda config: with_bot(config, PLUGIN_BOT.replace("bot_id: dip", "bot_id: mom_AAPL")),
            "plugin_bots[0].bot_id: 'mom_AAPL' is the name of momentum_bots[0] already",
        ),
        (
            lambda config: with_bot(config, PLUGIN_BOT.replace("bot_id: dip", "bot_id: exit_bot")),
            "plugin_bots[0].bot_id: found 'exit_bot', wanted another name",
        ),
    ],
)
def test_a_wrong_name_or_parameter_refuses_the_configuration_at_its_line_i78(
    good: Path, config: Path, edit: Callable[[Path], None], line: str
) -> None:
    edit(config)

    with pytest.raises(SettingsRefused) as refused:
        loaded(config)

    assert line in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


def test_a_broken_plugin_ends_the_start_with_one_line_and_exit_code_10(
    tmp_path: Path, config: Path
) -> None:
    folder = tmp_path / "broken"
    folder.mkdir()
    bring(
        folder,
        "broken",
        "raise SystemExit('no licence')",
        {"hydra.bots": {"dipper": "broken:KIND"}},
    )
    with_bot(config)
    started = subprocess.run(
        [sys.executable, "-m", "hydra.main", "--config", str(config), "--clock", "virtual"],
        env={"PYTHONPATH": f"{folder}:{HOME}", "PATH": "/usr/bin:/bin"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )

    assert started.returncode == 10
    assert started.stdout == ""
    (line,) = started.stderr.splitlines()
    assert "dipper of broken 1.0 (broken:KIND) cannot be used: SystemExit: no licence" in line
    assert not (tmp_path / "state").exists()


ENTRY = entry()
EXIT = structs.replace(
    ENTRY,
    proposal=structs.replace(ENTRY.proposal, role=Role.EXIT, side=Side.SELL, protective_stop=None),
    book=structs.replace(ENTRY.book, bot_position=Decimal(10), account_position=Decimal(10)),
)


@pytest.mark.parametrize(
    ("name", "denial"),
    [
        ("always", None),
        ("never", Denial("plugin.never", "never")),
        ("failing", Denial("plugin.failing", "it failed: KeyError: 'oops'")),
        ("quitting", Denial("plugin.quitting", "it failed: SystemExit: I have had enough")),
        (
            "speechless",
            Denial("plugin.speechless", "it failed: Speechless (ValueError in its text)"),
        ),
        (
            "unspeakable",
            Denial(
                "plugin.unspeakable", "it answered a Speechless, wanted None or a reason in words"
            ),
        ),
        ("odd", Denial("plugin.odd", "it answered a bool, wanted None or a reason in words")),
    ],
)
def test_a_brought_check_can_deny_an_entry_and_one_that_cannot_say_yes_denies(
    good: Path, name: str, denial: Denial | None
) -> None:
    assert first_denial(ENTRY) is None
    assert first_denial(ENTRY, (risk_check(name),)) == denial


def test_a_brought_check_is_asked_behind_our_own_and_never_about_a_close(good: Path) -> None:
    asked: list[Situation] = []

    def spy(situation: Situation) -> str | None:
        asked.append(situation)
        return "no"

    halted = entry(state=TradingState.HALTED)
    stale = entry(market=entry(at=entry().at - MINUTE).market)
    exits = [first_denial(EXIT, (spy,)), first_denial(EXIT)]

    denials = [first_denial(each, (spy,)) for each in (halted, stale)]

    assert asked == []
    assert exits == [None, None]
    assert [denial is not None and denial.check for denial in denials] == [
        "trading_is_open",
        "price_is_fresh",
    ]
    assert first_denial(ENTRY, (spy,)) == Denial("spy", "no")
    assert asked == [ENTRY]


def test_the_last_look_at_the_kill_switch_stays_the_last(good: Path) -> None:
    order: list[str] = []

    def noting(name: str) -> Callable[[Situation], str | None]:
        def note(_situation: Situation) -> str | None:
            order.append(name)
            return None

        return note

    first_denial(ENTRY, (noting("one"), noting("two")))

    assert order == ["one", "two"]
    assert CHECKS[0] is CHECKS[-1]


def test_the_fine_entry_of_the_test_kit_passes_every_check_of_ours() -> None:
    assert first_denial(entry()) is None
    assert first_denial(entry(symbol="MSFT", quantity="3", price="50.00", stop="49")) is None
    assert first_denial(entry(quantity="51")) is not None
    assert entry().proposal.quantity == Decimal(10)


def test_an_emergency_needs_no_plugin_and_still_knows_what_they_trade(
    good: Path, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_bot(config)
    with_checks(config, "never")
    bots = config / "bots.yaml"
    bots.write_text(bots.read_text().replace('"placeholder_momentum_v1"', '"quiet"', 1))
    settings = loaded(config)
    symbols = traded_symbols(settings)
    market = quiet(10)

    def looked(**_group: str) -> Any:
        raise AssertionError("somebody looked for entry points")

    monkeypatch.setattr("hydra.plugins.entry_points", looked)
    monkeypatch.setattr(sys, "path", [*sys.path, "another place"])  # nothing is cached for it
    rest = at_rest(settings)
    plans = plans_of(rest, market)
    terms = guardian_terms(rest, market, "PA-TEST", plans, NO_FEES)

    assert traded_symbols(rest) == symbols
    assert (plugins_in_use(rest), terms.brought) == ((), ())
    assert "dip" in plans.bots


def test_a_bot_that_came_or_went_is_a_change_that_needs_a_restart_i41(
    good: Path, config: Path
) -> None:
    without = loaded(config)
    with_bot(config)
    with_it = loaded(config)

    came, went = changes_between(without, with_it), changes_between(with_it, without)

    assert [str(each) for each in (*came, *went)] == [
        "plugin_bots[dip]: nothing -> a bot on AAPL (looser)",
        "plugin_bots[dip]: a bot on AAPL -> nothing (other)",
    ]
    assert not reload_verdict(came).is_taken and not reload_verdict(went).is_taken


def test_a_strategy_mode_takes_away_from_them_as_from_our_own(good: Path, config: Path) -> None:
    with_bot(config)
    settings = loaded(config)

    fallback = in_mode(settings, StrategyMode.FALLBACK)

    execution, limits = fallback.plugin_bots[0].execution, fallback.signalbot.limits
    assert execution.default_notional_usd == Decimal(250)
    assert (limits.max_orders_per_day, limits.max_notional_per_day_usd) == (4, Decimal(2500))


def test_an_audit_takes_a_plugins_word_only_where_ours_had_nothing_against_it_i90() -> None:
    denial = Denial("plugin.never", "never")
    unused: Any = None

    def derived(situation: Situation) -> Denial | None:
        return Judgement(
            line=unused,
            intent=intent(),
            situation=situation,
            denial=denial,
            client_order_id=None,
        ).derived()

    halted = derived(entry(state=TradingState.HALTED))

    assert derived(ENTRY) == denial
    assert halted is not None and halted.check == "trading_is_open"
