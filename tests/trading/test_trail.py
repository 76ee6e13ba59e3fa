"""How far a trailing stop had come, kept for whoever starts next."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.trading.durations import MINUTE
from hydra.trading.exit_rules import ExitRules
from hydra.trading.inventory import FifoInventory, Lot
from hydra.trading.orders import Side
from hydra.trading.trail import (
    Trail,
    UnreadableTrail,
    highest_on_record,
    readable_trails,
    to_keep,
    trail_key,
    trail_of,
)

D = Decimal
RULES = ExitRules(
    stop_loss_pct=D("0.5"),
    take_profit_pct=D(9),
    time_stop_ns=MINUTE,
    trailing_stop_pct=D(1),
)


def held(*names: str) -> FifoInventory:
    return FifoInventory(
        "AAPL",
        tuple(
            Lot(side=Side.BUY, quantity=D(1), price=D(100), opened_at=1, execution_id=name)
            for name in names
        ),
    )


def kept(highest: str, *names: str) -> Trail:
    return Trail(lots=names, highest=D(highest))


@pytest.mark.parametrize(
    ("before", "names", "highest", "wanted"),
    [
        (None, ("x1",), "100.2", None),  # 99.198: the stop of 99.5 is nearer
        (None, ("x1",), "101", kept("101", "x1")),
        (kept("101", "x1"), ("x1",), "101.1", None),  # a tenth of the distance is 0.101
        (kept("101", "x1"), ("x1",), "101.101", kept("101.101", "x1")),
        (kept("101", "x1"), ("x1", "x2"), "101", kept("101", "x1", "x2")),
        (kept("101", "x1", "x2"), ("x2",), "101", None),
        (kept("150", "old"), ("x1",), "101", kept("101", "x1")),
        (kept("101", "x1"), (), None, None),
    ],
)
def test_it_goes_on_record_when_it_rises_by_the_least_step_or_is_of_other_lots(
    before: Trail | None, names: tuple[str, ...], highest: str | None, wanted: Trail | None
) -> None:
    price = None if highest is None else D(highest)

    assert to_keep(before, RULES, held(*names), price) == wanted


def test_where_nothing_trails_nothing_goes_on_record() -> None:
    rules = msgspec.structs.replace(RULES, trailing_stop_pct=None)

    assert to_keep(None, rules, held("x1"), D(150)) is None


@given(st.lists(st.integers(10_000, 12_000), min_size=1, max_size=30))
def test_after_a_kill_the_stop_is_lower_by_less_than_a_tenth_of_its_distance_i30(
    cents: list[int],
) -> None:
    inventory, trail = held("x1"), None
    highest = D(100)
    for each in cents:
        highest = max(highest, D(each) / 100)
        trail = to_keep(trail, RULES, inventory, highest) or trail

    known = highest_on_record(trail_of("" if trail is None else trail.text), inventory) or D(100)

    level, lost = RULES.resting_price(D(100), highest)[0], RULES.resting_price(D(100), known)[0]
    assert 0 <= level - lost < highest * D("0.001")


def test_what_is_on_record_of_another_position_does_not_count() -> None:
    assert highest_on_record(kept("150", "old"), held("x1")) is None
    assert highest_on_record(kept("101", "x1", "x2"), held("x2", "x3")) == D(101)


@pytest.mark.parametrize(
    "text", ["no", "{}", '{"lots":["x1"],"highest":"NaN"}', '{"lots":["x1"],"highest":"-1"}']
)
def test_what_cannot_be_read_is_refused_i34(text: str) -> None:
    with pytest.raises(UnreadableTrail, match=r"found .* wanted"):
        trail_of(text)


def test_of_all_that_is_on_record_the_trails_that_can_be_read_are_known_by_their_bots() -> None:
    one, other = kept("101", "x1"), kept("102", "x2")
    values = {
        trail_key("one"): one.text,
        "mode": "flat",
        trail_key("gone"): "",
        trail_key("spoilt"): "{}",
        trail_key("trail:other"): other.text,
    }

    assert readable_trails(values) == {"one": one, "trail:other": other}
