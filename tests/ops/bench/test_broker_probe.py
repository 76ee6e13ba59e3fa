"""The broker of the benchmark, held against what our own adapter reads."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from time import monotonic_ns

import pytest

from hydra.ops.bench.broker_answers import answer
from hydra.ops.bench.broker_probe import (
    OrderDesk,
    QuoteStream,
    flood,
    frame,
    listen,
    obey,
    packed,
)
from hydra.trading.durations import MINUTE, SECOND
from hydra.trading.quotes import Quote
from hydra.venues.alpaca.data_stream import Channels, DataConversation
from hydra.venues.alpaca.payloads import read_account, read_order
from messages.market import QuoteReceived

SYMBOLS = ("AAPL", "MSFT")
ORDER = b'{"symbol": "BENCH", "client_order_id": "hy1-1"}'


def post(body: bytes) -> bytes:
    head = b"POST /v2/orders HTTP/1.1\r\nHost: x\r\ncontent-length: %d\r\n\r\n" % len(body)
    return head + body


@contextmanager
def connected_to(desk: OrderDesk) -> Iterator[socket.socket]:
    """A connection that the desk serves."""
    ours, its = socket.socketpair()
    serving = threading.Thread(target=desk.serve, args=(its,))
    serving.start()
    with ours, its:
        ours.settimeout(5.0)
        try:
            yield ours
        finally:
            ours.shutdown(socket.SHUT_RDWR)
            serving.join(5.0)


def quotes_in(*payloads: bytes) -> list[Quote]:
    talk = DataConversation("stocks", "key", "secret", Channels(quotes=SYMBOLS), MINUTE)
    told = [fact for payload in payloads for fact in talk.hear(payload).tell]
    assert all(isinstance(fact, QuoteReceived) for fact in told)
    return [fact.quote for fact in told]


def test_an_accepted_order_is_answered_under_its_name_and_noted() -> None:
    desk = OrderDesk(accepts=True)
    with connected_to(desk) as connection:
        before = monotonic_ns()
        connection.sendall(post(ORDER))
        answered = connection.recv(65_536)

        name, arrived = desk.arrived.get(timeout=5.0)

    assert answered.startswith(b"HTTP/1.1 200 OK\r\n")
    assert read_order(answered.partition(b"\r\n\r\n")[2]).client_order_id == name == "hy1-1"
    assert before < arrived < monotonic_ns()


def test_an_order_counts_as_there_with_its_last_byte() -> None:
    desk = OrderDesk(accepts=False)
    with connected_to(desk) as connection:
        connection.sendall(post(ORDER)[:-1])
        last_byte_at = monotonic_ns()
        connection.sendall(post(ORDER)[-1:])
        answered = connection.recv(65_536)

        _, arrived = desk.arrived.get(timeout=5.0)

    assert answered.startswith(b"HTTP/1.1 403 ")
    assert arrived > last_byte_at


def test_two_requests_in_one_piece_are_two() -> None:
    desk = OrderDesk(accepts=True)
    with connected_to(desk) as connection:
        connection.sendall(post(ORDER) + post(ORDER.replace(b"hy1-1", b"hy1-2")))

        names = [desk.arrived.get(timeout=5.0)[0] for _ in range(2)]

    assert names == ["hy1-1", "hy1-2"]


def test_the_account_can_be_read_and_every_list_is_empty() -> None:
    desk = OrderDesk(accepts=True)
    bodies = []
    with connected_to(desk) as connection:
        for path in (b"/v2/account", b"/v2/positions", b"/v2/orders?status=open"):
            connection.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: x\r\n\r\n")
            bodies.append(connection.recv(65_536).partition(b"\r\n\r\n")[2])

    assert read_account(bodies[0]).account_number == "PA-HYDRA-EMBEDDED"
    assert bodies[1:] == [b"[]", b"[]"]


def test_an_answer_says_how_long_it_is() -> None:
    assert b"\r\nContent-Length: 3\r\n" in answer(200, b"[1]")


def test_quotes_are_those_of_the_local_venue_at_the_moments_they_are_given() -> None:
    stream = QuoteStream(SYMBOLS)
    moments = [5 * SECOND + 1_000, 6 * SECOND + 2_000, 7 * SECOND + 3_000]

    quotes = quotes_in(stream.next_quotes(moments[:2]), stream.next_quotes(moments[2:]))

    assert [quote.symbol for quote in quotes] == ["AAPL", "MSFT", "AAPL"]
    shown = [moment + stream.ahead for moment in moments]
    late = [abs(quote.at - at) for quote, at in zip(quotes, shown, strict=True)]
    assert max(late) <= 500  # times come to the microsecond
    assert quotes[0].bid_size != quotes[2].bid_size


class Sink(QuoteStream):
    """Keeps what it sends."""

    def __init__(self) -> None:
        super().__init__(SYMBOLS)
        self.sent = b""

    def send(self, data: bytes) -> None:
        self.sent += data


def frames_in(data: bytes) -> list[bytes]:
    """The payloads of short frames in a row."""
    found = []
    while data:
        size, begins = data[1], 2
        if size == 126:
            size, begins = int.from_bytes(data[2:4], "big"), 4
        found.append(data[begins : begins + size])
        data = data[begins + size :]
    return found


def test_a_flood_bears_the_moments_that_it_was_due_at() -> None:
    stream = Sink()

    last_due_at = flood(stream, 10_000.0, 25, 4)

    payloads = frames_in(stream.sent)
    quotes = quotes_in(*payloads)
    assert len(quotes) == 25
    assert max(len(quotes_in(payload)) for payload in payloads) <= 4
    gaps = {later.at - quote.at for quote, later in pairwise(quotes)}
    assert gaps <= {99_000, 100_000, 101_000}  # to the microsecond
    assert abs(quotes[-1].at - (last_due_at + stream.ahead)) <= 500


def test_a_frame_is_one_that_is_not_masked() -> None:
    assert frame(b"abc") == b"\x82\x03abc"


def test_what_it_does_not_know_ends_it_with_what_it_knows() -> None:
    with pytest.raises(SystemExit, match="wanted clock, ticks or flood"):
        obey(["nonsense"], Sink(), OrderDesk(accepts=True))


def test_whoever_connects_is_logged_in_and_subscribed_to_what_it_asks_for() -> None:
    stream = QuoteStream(SYMBOLS)
    talk = DataConversation("stocks", "k", "s", Channels(quotes=("TSLA",)), MINUTE)

    (login,) = talk.hear(packed({"T": "success", "msg": "connected"})).send
    (subscribe,) = talk.hear(packed(stream.answer(bytes_of(login)))).send
    subscribed = talk.hear(packed(stream.answer(bytes_of(subscribe))))

    assert subscribed.is_live
    assert quotes_in(stream.next_quotes([SECOND]))[0].symbol == "TSLA"


def bytes_of(message: str | bytes) -> bytes:
    assert isinstance(message, bytes), "this stream speaks msgpack"
    return message


def test_every_connection_is_served() -> None:
    desk = OrderDesk(accepts=True)
    port = listen(desk.serve)

    for _ in range(2):
        with socket.create_connection(("127.0.0.1", port), 5.0) as connection:
            connection.sendall(post(ORDER))
            assert connection.recv(65_536).startswith(b"HTTP/1.1 200")
