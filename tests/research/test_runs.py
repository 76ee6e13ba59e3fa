"""Parameter runs: one run as a plain function, and a grid of them over several processes."""

from decimal import Decimal

import pytest

from hydra.ops.config.looking import SHIPPED
from hydra.plugins import fault_in_signal
from hydra.research.overrides import Configurable
from hydra.research.replaying import ReplayTask
from hydra.research.runs import OK, REFUSED, STOPPED, Run, RunResult, run_grid, run_one
from hydra.research.scratch_replay import scratch_replay
from hydra.settings import VenueName
from hydra.trading.exact import total
from hydra.venues.simulated.terms import VenueTerms
from tests.engine.scenery import bars_of, market_of, rising, shipped_settings

MARKET = market_of(bars_of([*rising(24), *(101.15 - 0.1 * step for step in range(40))]))
STOP = "momentum_bots[mom_AAPL].exits.stop_loss_pct"


def without_seconds(result: RunResult | None) -> dict[str, object]:
    assert result is not None
    return {name: getattr(result, name) for name in result.__struct_fields__ if name != "seconds"}


def configurable() -> Configurable:
    return Configurable.read(SHIPPED, venue=VenueName.EMBEDDED, signal_check=fault_in_signal)


def test_a_run_says_what_the_replay_of_the_same_task_came_to() -> None:
    found = run_one(shipped_settings(), MARKET, VenueTerms(), 3)
    task = ReplayTask(settings=shipped_settings(), data=MARKET, terms=VenueTerms(), seed=3)
    done = scratch_replay(task).replayed

    assert found.trades == len(done.summary.trades) > 0
    assert found.realised == total(trade.realised for trade in done.summary.trades)
    assert found.final_equity == done.equity == 100_000 + found.realised
    assert found.orders == done.summary.orders
    assert found.denials == sum(count for _, count in done.summary.denials)
    assert found.max_drawdown_pct is not None and found.max_drawdown_pct > 0
    assert found.standing == ()


def test_the_same_run_has_the_same_name_and_another_one_another() -> None:
    first, again = (run_one(shipped_settings(), MARKET, VenueTerms(), 0) for _ in range(2))
    other = run_one(shipped_settings(), MARKET, VenueTerms(slippage_bps=Decimal(20)), 0)

    assert without_seconds(first) == without_seconds(again)
    assert other.ledger != first.ledger
    assert other.realised < first.realised


@pytest.mark.slow
def test_a_grid_gives_the_rows_of_its_runs_in_its_order_whatever_the_number_of_processes() -> None:
    base = configurable()
    grid = base.grid([f"{STOP}=0.3,-1,0.5", "risk.max_orders_per_minute=5"])
    told: list[tuple[int, int]] = []

    runs = run_grid(
        grid, base.settings, MARKET, VenueTerms(), 0, jobs=2, seen=lambda *all_: told.append(all_)
    )

    assert [(run.number, run.outcome) for run in runs] == [(1, OK), (2, REFUSED), (3, OK)]
    assert runs[1].why.startswith(f"--set {STOP}=-1: found '-1', wanted")
    assert told == [(1, 2), (2, 2)]
    for run in (runs[0], runs[2]):
        alone = run_one(base.settings(run.choice), MARKET, VenueTerms(), 0)
        assert without_seconds(run.result) == without_seconds(alone)
        assert run.configuration == base.settings(run.choice).digest


def test_a_grid_of_refused_runs_alone_starts_no_process() -> None:
    base = configurable()
    grid = base.grid([f"{STOP}=-1,-2"])

    runs = run_grid(grid, base.settings, MARKET, VenueTerms(), 0)

    assert [run.outcome for run in runs] == [REFUSED, REFUSED]


def test_what_was_stopped_before_it_was_done_says_so() -> None:
    base = configurable()
    grid = base.grid([])

    runs = run_grid(grid, base.settings, MARKET, VenueTerms(), 0, jobs=1, is_stopping=lambda: True)

    assert runs == (
        Run(
            number=1,
            choice=(),
            configuration=base.settings().digest,
            outcome=STOPPED,
            why="it was stopped before this run was done",
        ),
    )
