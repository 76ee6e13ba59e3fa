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
from tests.engine.test_crypto_bot import BTC, NIGHT, coin, coins, market, shares
from tests.engine.test_limits import most_within

COINS = market(*shares(), *coins(waves=1, symbols=(BTC,)))
HIT = NIGHT + 20 * MINUTE
"""At the end of this minute a coin has touched its stop, and by the next one it has recovered."""
RECOVERS = market(
    *shares(), *coin([*[100.0] * 15, *rising(15, step=0.1), *[101.0] * 4, 99.0, *[101.0] * 10])
)
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


@pytest.mark.parametrize("dies", [False, True], ids=["it lives on", "it dies"])
def test_a_coin_whose_stop_was_hit_is_sold_though_the_sale_was_refused_and_the_price_is_back_i30(
    dies: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(RECOVERS, ledger_path=tmp_path / "ledger.db")
    life = world.begin()
    life.run_to(HIT - 1)
    held = life.positions
    with monkeypatch.context() as refusing:
        refusing.setattr(MatchingEngine, "_refusal", lambda *_: "not today")
        life.run_to(HIT + MINUTE - 1)
    if dies:
        life.die()
        life = world.begin()
    life.run_to(HIT + 3 * MINUTE)

    assert (list(held), life.positions) == ([f"crypto_core {BTC}"], {})
    sales = [each for each in life.ledger.orders() if each.intent.side is Side.SELL]
    assert [each.intent.reason for each in sales] == ["stop_loss"] * len(sales)
    assert [each.state.status.value for each in sales][-1] == "filled"
    require_sound(world)
    require_agreement(world)
