"""What becomes of updates on their way: lost, doubled, late, out of order, odd."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.venues.simulated.brokerage.words import UpdateEvent
from hydra.venues.simulated.server.driver import LocalVenue
from hydra.venues.simulated.server.faults.alterations import Alteration
from hydra.venues.simulated.server.faults.armed_rules import ArmedRules
from hydra.venues.simulated.server.faults.update_faults import (
    Alter,
    Delay,
    Hold,
    Lose,
    Overtake,
    Repeat,
    UpdateDelivery,
    UpdateFault,
    UpdateRule,
)
from tests.venues.server.clients import admin, http, trading_stream
from tests.venues.server.kit import OPEN, SECOND, in_loop, rising, served, venue_on

BUY = {"symbol": "HYDR", "qty": "3", "side": "buy", "type": "market", "time_in_force": "day"}


def message(number: int, event: str = "new", **order: str) -> dict[str, Any]:
    names = {"symbol": "HYDR", "client_order_id": "hy1-a-e", **order}
    return {"stream": "trade_updates", "data": {"event": event, "order": names, "n": number}}


def numbers_told(*rules: UpdateRule, messages: int = 5) -> list[int]:
    armed: ArmedRules[UpdateRule] = ArmedRules(count(1))
    for rule in rules:
        armed.arm(rule)
    late: list[dict[str, Any]] = []
    delivery = UpdateDelivery(armed, lambda _, message: late.append(message))
    told = [each for number in range(messages) for each in delivery.told(message(number))]
    return [each["data"]["n"] for each in (*told, *late)]


@pytest.mark.parametrize(
    ("rule", "numbers"),
    [
        (UpdateRule(fault=Lose()), [1, 2, 3, 4]),
        (UpdateRule(fault=Lose(), skip=2, times=2), [0, 1, 4]),
        (UpdateRule(fault=Lose(), times=None), []),
        (UpdateRule(fault=Repeat(copies=2), skip=4), [0, 1, 2, 3, 4, 4, 4]),
        (UpdateRule(fault=Overtake(by=1)), [1, 0, 2, 3, 4]),
        (UpdateRule(fault=Overtake(by=3), skip=1), [0, 2, 3, 4, 1]),
        (UpdateRule(fault=Overtake(by=1), times=2), [2, 0, 1, 3, 4]),
        (UpdateRule(fault=Hold(), skip=1), [0, 2, 3, 4]),
        (UpdateRule(fault=Delay(seconds=1.0), skip=3), [0, 1, 2, 4, 3]),
        (UpdateRule(fault=Lose(), event=UpdateEvent.FILL), [0, 1, 2, 3, 4]),
        (UpdateRule(fault=Lose(), symbol="NOVA"), [0, 1, 2, 3, 4]),
        (UpdateRule(fault=Lose(), client_order_id="-e"), [1, 2, 3, 4]),
    ],
)
def test_a_rule_strikes_what_it_means_and_as_often_as_it_may(
    rule: UpdateRule, numbers: list[int]
) -> None:
    assert numbers_told(rule) == numbers


def test_of_two_rules_the_first_that_may_strikes() -> None:
    assert numbers_told(
        UpdateRule(fault=Lose(), skip=1), UpdateRule(fault=Repeat(), times=None), messages=3
    ) == [0, 0, 2, 2]


FAULTS: list[UpdateFault] = [
    Repeat(),
    Overtake(by=1),
    Overtake(by=3),
    Hold(),
    Delay(1),
    Alter(Alteration()),
]


@given(
    rules=st.lists(
        st.builds(
            UpdateRule,
            fault=st.sampled_from(FAULTS),
            skip=st.integers(0, 4),
            times=st.none() | st.integers(0, 3),
        ),
        max_size=4,
    )
)
def test_what_is_not_lost_on_purpose_is_told_in_the_end(rules: list[UpdateRule]) -> None:
    armed: ArmedRules[UpdateRule] = ArmedRules(count(1))
    late: list[dict[str, Any]] = []
    delivery = UpdateDelivery(armed, lambda _, message: late.append(message))
    numbers = [armed.arm(rule) for rule in rules]

    told = [each for number in range(10) for each in delivery.told(message(number))]
    for number in numbers:
        armed.disarm(number)
        told.extend(delivery.released(number))
    for number in range(10, 20):  # what was overtaken waits for others to pass
        told.extend(delivery.told(message(number)))

    assert {each["data"]["n"] for each in (*told, *late)} == set(range(20))


def venue() -> LocalVenue:
    return venue_on(*rising("HYDR", 10))


def test_a_clients_stream_misbehaves_as_it_was_told() -> None:
    local = venue()
    odd = {"set": {"order.status": "odd", "extra": 1}, "remove": ["order.legs"]}

    async def test() -> list[Any]:
        async with served(local) as port, trading_stream(port) as client:
            await local.move_to(OPEN + SECOND)
            rules = [
                {"fault": {"type": "lose"}, "event": "pending_new"},
                {"fault": {"type": "hold"}, "event": "new", "symbol": "HYDR"},
                {"fault": {"type": "alter", "alteration": odd}, "event": "fill"},
            ]
            numbers = [
                (await admin(port, "POST", "/rules/updates", rule))["rule"] for rule in rules
            ]
            assert (await http(port, "POST", "/v2/orders", BUY)).status == 200
            first = await client.receive()
            await admin(port, "DELETE", f"/rules/{numbers[1]}")
            return [first["data"], (await client.receive())["data"]]

    fill, new = in_loop(test)

    assert (fill["event"], fill["order"]["status"], fill["extra"]) == ("fill", "odd", 1)
    assert "legs" not in fill["order"]
    assert (new["event"], new["order"]["status"]) == ("new", "new")


def test_an_update_can_be_late_by_market_time() -> None:
    local = venue()

    async def test() -> list[Any]:
        async with served(local) as port, trading_stream(port) as client:
            await local.move_to(OPEN + SECOND)
            rule = {"fault": {"type": "delay", "seconds": 90}, "event": "fill"}
            await admin(port, "POST", "/rules/updates", rule)
            assert (await http(port, "POST", "/v2/orders", BUY)).status == 200
            before = [(await client.receive())["data"]["event"] for _ in range(2)]
            await local.move_to(OPEN + 90 * SECOND)
            assert await client.is_silent(0.05)
            await local.move_to(OPEN + 91 * SECOND)
            fill = (await client.receive())["data"]
            return [before, fill["event"], fill["timestamp"]]

    assert in_loop(test) == [["pending_new", "new"], "fill", "2026-01-05T14:30:01Z"]
