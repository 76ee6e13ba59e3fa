"""An operator's flatten, at a venue that refuses a third of all cancels: over REST, on command."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from hydra.testkit.judge.evidence import life_in
from hydra.testkit.judge.venue_evidence import Verb
from hydra.venues.simulated.brokerage.queries import OrderQuery
from tests.contracts.venues.served import Served
from tests.ops.at_rest.left_behind import begun, engine

pytestmark = pytest.mark.slow

NOT_NOW = {
    "type": "answer",
    "status": 422,
    "body": {"code": 42210000, "message": "order is not cancelable"},
}
CANCELS = {"method": "DELETE", "path": "/v2/orders*"}


@pytest.mark.parametrize("honest_before", range(3))
def test_it_ends_flat_at_a_venue_that_refuses_a_third_of_cancels_i01_i17(
    honest_before: int, tmp_path: Path
) -> None:
    left = begun(tmp_path)
    refusals = {"fault": NOT_NOW, **CANCELS, "skip": honest_before, "every": 3, "times": None}
    with engine(left, minutes=10) as hand:
        hand.buy(3)
        for limit in (113, 112, 114):  # none of which the market comes down to
            hand.wait(1)  # a bot's entries are a second apart
            hand.buy(1, bot="mom_AAPL_cross", limit=Decimal(limit))
        hand.served.admin("POST", "/rules/requests", refusals)

        told = hand.flattens()

        assert (told.phase, told.open_orders, told.positions) == ("flat", (), ())
        looks = [hand.served.do(account_of(hand.served)) for _ in range(2)]
    assert looks == [([], []), ([], [])]
    canceled = [asked for asked in life_in(left.files).asked if asked.verb in BY_CANCEL]
    refused = [number for number, asked in enumerate(canceled) if asked.is_refused]
    assert refused == list(range(honest_before, len(canceled), 3)) != []


BY_CANCEL = (Verb.CANCEL, Verb.CANCEL_ALL)


def account_of(served: Served) -> Callable[[], tuple[list[str], list[str]]]:
    """What the venue itself has: what is held, and what works."""

    def look() -> tuple[list[str], list[str]]:
        brokerage = served.venue.at_present()
        held = [each.symbol for each in brokerage.positions()]
        return held, [each.client_order_id for each in brokerage.orders(OrderQuery())]

    return look
