"""Plans of misbehaviour drawn by a seed, for tests that let a swarm of faults loose."""

import random
from collections.abc import Callable, Mapping
from decimal import Decimal

from hydra.trading.durations import SECOND
from hydra.trading.instruments import is_crypto
from hydra.trading.orders import Order, OrderType, Side, TimeInForce
from hydra.venues.simulated.faults import (
    AlterEcho,
    BlockAccount,
    Delay,
    DriftCash,
    DriftPosition,
    FailLook,
    Fault,
    FillPart,
    FillRefused,
    Hide,
    HideEquity,
    HoldCancel,
    Ignore,
    Lose,
    Overfill,
    Overtake,
    PlantOrder,
    RejectLater,
    Repeat,
)
from hydra.venues.simulated.misbehaviour import Misbehaviour, Rule

RECOVERABLE: Mapping[type[Fault], float] = {
    Ignore: 0.02,
    FailLook: 0.05,
    HideEquity: 0.02,
    HoldCancel: 0.1,
    RejectLater: 0.05,
    Hide: 0.05,
    FillPart: 0.2,
    Lose: 0.05,
    Delay: 0.1,
    Repeat: 0.2,
    Overtake: 0.1,
}
"""Rates of what a broker does on bad days, and an engine has to live through."""

GRAVE: Mapping[type[Fault], float] = {
    AlterEcho: 0.01,
    FillRefused: 0.05,
    Overfill: 0.01,
    PlantOrder: 0.002,
    DriftPosition: 0.002,
    DriftCash: 0.002,
    BlockAccount: 0.001,
}
"""Rates of what must halt an engine."""


def random_plan(
    seed: int, symbols: tuple[str, ...], rates: Mapping[type[Fault], float] = RECOVERABLE
) -> Misbehaviour:
    """A plan in which about half of these faults occur, each at its rate, for as long as it lasts.

    Leaving faults out lets the others get further than if all came at once. The same arguments
    give the same plan.
    """
    dice = random.Random(f"plan of misbehaviour|{seed}")
    rules: list[Rule] = []
    for kind, rate in rates.items():
        fault = _DRAWN[kind](dice, symbols)
        if dice.random() < 0.5:
            times = 1 if kind is PlantOrder else None  # a second one would be of the same name
            rules.append(Rule(fault=fault, times=times, rate=rate))
    return Misbehaviour(rules=tuple(rules), seed=seed)


def _order(dice: random.Random, symbols: tuple[str, ...]) -> Order:
    symbol = dice.choice(symbols)
    return Order(
        client_order_id=f"by-hand-{dice.randrange(10**9)}",
        symbol=symbol,
        side=Side.BUY,
        quantity=Decimal(dice.randint(1, 5)),
        order_type=OrderType.MARKET,
        time_in_force=TimeInForce.GTC if is_crypto(symbol) else TimeInForce.DAY,
    )


_DRAWN: Mapping[type[Fault], Callable[[random.Random, tuple[str, ...]], Fault]] = {
    Ignore: lambda dice, symbols: Ignore(),
    FailLook: lambda dice, symbols: FailLook(),
    HideEquity: lambda dice, symbols: HideEquity(),
    HoldCancel: lambda dice, symbols: HoldCancel(events=dice.choice((1, 3, 10, None))),
    RejectLater: lambda dice, symbols: RejectLater(),
    Hide: lambda dice, symbols: Hide(for_ns=dice.randint(1, 120) * SECOND),
    AlterEcho: lambda dice, symbols: AlterEcho(quantity=Decimal(dice.randint(1, 10**6))),
    FillRefused: lambda dice, symbols: FillRefused(),
    FillPart: lambda dice, symbols: FillPart(share=Decimal(dice.randint(1, 9)) / 10),
    Overfill: lambda dice, symbols: Overfill(extra=Decimal(dice.randint(1, 5))),
    Lose: lambda dice, symbols: Lose(),
    Delay: lambda dice, symbols: Delay(events=dice.randint(1, 5)),
    Repeat: lambda dice, symbols: Repeat(copies=dice.randint(1, 5)),
    Overtake: lambda dice, symbols: Overtake(by=dice.randint(1, 3)),
    PlantOrder: lambda dice, symbols: PlantOrder(order=_order(dice, symbols)),
    DriftPosition: lambda dice, symbols: DriftPosition(
        symbol=dice.choice(symbols), quantity=Decimal(dice.choice((-3, -1, 1, 3)))
    ),
    DriftCash: lambda dice, symbols: DriftCash(amount=Decimal(dice.randint(-(10**4), 10**4)) / 100),
    BlockAccount: lambda dice, symbols: BlockAccount(),
}
