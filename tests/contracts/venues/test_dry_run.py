"""A dry run on any face: everything but the send."""

from __future__ import annotations

import pytest

from hydra.ports import GateRefused
from hydra.trading.orders import Role
from hydra.venues.dry_run import DryRun
from tests.contracts.venues.face import KEY, Face
from tests.contracts.venues.scene import BUY, COIN, GTC, SELL, approval, order, pause_before


@pytest.mark.parametrize("role", list(Role))
def test_no_order_leaves_and_each_is_refused_by_its_name(face: Face, role: Role) -> None:
    dry = DryRun(face.venue)

    for sent in (
        order("market", BUY),
        order("limit", SELL, limit="100"),
        order("stop", SELL, stop="100"),
        order("coins", BUY, "0.1", symbol=COIN, time_in_force=GTC),
    ):
        with pytest.raises(GateRefused, match=sent.client_order_id):
            dry.submit(approval(sent, role, face.gate.epoch), KEY)
    face.settle()

    assert (face.told, face.gate.tries, face.order_requests()) == ([], 0, ())


def test_whoever_looks_finds_the_account_as_it_is(face: Face) -> None:
    name = face.take(order("real", BUY, "10", limit="90"))
    face.venue = dry = DryRun(face.venue)

    with pytest.raises(GateRefused, match=name):
        face.cancel(name)
    snapshot = face.snapshot()

    assert [each.order.client_order_id for each in snapshot.orders] == [name]
    assert face.look_up(name) is not None
    assert dry.has_stream is face.traits.has_stream
    face.go_to(pause_before(2))
    face.settle()
    assert face.story(name) == ["accepted"]
