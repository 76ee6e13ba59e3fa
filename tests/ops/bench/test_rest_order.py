import sys
from collections.abc import Callable

import pytest

from hydra.ops.bench.loopback import broker
from hydra.ops.bench.order_chain import intent
from hydra.ops.bench.rest_order import IN_A_TURN, BudgetClock, by_turns, clients, vendors_client
from hydra.ops.bench.rows import CouldNotMeasure
from hydra.testkit.builders import approved
from hydra.venues.alpaca.budget import Budget, Shares, Use, take


def test_each_client_begins_a_turn_as_often_as_the_others() -> None:
    sent: list[str] = []

    def sending(name: str) -> Callable[[], None]:
        return lambda: sent.append(name)

    took = by_turns(tuple(map(sending, "abc")), turns=3)

    assert sent[::IN_A_TURN] == list("abcbcacab")
    assert [len(each) for each in took] == [3 * IN_A_TURN] * 3
    assert all(each >= 0 for of_one in took for each in of_one)


def test_the_budget_is_as_full_as_entries_can_make_it_and_refuses_none() -> None:
    clock, budget = BudgetClock(), Budget(shares=Shares())

    for _ in range(300):
        clock.pass_on()
        taken = take(budget, Use.ENTRY, clock())
        assert taken is not None
        budget = taken

    assert len(budget.asked_at) > 0.9 * (Shares().a_minute - Shares().left_by_entry)


def test_every_client_gets_its_order_accepted() -> None:
    with clients() as senders:
        for send in senders:
            send()


def test_without_the_vendors_client_the_reason_is_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "alpaca.trading.client", None)

    with (
        broker("accept") as peer,
        pytest.raises(CouldNotMeasure, match=r"alpaca-py, the peer, cannot be loaded: .+"),
    ):
        vendors_client(peer, approved(intent("bench", 1, 0)))


def test_an_order_that_is_refused_is_no_measurement() -> None:
    with pytest.raises(CouldNotMeasure, match=r"our client: .*403"), clients("refuse") as senders:
        senders[0]()
