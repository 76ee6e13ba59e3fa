"""A bot of another distribution in the whole engine: it gets what ours get, and no way around."""

import sys
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType

import pytest
from msgspec import structs

from hydra.actor import MINUTE, SECOND
from hydra.ops.reload_tree import guardian_terms_in
from hydra.plugins import risk_check
from hydra.settings import Settings
from hydra.settings.outside_sections import PluginBotSettings, PluginSettings
from hydra.settings.strategy_mode import in_mode
from hydra.testkit.builders import approved
from hydra.trading.orders import DecisionKey, OrderType, Role, Side
from hydra.trading.strategy_modes import StrategyMode
from hydra.trading.trading_state import TradingState
from messages.control import Resume
from messages.market import ReportHistory
from messages.orders import CancelIntent, OrderIntent, OrderStored
from supervisors import paths
from tests.engine.harness import Life, World, quiet, settings_with, shipped_settings
from tests.engine.scenery import ENTRY_AT
from tests.plugins.brought import bring

CODE = """
import msgspec
from hydra.actor import Actor, ChildSpec, Ref
from hydra.plugins import BotKind
from messages.message import Message


class Parameters(msgspec.Struct, frozen=True, kw_only=True):
    pass


class Say(Message, frozen=True, kw_only=True):
    to: str
    what: Message
    by_child: bool = False


class Bot(Actor):
    def __init__(self, plan, guardian, feed):
        self.plan = plan

    def receive(self, message, ctx):
        if not isinstance(message, Say):
            return
        if message.by_child:
            args = dict(plan=0, guardian=0, feed=0)
            child = ctx.spawn(ChildSpec(name="child", actor=Bot, args=args))
            ctx.tell(child, Say(to=message.to, what=message.what))
        elif message.to == "the journal":
            ctx.log(message.what)
        else:
            ctx.tell(Ref(message.to), message.what)

    def state_view(self):
        return {"plan": self.plan}


KIND = BotKind(actor=Bot, parameters=Parameters)


def no_msft(situation):
    return "no MSFT" if situation.proposal.symbol == "MSFT" else None


def no_five(situation):
    return "no five" if situation.proposal.quantity == 5 else None
"""
DIP = paths.bot("dip")


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    bring(
        tmp_path,
        "brought_bot",
        CODE,
        {
            "hydra.bots": {"says": "brought_bot:KIND"},
            "hydra.risk_checks": {"no_five": "brought_bot:no_five"},
        },
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "brought_bot", raising=False)
    bot = PluginBotSettings.model_validate(
        {
            "bot_id": "dip",
            "enabled": True,
            "kind": "says",
            "bucket": "momentum",
            "symbols": ("AAPL",),
            "session": {"trade_start": "06:35", "trade_end": "12:00", "manage_until": "12:50"},
            "execution": {"default_notional_usd": Decimal(500)},
            "params": MappingProxyType({}),
        }
    )
    return settings_with({"plugin_bots": (bot,)})


def begun(settings: Settings) -> Life:
    world = World(quiet(60), settings=settings)
    life = world.begin()
    life.run_to(ENTRY_AT)
    return life


def say(life: Life, to: str, what: object, *, by_child: bool = False) -> None:
    message = sys.modules["brought_bot"].Say(to=to, what=what, by_child=by_child)
    life.tell(DIP, message)
    life.advance(0)


def wish(life: Life, bot: str = "dip", *, quantity: int = 4, signal: int = 1) -> OrderIntent:
    return OrderIntent(
        decision=DecisionKey(bot, "AAPL", "2016-04-15", signal, Role.ENTRY),
        side=Side.BUY,
        quantity=Decimal(quantity),
        reason="a test",
        decided_at=life.now,
        reference_price=Decimal(100),
        protective_stop=Decimal("99.5"),
    )


GUARDIAN = paths.RISK_GUARDIAN.path


def test_it_is_started_with_its_plan_and_trades_by_way_of_the_guardian(
    settings: Settings,
) -> None:
    life = begun(settings)

    say(life, GUARDIAN, wish(life))
    life.run_for(2 * MINUTE)

    plan = life.view(DIP)["plan"]
    assert (plan.bot_id, plan.symbols, plan.order_notional_usd) == ("dip", ("AAPL",), Decimal(500))
    assert life.positions == {"dip AAPL": Decimal(4)}


@pytest.mark.parametrize("by_child", [False, True])
def test_it_cannot_decide_in_the_name_of_another_bot(settings: Settings, by_child: bool) -> None:
    life = begun(settings)

    say(life, GUARDIAN, wish(life, "mom_AAPL"), by_child=by_child)
    say(life, GUARDIAN, wish(life, signal=-1))
    life.run_for(MINUTE)

    assert life.denials == ["decision_is_its_own"] * 2
    assert life.world.submitted == []


@pytest.mark.parametrize("session", ["2016-04-14", "2016-04-16"])
def test_an_entry_counts_for_the_day_that_it_is_and_not_for_one_of_its_choice_i36(
    settings: Settings, session: str
) -> None:
    life = begun(settings)
    other = structs.replace(wish(life).decision, session=session)

    say(life, GUARDIAN, structs.replace(wish(life), decision=other))
    life.run_for(MINUTE)

    assert life.denials == ["decision_is_its_own"]
    (denied,) = life.journal.events("order_denied")
    assert f"of {session}, wanted 2016-04-15" in denied["reason"]
    assert life.world.submitted == []


def test_what_the_record_cannot_hold_fails_the_bot_and_not_the_record_i34(
    settings: Settings,
) -> None:
    life = begun(settings)

    say(life, GUARDIAN, structs.replace(wish(life), reason="\ud800"))
    life.run_for(MINUTE)

    assert [line["child"] for line in life.journal.events("child_restarting")] == ["dip"]
    assert (life.causes, life.world.submitted) == ({}, [])


def test_it_cannot_take_out_the_order_of_another_bot(settings: Settings) -> None:
    life = begun(settings)
    name = life.enter(1, bot="mom_AAPL", limit="99.00", signal=500)
    resting = life.status_of(name)
    decision = DecisionKey("mom_AAPL", "AAPL", "2016-04-15", 500, Role.ENTRY)

    say(life, GUARDIAN, CancelIntent(decision=decision, reason="mine"))

    assert (resting, life.status_of(name)) == ("accepted", "accepted")


@pytest.mark.parametrize("is_its_own", [False, True])
def test_it_replaces_its_own_orders_and_not_that_of_another_bot(
    settings: Settings, is_its_own: bool
) -> None:
    life = begun(settings)
    bot = "dip" if is_its_own else "mom_AAPL"
    name = life.enter(1, bot=bot, limit="99.00", signal=500)
    life.run_for(10 * SECOND)
    mine = structs.replace(
        wish(life, quantity=2),
        order_type=OrderType.LIMIT,
        limit_price=Decimal("98.00"),
        protective_stop=Decimal("97.50"),
        replaces=name,
    )

    say(life, GUARDIAN, mine)
    life.run_for(MINUTE)

    assert life.denials == ([] if is_its_own else ["decision_is_its_own"])
    assert life.status_of(name) == ("replaced" if is_its_own else "accepted")


@pytest.mark.parametrize("to", [paths.STATE_PERSISTER, paths.BROKER_GATEWAY])
def test_an_order_that_comes_round_the_guardian_halts_the_engine_and_is_never_sent_i01(
    settings: Settings, to: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actors.foreign_bot._is_within", lambda path, root: True)  # no border
    life = begun(settings)
    forged = approved(wish(life))
    path = getattr(to, "path")  # noqa: B009 (a parameter of two types of refs)
    what = forged if path == paths.STATE_PERSISTER.path else OrderStored(approved=forged)

    say(life, path, what)
    life.advance(MINUTE)

    assert life.state is TradingState.HALTED
    assert life.world.submitted == []


@pytest.mark.parametrize("by_child", [False, True])
def test_what_it_may_not_say_is_never_said_and_fails_it_i01_i69(
    settings: Settings, by_child: bool
) -> None:
    life = begun(settings)
    life.halt_by_operator()
    forged = OrderStored(approved=approved(wish(life)))

    say(life, GUARDIAN, Resume(reason="let me", operator="ada"), by_child=by_child)
    life.advance(10 * SECOND)
    say(life, paths.BROKER_GATEWAY.path, forged, by_child=by_child)
    life.advance(10 * SECOND)

    assert list(life.causes) == ["operator-halt"]
    assert life.report.noted == ()
    assert life.world.submitted == []
    assert life.runtime.cells[DIP.path].incarnation == 3


def test_a_line_of_the_journal_that_is_named_by_no_text_fails_it_and_not_the_journal(
    settings: Settings,
) -> None:
    life = begun(settings)

    say(life, "the journal", "dip.seen")
    said = life.journal.events("dip.seen")
    say(life, "the journal", 7)
    life.run_for(MINUTE)

    assert (len(said), life.causes) == (1, {})
    assert life.runtime.cells[DIP.path].incarnation == 2


@pytest.mark.parametrize("slip", ["who", "role", "tif"])
def test_a_slip_in_what_it_says_fails_it_and_nobody_of_ours_i34_i69(
    settings: Settings, slip: str
) -> None:
    life = begun(settings)
    mine = wish(life)
    slips = {
        "who": ReportHistory(symbol="AAPL", bars=3),
        "role": structs.replace(mine, decision=structs.replace(mine.decision, role="entry")),
        "tif": structs.replace(mine, time_in_force="day"),
    }

    say(life, GUARDIAN, slips[slip])
    life.run_for(MINUTE)

    assert (life.causes, life.world.submitted) == ({}, [])
    cells = life.runtime.cells
    assert (cells[DIP.path].incarnation, cells[GUARDIAN].incarnation) == (2, 1)


@pytest.mark.parametrize(
    ("mode", "quantity", "denials"),
    [
        (StrategyMode.NONE, 5, []),
        (StrategyMode.NONE, 6, ["order_value_is_within_limit"]),
        (StrategyMode.CONSERVATIVE, 1, []),
        (StrategyMode.CONSERVATIVE, 2, ["order_value_is_within_limit"]),
    ],
)
def test_an_entry_of_its_own_is_worth_no_more_than_its_section_and_the_mode_say_i31(
    settings: Settings, mode: StrategyMode, quantity: int, denials: list[str]
) -> None:
    life = begun(settings if mode is StrategyMode.NONE else in_mode(settings, mode))

    say(life, GUARDIAN, wish(life, quantity=quantity))

    assert life.denials == denials


def test_its_entries_of_a_day_are_no_more_than_the_mode_says_of_each_bot_i36_i38(
    settings: Settings, tmp_path: Path
) -> None:
    mode = in_mode(settings, StrategyMode.CONSERVATIVE)  # two a day
    world = World(quiet(60), settings=mode, ledger_path=tmp_path / "ledger.db")

    def enter(life: Life, signal: int) -> None:
        resting = structs.replace(
            wish(life, quantity=1, signal=signal),
            order_type=OrderType.LIMIT,
            limit_price=Decimal("97.00"),
            protective_stop=Decimal("96.50"),
        )
        say(life, GUARDIAN, resting)
        life.run_for(MINUTE)

    life = world.begin()
    life.run_to(ENTRY_AT)
    enter(life, 1)
    life.die()
    life = world.begin()
    life.run_for(MINUTE)
    enter(life, 2)
    enter(life, 3)

    (denied,) = life.journal.events("order_denied")
    assert denied["check"] == "entries_today_are_within_limit"
    assert denied["reason"] == "2 entries of the bot today, at most 2 allowed"
    assert len(world.submitted) == 2


def test_a_brought_check_denies_an_entry_of_any_bot_with_its_name_in_the_journal(
    settings: Settings,
) -> None:
    checked = settings.model_copy(update={"plugins": PluginSettings(risk_checks=("no_five",))})
    life = begun(checked)

    life.enter(5)
    life.enter(4)
    life.run_for(MINUTE)

    assert life.denials == ["plugin.no_five"]
    assert life.journal.events("order_denied")[0]["reason"] == "no five"
    assert [name[-1] for name in life.world.submitted if not name.endswith("-p")] == ["e"]
    assert risk_check("no_five").__name__ == "plugin.no_five"


def test_without_plugins_nothing_of_this_is_there() -> None:
    assert shipped_settings().plugin_bots == ()
    assert shipped_settings().plugins.risk_checks == ()


WITHOUT = {"dip": "found no certificate; run `hydra-trader certify says`"}


def test_without_a_certificate_it_enters_nothing_and_everybody_else_trades_on(
    settings: Settings,
) -> None:
    world = World(quiet(60), settings=settings)
    life = world.begin(uncertified=WITHOUT)
    life.run_to(ENTRY_AT)

    say(life, GUARDIAN, wish(life))
    life.enter(1, bot="mom_AAPL")
    life.run_for(2 * MINUTE)

    assert life.causes == {"bot_uncertified:dip": TradingState.CLOSE_ONLY}
    (denied,) = life.journal.events("order_denied")
    assert denied["check"] == "trading_is_open"
    assert "bot_uncertified:dip" in denied["reason"]
    assert life.positions == {"mom_AAPL AAPL": Decimal(1)}


def test_without_one_it_still_sells_what_it_holds(settings: Settings, tmp_path: Path) -> None:
    world = World(quiet(60), settings=settings, ledger_path=tmp_path / "ledger.db")
    life = world.begin()
    life.run_to(ENTRY_AT)
    say(life, GUARDIAN, wish(life))
    life.run_for(MINUTE)
    assert life.positions == {"dip AAPL": Decimal(4)}
    life.die()

    life = world.begin(uncertified=WITHOUT)
    life.run_for(2 * MINUTE)
    sold = DecisionKey("dip", "AAPL", "2016-04-15", 2, Role.EXIT)
    leave = structs.replace(wish(life), decision=sold, side=Side.SELL, protective_stop=None)
    say(life, GUARDIAN, leave)
    life.run_for(2 * MINUTE)

    assert "bot_uncertified:dip" in life.causes
    assert life.positions == {}


def test_where_no_certificate_is_required_none_is_missing(settings: Settings) -> None:
    plugins = PluginSettings(risk_checks=(), require_certificate=False)
    world = World(quiet(60), settings=settings.model_copy(update={"plugins": plugins}))
    life = world.begin(uncertified=WITHOUT)
    life.run_to(ENTRY_AT)

    say(life, GUARDIAN, wish(life))
    life.run_for(2 * MINUTE)

    assert (life.causes, life.positions) == ({}, {"dip AAPL": Decimal(4)})


def test_to_require_one_while_the_engine_runs_closes_whoever_has_none(settings: Settings) -> None:
    plugins = PluginSettings(risk_checks=(), require_certificate=False)
    world = World(quiet(60), settings=settings.model_copy(update={"plugins": plugins}))
    life = world.begin(uncertified=WITHOUT)

    before = guardian_terms_in(life.parts.rebuilt(world.settings).tree)
    after = guardian_terms_in(life.parts.rebuilt(settings).tree)

    assert before.closed == ()
    assert [(each.code, each.detail) for each in after.closed] == [
        ("bot_uncertified:dip", WITHOUT["dip"])
    ]
