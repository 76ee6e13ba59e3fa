"""A stream kept connected: deadlines, signs of life, pauses, and that silence is noticed."""

import contextlib
import queue
import socket
import threading
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection

from hydra import deafness
from hydra.venues.alpaca.stream import Attempts, Heard, Patience, Stream, Trouble, pause_after
from hydra.venues.alpaca.websocket import Message
from messages.streams import StreamConnected, StreamLost
from tests.venues.alpaca.sockets import Script, connect, raw_server, websocket_server
from tests.waiting import Timed

IMPATIENT = Patience(connect=2.0, live=0.3, ping=0.1, silence=0.4)
WITHIN_S = 5.0


class Parrot:
    """Says hello; is live once it is greeted; tells every word; "stop" is the end."""

    def opened(self) -> tuple[Message, ...]:
        return ("hello",)

    def due(self) -> tuple[Message, ...]:
        return ()

    def hear(self, message: Message) -> Heard:
        match message:
            case "welcome":
                return Heard(is_live=True)
            case "stop":
                return Heard(failure="it says stop", trouble=Trouble.REFUSED)
            case _:
                return Heard(tell=(message,))


class Told:
    """Everything that the stream told, in order."""

    def __init__(self) -> None:
        self._told: queue.Queue[Any] = queue.Queue()

    def __call__(self, fact: Any) -> None:
        self._told.put(fact)

    def next(self) -> Any:
        return self._told.get(timeout=WITHIN_S)


@contextlib.contextmanager
def streaming(url: str, patience: Patience = IMPATIENT) -> Iterator[tuple[Stream, Told]]:
    told = Told()
    stream = Stream("parrot", url, {}, Parrot, told, connect, patience)
    stream.start()
    try:
        yield stream, told
    finally:
        assert stream.stop(WITHIN_S)


def greeting(then: Callable[[ServerConnection], None]) -> Script:
    def script(connection: ServerConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            assert connection.recv() == "hello"
            connection.send("welcome")
            then(connection)

    return script


def listen(connection: ServerConnection) -> None:
    for _ in connection:
        pass


def test_what_is_said_is_told_after_the_connection_is() -> None:
    def talk(connection: ServerConnection) -> None:
        connection.send("one")
        connection.send("two")
        listen(connection)

    with websocket_server(greeting(talk)) as url, streaming(url) as (_, told):
        connected = StreamConnected(stream="parrot", connection=1)
        assert [told.next(), told.next(), told.next()] == [connected, "one", "two"]


def test_a_connection_that_ends_is_told_and_made_again_with_a_new_number_i47() -> None:
    def leave(connection: ServerConnection) -> None:
        connection.close(1012, "restart")

    with websocket_server(greeting(leave)) as url, streaming(url) as (_, told):
        assert [told.next() for _ in range(3)] == [
            StreamConnected(stream="parrot", connection=1),
            StreamLost(stream="parrot", reason="the connection was closed with 1012 (restart)"),
            StreamConnected(stream="parrot", connection=2),
        ]


def test_a_stream_that_is_silent_though_it_answers_pings_is_kept() -> None:
    with websocket_server(greeting(listen)) as url, streaming(url) as (stream, told):
        assert told.next() == StreamConnected(stream="parrot", connection=1)

        threading.Event().wait(3 * IMPATIENT.silence)

        assert stream.idle_s < IMPATIENT.silence
        with pytest.raises(queue.Empty):
            told._told.get_nowait()


def test_one_that_is_to_be_renewed_is_given_up_and_connected_again_i45() -> None:
    with websocket_server(greeting(listen)) as url, streaming(url) as (stream, told):
        assert told.next() == StreamConnected(stream="parrot", connection=1)

        stream.renew("it is mute")

        assert told.next() == StreamLost(stream="parrot", reason="it is mute")
        assert told.next() == StreamConnected(stream="parrot", connection=2)
        threading.Event().wait(3 * IMPATIENT.silence)
        assert told._told.empty()  # it was said of the one before


def test_a_socket_that_is_open_and_mute_is_noticed_in_time_i45() -> None:
    def go_mute(connection: ServerConnection) -> None:
        # What reads the socket, and would answer pings, waits for the lock that we hold.
        with connection.protocol_mutex:
            threading.Event().wait(3 * IMPATIENT.silence)

    with websocket_server(greeting(go_mute)) as url, streaming(url) as (_, told):
        assert told.next() == StreamConnected(stream="parrot", connection=1)
        with Timed() as timed:
            lost = told.next()

        assert isinstance(lost, StreamLost)
        assert lost.reason.startswith("silent for ")
        assert timed.took_s < 3 * IMPATIENT.silence


def test_one_that_we_are_made_deaf_to_is_lost_and_heard_again_afterwards_i45(
    tmp_path: Path,
) -> None:
    file = tmp_path / "deaf_to"
    deafness.arm_from({deafness.VARIABLE: str(file)})
    try:
        with websocket_server(greeting(listen)) as url, streaming(url) as (_, told):
            assert told.next() == StreamConnected(stream="parrot", connection=1)
            file.write_text("parrot")

            lost = told.next()

            assert isinstance(lost, StreamLost)
            assert lost.reason.startswith("silent for ")
            assert isinstance(told.next(), StreamLost)  # a new connection does not help
            file.unlink()
            while isinstance(connected := told.next(), StreamLost):
                pass
            assert connected == StreamConnected(stream="parrot", connection=2)
    finally:
        deafness.arm_from({})


def test_one_that_never_greets_is_given_up_however_much_it_talks() -> None:
    def chatter(connection: ServerConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            while True:
                connection.send("wait")
                threading.Event().wait(0.01)

    with websocket_server(chatter) as url, streaming(url) as (_, told):
        while (fact := told.next()) == "wait":
            pass
        assert fact == StreamLost(
            stream="parrot", reason="not logged in and subscribed within 0.3 s"
        )


def test_a_refusal_says_that_it_is_one() -> None:
    with (
        websocket_server(greeting(lambda connection: connection.send("stop"))) as url,
        streaming(url) as (_, told),
    ):
        told.next()
        assert told.next() == StreamLost(stream="parrot", reason="it says stop", is_refused=True)


def test_a_handshake_that_is_refused_for_the_keys_is_a_refusal() -> None:
    def refuse(stream: Any) -> None:
        stream.recv(4096)
        stream.sendall(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")

    with raw_server(refuse) as url, streaming(url) as (_, told):
        lost = told.next()
        assert isinstance(lost, StreamLost)
        assert lost.is_refused


def test_a_venue_that_hangs_up_on_the_handshake_is_asked_again_i47() -> None:
    def hang_up(stream: Any) -> None:
        stream.recv(4096)
        stream.sendall(b"HTTP/1.1 503 Service Unavailable\r\n\r\nback soon")
        stream.shutdown(socket.SHUT_WR)

    with raw_server(hang_up) as url, streaming(url) as (stream, told):
        assert told.next() == StreamLost(
            stream="parrot",
            reason="the handshake was refused: server rejected WebSocket connection: HTTP 503",
        )
        assert isinstance(told.next(), StreamLost)  # it has tried again
        assert stream.is_live is False


class Shy(Parrot):
    """Answers each word, and knows an end when it hears one."""

    def hear(self, message: Message) -> Heard:
        heard = super().hear(message)
        return heard if heard.failure else msgspec.structs.replace(heard, send=("thanks",))


@pytest.mark.parametrize("says_why", [True, False])
def test_who_says_why_and_hangs_up_before_an_answer_is_heard_to_the_end_i47(says_why: bool) -> None:
    """An error that needs a long pause comes with the greeting, in one piece with the end."""

    def script(connection: ServerConnection) -> None:
        assert connection.recv() == "hello"
        with connection.protocol_mutex:
            for word in ("one", "stop") if says_why else ("one",):
                connection.protocol.send_text(word.encode())
            connection.protocol.send_close(1013, "come back later")
            connection.send_data()

    told = Told()
    with websocket_server(script) as url:
        stream = Stream("parrot", url, {}, Shy, told, connect, IMPATIENT)
        stream.start()
        try:
            assert [told.next(), told.next()] == [
                "one",
                StreamLost(stream="parrot", reason="it says stop", is_refused=True)
                if says_why
                else StreamLost(
                    stream="parrot",
                    reason="the connection was closed with 1013 (come back later)",
                ),
            ]
            if not says_why:
                assert told.next() == "one"  # it has connected again
        finally:
            assert stream.stop(WITHIN_S)


def test_pauses_grow_to_a_limit_and_the_first_is_short() -> None:
    pauses = [pause_after(attempt, Trouble.LOST) for attempt in range(1, 2000)]

    assert pauses[0] == 0.25
    assert pauses == sorted(pauses)
    assert max(pauses) == 30.0
    assert pause_after(1, Trouble.BUSY) >= 90.0


def test_keys_that_are_refused_are_shown_once_a_minute_at_most_i44() -> None:
    assert {pause_after(attempt, Trouble.REFUSED) for attempt in range(1, 2000)} == {60.0}


def began_in(lives: list[tuple[float, bool, Trouble]], more: float = 0.0) -> list[float]:
    """When each attempt begins, one after the other: how long it lasts, whether it was let in."""
    attempts, now, begun = Attempts(settled=60.0), 1_000.0, list[float]()
    for lasts, was_live, trouble in lives:
        attempts.begin(now)
        begun.append(now)
        now += lasts
        now += attempts.pause(now, trouble, was_live=was_live, more=more)
    return begun


@given(
    lives=st.lists(
        st.tuples(st.floats(0, 200), st.booleans(), st.sampled_from(Trouble)),
        min_size=7,
        max_size=40,
    ),
    more=st.floats(0, 1),
)
def test_whatever_becomes_of_them_no_more_than_six_attempts_begin_in_a_minute_i47(
    lives: list[tuple[float, bool, Trouble]], more: float
) -> None:
    begun = began_in(lives, more)

    assert min(after - before for before, after in zip(begun, begun[6:], strict=False)) > 59.99


def test_a_connection_that_is_cut_every_five_seconds_is_made_again_ever_less_often_i47() -> None:
    begun = began_in([(5.0, True, Trouble.LOST)] * 12)

    pauses = [after - before - 5.0 for before, after in pairwise(begun)]
    assert pauses[:5] == [0.25, 0.5, 1.0, 2.0, 4.0]
    assert pauses[5] == 60.0 - (5 * 5.0 + sum(pauses[:5])) - 5.0  # there is no room before
    assert pauses[8:] == [30.0] * 3


def test_after_a_connection_that_lasted_the_next_comes_soon() -> None:
    lost, lasted = (0.0, False, Trouble.LOST), (60.0, True, Trouble.LOST)

    begun = began_in([lost] * 4 + [lasted] * 5)

    assert [after - before for before, after in pairwise(begun)][4:] == [60.25] * 4


def test_pauses_are_spread_by_a_quarter_at_most_and_never_shortened() -> None:
    assert began_in([(0.0, False, Trouble.BUSY)] * 2, more=0.0)[1] == 1_090.0
    assert began_in([(0.0, False, Trouble.BUSY)] * 2, more=1.0)[1] == 1_112.5


def test_it_ends_at_once_when_it_is_told_to_also_while_it_pauses() -> None:
    stream = Stream("parrot", "ws://127.0.0.1:1/stream", {}, Parrot, Told(), connect, IMPATIENT)
    stream.start()
    threading.Event().wait(0.05)
    with Timed() as timed:
        assert stream.stop(WITHIN_S)

    assert timed.took_s < 1.5


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_is_dead_grows_idle() -> None:
    def fail(_: Any) -> None:
        raise RuntimeError("nobody listens")

    stream = Stream("parrot", "ws://127.0.0.1:1/stream", {}, Parrot, fail, connect, IMPATIENT)
    stream.start()
    assert stream.stop(WITHIN_S)
    before = stream.idle_s

    threading.Event().wait(0.05)

    assert stream.idle_s >= before + 0.05
