"""A venue that refuses every sale: no bot asks in a loop, and what others leave with is left."""

from collections.abc import Callable
from pathlib import Path

import pytest

from hydra.actor import MINUTE
from hydra.trading.orders import Order, Side
from hydra.venues.simulated.market_data import MarketData
from hydra.venues.simulated.matching import MatchingEngine
from hydra.venues.simulated.requests import Submit
from tests.engine.harness import World, market_of, rising
from tests.engine.judge import require_agreement, require_sound
from tests.engine.scenery import bars_of
from tests.engine.test_crypto_bot import BTC, coins, market, shares
from tests.engine.test_limits import most_within

COINS = market(*shares(), *coins(waves=1, symbols=(BTC,)))
SHARES = market_of(bars_of([*[100.0] * 15, *rising(20, step=0.1), *[101.0] * 30]))


@pytest.mark.parametrize("data", [COINS, SHARES], ids=["coins", "shares"])
def test_what_is_refused_again_and_again_is_not_asked_for_in_a_loop_i36(
    data: MarketData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal: Callable[..., str | None] = MatchingEngine._refusal

    def refuses_sales(engine: MatchingEngine, order: Order, *rest: object) -> str | None:
        return "not today" if order.side is Side.SELL else refusal(engine, order, *rest)

    monkeypatch.setattr(MatchingEngine, "_refusal", refuses_sales)
    world = World(data, ledger_path=tmp_path / "ledger.db")
    life = world.begin()
    life.run_out()

    sales = [each.order for each in world.asked(Submit) if each.order.side is Side.SELL]
    assert len(sales) > 3
    assert (
        most_within(world.came_at(Submit, leg="-x"), MINUTE) <= 3 + 12
    )  # then one in five seconds
    require_sound(world)
    require_agreement(world)
