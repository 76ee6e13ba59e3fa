"""Every kind of bot on one account, the engine killed at any instant and started again.

What others prove of single steps is asked here of all that goes on from one life to the next: what
was counted, granted and numbered, what is held and what protects it, and the files of each run.
"""

import random
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from hydra.ops.artefacts.closing import close_bundle
from hydra.ops.artefacts.folder import STORY, bundles_in
from hydra.ops.artefacts.opening import opening_in
from hydra.ops.artefacts.report import Report
from hydra.ops.artefacts.story import lines_in
from hydra.ops.exit_codes import ExitCode
from hydra.ops.generated_market import generated_market
from hydra.plugins import fault_in_signal
from hydra.settings.loading import load_settings
from hydra.store.looking import looked_at
from hydra.store.reading import Records
from hydra.testkit.judge.case import MARKET, OVER
from hydra.testkit.judge.evidence import JournalLine, Run
from hydra.trading.causes import UNPROTECTED
from hydra.trading.order_life import OrderStatus
from hydra.trading.sub_ledgers import SessionCounters
from messages.loops import LOOPS_ON_RECORD
from tests.crash.lives import ROOT
from tests.crash.trading import Trader

pytestmark = pytest.mark.slow

SPEED = 600
"""While nobody is there, which takes some seconds each time, an hour goes by at most."""
LAST_SPEED = 3_000
KILLS = 3
"""In one session: a fourth start within minutes would be a storm, and wait for a person."""
TRADES_A_DAY = 12
LIVELY = {
    "max_trades_per_day: 3\n": f"max_trades_per_day: {TRADES_A_DAY}\n",
    "max_trades_per_day: 5\n": f"max_trades_per_day: {TRADES_A_DAY}\n",
    "max_trades_per_day: 6\n": f"max_trades_per_day: {TRADES_A_DAY}\n",
    '"placeholder_momentum_v1"\n      params: {}': '"placeholder_momentum_v1"\n      params:'
    " {lookback_bars: 3, threshold_pct: 0.05}",
    '"placeholder_options_v1"\n    params: {}': '"placeholder_options_v1"\n    params:'
    " {lookback_bars: 5, threshold_pct: 0.10}",
    '"placeholder_crypto_momo_v1"\n    params: {}': '"placeholder_crypto_momo_v1"\n    params:'
    " {lookback_bars: 5, threshold_pct: 0.10}",
    "params: {fast_bars: 10, slow_bars: 30}": "params: {fast_bars: 3, slow_bars: 8}",
    "time_stop_minutes: 25": "time_stop_minutes: 7",
    "time_stop_minutes: 180": "time_stop_minutes: 20",
    "time_stop_minutes: 240": "time_stop_minutes: 15",
}
"""What makes each kind of bot trade from early on: the shipped ones wait for a good move."""
ALL_DAY = {f'trade_end: "{early}"': 'trade_end: "12:30"' for early in ("09:30", "09:50")}


class Counted(msgspec.Struct, frozen=True):
    """What a restart must go on from."""

    counters: dict[tuple[str, str], SessionCounters]
    budgets: dict[str, dict[str, Decimal]]
    """By session, what each bot was granted."""
    loops: int
    orders: frozenset[str]


NOTHING = Counted({}, {}, 0, frozenset())


@pytest.fixture
def desk(tmp_path: Path, calendar: Path) -> Trader:
    return desk_of(tmp_path / "desk", lively(tmp_path / "lively"), calendar)


def lively(config: Path) -> Path:
    """The shipped configuration, with bots that do not wait long; in a new folder."""
    config.mkdir()
    (config / "settings.yaml").write_text((ROOT / "config" / "settings.yaml").read_text())
    bots = (ROOT / "config" / "bots.yaml").read_text()
    for old, new in {**LIVELY, **ALL_DAY}.items():
        assert old in bots, old
        bots = bots.replace(old, new)
    (config / "bots.yaml").write_text(bots)
    return config


def desk_of(folder: Path, config: Path, calendar: Path) -> Trader:
    settings = load_settings(config, signal_check=fault_in_signal)
    market = generated_market(settings, 0, calendar, is_virtual=False)
    folder.mkdir()
    return Trader(folder, market, calendar, config=config)


@pytest.mark.timeout(240)
@pytest.mark.parametrize("seed", range(3))
def test_a_desk_that_is_killed_at_any_instant_goes_on_where_it_was_i13_i20_i23_i61(
    seed: int, desk: Trader
) -> None:
    kill_and_play_on(desk, random.Random(seed))

    assert {order.intent.decision.bot for order in desk.life.orders.values()} == {
        "mom_AAPL",
        "mom_AAPL_cross",
        "opt_core",
        "crypto_core",
    }
    for counters in counted(desk).counters.values():
        assert counters.entries <= TRADES_A_DAY, counters


def kill_and_play_on(desk: Trader, dice: random.Random) -> None:
    """Three lives that are killed and one to the end of the market, held against one another."""
    before = NOTHING
    ended: Report | None = None
    for _ in range(KILLS):
        with desk.running(SPEED):
            time.sleep(0.5 + 11.0 * dice.random())  # an instant is drawn; nothing is waited for
        desk.require_sound("killed")
        ended = require_told(desk, ended)
        now = counted(desk)
        require_gone_on(before, now)
        before = now
    assert desk.plays_on(LAST_SPEED) == ExitCode.CLEAN
    desk.require_sound("played on")
    require_told(desk, ended)
    require_gone_on(before, counted(desk))
    life = desk.life
    for run in life.runs:
        require_protected(run)
    # One that never left is given up after half a minute of looks: longer than this market lasts.
    open_at_the_end = {o.status for o in life.orders.values() if o.status.is_open}
    assert open_at_the_end <= {OrderStatus.UNKNOWN}
    assert (life.values.get(MARKET), life.halts) == (OVER, ())
    if not open_at_the_end:
        require_covered_at_the_end(life.runs[-1])


def counted(desk: Trader) -> Counted:
    files = desk.files
    if not files.ledger.exists():
        return NOTHING

    def look(records: Records) -> Counted:
        counters = {(each.bot, each.session): each for each in records.counters()}
        sessions = {session for _, session in counters}
        return Counted(
            counters=counters,
            budgets={session: records.budgets(session) for session in sessions},
            loops=int(records.values().get(LOOPS_ON_RECORD, "0")),
            orders=frozenset(each.state.order.client_order_id for each in records.orders()),
        )

    return looked_at(files.ledger, files.lock, lambda connection: look(Records(connection)))


def require_gone_on(before: Counted, now: Counted) -> None:
    """Nothing was counted anew, granted twice, numbered again or forgotten."""
    assert now.orders >= before.orders
    assert now.loops >= before.loops
    for session, granted in before.budgets.items():
        assert now.budgets[session] == granted or not granted, session
    for place, counters in before.counters.items():
        less = [
            name
            for name in ("entries", "exits", "rejections", "fills", "round_trips")
            if getattr(now.counters[place], name) < getattr(counters, name)
        ]
        assert less == [], f"{place}: {counters}, and then {now.counters[place]}"


def require_told(desk: Trader, before: Report | None) -> Report | None:
    """The newest bundle begins where the one before it ended, and its end is the ledger's."""
    bundles = bundles_in(desk.files.runs)
    if not bundles or (before is not None and bundles[-1].name == before.session):
        return before  # killed before it had begun one
    newest = bundles[-1]
    report = close_bundle(newest, desk.files, None, with_plots=False)
    opening = opening_in(lines_in(newest / STORY))
    if before is not None:
        was = {(lot.bot, lot.symbol): lot.quantity for lot in before.held}
        held = {(each.bot, each.inventory.symbol): each.inventory.position for each in opening.held}
        assert held == was
        assert before.cash in (None, opening.cash)  # None: the account had not been seen yet
    assert report.ledger.agrees is not False, report.ledger.found
    return report


def require_protected(run: Run) -> None:
    """What was held without protection was so for a moment only: nothing ever halted for it."""
    assert run.lines is not None, "nothing is pruned in so short a time"
    assert list(halts_for_coverage(run.lines)) == []


def halts_for_coverage(lines: tuple[JournalLine, ...]) -> Iterator[JournalLine]:
    for line in lines:
        if line.event == "halt_latched" and UNPROTECTED.code in str(line.fields["cause"]):
            yield line


def require_covered_at_the_end(run: Run) -> None:
    """The last run has told so of all that is held."""
    told = [line.fields for line in run.lines or () if line.event == "coverage_changed"]
    assert told != []
    last = {name: told[-1][name] for name in ("is_known", "pct", "uncovered")}
    assert last == {"is_known": True, "pct": "100", "uncovered": []}
