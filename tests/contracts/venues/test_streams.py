"""What a venue says of its stream, and that nothing is lost where it could not tell it."""

from __future__ import annotations

from hydra.trading.order_life import OrderStatus
from messages.streams import StreamConnected, StreamLost
from tests.contracts.venues.face import Face
from tests.contracts.venues.scene import BUY, order, pause_before, shown


def test_it_says_how_its_stream_is_whenever_it_is_asked_i47(face: Face) -> None:
    assert face.venue.has_stream is face.traits.has_stream

    face.venue.report_stream()
    face.venue.report_stream()

    connected = [StreamConnected(stream="trading", connection=1)] * 2
    assert face.told == (connected if face.traits.has_stream else [])


def test_what_happened_while_nobody_listened_is_in_the_snapshot_i47_i62(face: Face) -> None:
    name = face.take(order("in", BUY, "10"))
    face.cut_stream()
    face.go_to(pause_before(2))

    snapshot = face.snapshot()

    assert [each.status for each in snapshot.orders] == [OrderStatus.FILLED]
    (fill,) = snapshot.fills
    assert (fill.client_order_id, fill.price) == (name, shown(1).opens)
    lost = [StreamLost] if face.traits.has_stream else []
    assert [type(each) for each in face.of(StreamLost)] == lost
    if face.traits.has_stream:
        face.until(lambda: len(face.of(StreamConnected)) == 1, "another connection")
        assert face.of(StreamConnected) == [StreamConnected(stream="trading", connection=2)]


def test_a_cut_of_what_is_not_being_sent_changes_nothing_i01(face: Face) -> None:
    name = face.take(order("open", BUY, "10", limit="90"))
    before = face.books()

    face.venue.cut((name, "hy1-nobody"))
    face.settle()

    assert face.story(name) == ["accepted"]
    assert face.books() == before
