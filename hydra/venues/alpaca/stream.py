"""One stream of the broker's, kept connected: a thread that connects, talks, listens and watches.

What is said is in a `Conversation`, which is pure; here is what every stream has in common: the
deadline of a login, signs of life, pauses between attempts. A stream that says nothing and one
that is not there look alike from outside; here both end in `StreamLost`.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from enum import Enum
from random import Random
from time import monotonic, sleep
from typing import Any, Protocol

import msgspec

from hydra.deafness import is_deaf_to
from hydra.venues.alpaca.turns import Turns
from hydra.venues.alpaca.websocket import Connect, ConnectionLost, Message, WebSocket
from messages.streams import StreamConnected, StreamLost

LOOK_EVERY_S = 1.0
SEND_WITHIN_S = 5.0
ATTEMPTS_A_MINUTE_MAX = 6
MINUTE_S = 60.0
SPREAD = 0.25
"""A pause is longer by up to this share of it, drawn anew each time."""


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """How long to wait for what, in seconds of the machine's time."""

    connect: float = 10.0
    live: float = 20.0
    """From an open connection to the last acknowledgement of a login and a subscription."""
    ping: float = 10.0
    """Of silence, before asking for a sign of life. The real service pings about as often."""
    silence: float = 20.0
    """A ping notwithstanding: then nobody is there."""
    settled: float = 60.0
    """A connection that lasted so long was a good one: the next pause is the first one again."""
    look: float = LOOK_EVERY_S
    """From one look at what else is due to the next, while nothing is heard."""


class Trouble(Enum):
    """What kind of end a connection came to: it decides how long to wait before the next."""

    LOST = "lost"
    BUSY = "busy"
    """Too many connections: another process, or a dead session that the venue still counts."""
    REFUSED = "refused"
    """Keys or plan: the venue will not let us in."""


class Heard(msgspec.Struct, frozen=True):
    """What follows from a message: what to answer, what to tell, and whether it is the end.

    `is_live`: logged in and subscribed. `failure` is why the connection is of no use any more.
    """

    send: tuple[Message, ...] = ()
    tell: tuple[Any, ...] = ()
    is_live: bool = False
    failure: str | None = None
    trouble: Trouble = Trouble.LOST


class Conversation(Protocol):
    """What is said on one connection, from its beginning to its end."""

    def opened(self) -> tuple[Message, ...]:
        """What to say first."""

    def hear(self, message: Message) -> Heard:
        """The venue said this. Raises nothing, whatever it is."""

    def due(self) -> tuple[Message, ...]:
        """What is to be said without having been asked; looked at again and again."""


def pause_after(attempt: int, trouble: Trouble) -> float:
    """Seconds before the next attempt, after so many (from 1) that came to nothing in a row."""
    match trouble:
        case Trouble.LOST:
            return min(30.0, 0.25 * 2.0 ** min(attempt - 1, 10))
        case Trouble.BUSY:
            return 90.0  # that long the venue may count a session that is dead
        case Trouble.REFUSED:
            return 60.0


class Attempts:
    """How long to wait before each attempt: growing pauses, and room for so many in a minute.

    A pause grows with what came to nothing in a row. A connection that is let in and cut, again and
    again, is held by the room: a venue that is asked too often shuts us out for longer. Times are
    seconds of the machine's monotonic clock.
    """

    def __init__(self, settled: float) -> None:
        """`settled`: a connection that lasted so long (s) was a good one."""
        self._settled = settled
        self._begun: deque[float] = deque(maxlen=ATTEMPTS_A_MINUTE_MAX)
        self._in_a_row = 0

    def begin(self, now: float) -> None:
        """One begins."""
        self._begun.append(now)

    def pause(self, now: float, trouble: Trouble, *, was_live: bool, more: float = 0.0) -> float:
        """Seconds from its end to the next one, at least. `more`: by which share, of `SPREAD`."""
        is_good = was_live and now - self._begun[-1] >= self._settled
        self._in_a_row = 1 if is_good else self._in_a_row + 1
        grown = pause_after(self._in_a_row, trouble) * (1 + SPREAD * more)
        if len(self._begun) < ATTEMPTS_A_MINUTE_MAX:
            return grown
        return max(grown, self._begun[0] + MINUTE_S - now)


class Stream:
    """Tells what it hears to `tell`, on its own thread, between `StreamConnected`, `StreamLost`."""

    def __init__(
        self,
        name: str,
        url: str,
        headers: Mapping[str, str],
        converse: Callable[[], Conversation],
        tell: Callable[[Any], None],
        connect: Connect,
        patience: Patience | None = None,
    ) -> None:
        self.name = name
        self._patience = patience or Patience()
        self._url = url
        self._headers = dict(headers)
        self._converse = converse
        self._tell = tell
        self._connect = connect
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._connections = 0
        self._telling = threading.Lock()
        self._state: StreamConnected | StreamLost = StreamLost(stream=name, reason="not begun")
        self._turns = Turns()
        self._renewals: deque[str] = deque(maxlen=1)
        """Why the connection is to be given up: put there by any thread, taken by ours."""
        self.frames_heard = 0
        """Messages of all its connections; what one says was told before it counts. One that ends
        its connection does not.
        """

    def start(self) -> None:
        """Begin to connect."""
        self._turns.round()  # it may have been made long before
        self._thread = threading.Thread(target=self._run, name=f"stream-{self.name}", daemon=True)
        self._thread.start()

    def ask_to_stop(self) -> None:
        """Say so, without waiting for its end."""
        self._stopping.set()

    def stop(self, within_s: float) -> bool:
        """End it; False if the thread has not ended in time."""
        self.ask_to_stop()
        if self._thread is None:
            return True
        self._thread.join(within_s)
        return not self._thread.is_alive()

    def report(self) -> None:
        """Tell once more how it is: who listens now may not be who was told."""
        with self._telling:
            self._tell(self._state)

    def renew(self, reason: str) -> None:
        """End the connection that there is, for this reason, so that another one is made."""
        self._renewals.append(reason)

    @property
    def is_live(self) -> bool:
        """Whether it is connected, logged in and subscribed, as it was told last."""
        return isinstance(self._state, StreamConnected)

    @property
    def idle_s(self) -> float:
        """For how long the thread has been overdue: of one that is dead or stuck it only grows."""
        return self._turns.idle_s

    def _run(self) -> None:
        attempts, dice = Attempts(self._patience.settled), Random()
        while not self._stopping.is_set():
            attempts.begin(monotonic())
            reason, trouble, was_live = self._one_connection()
            if self._stopping.is_set():
                return
            # Whoever lost the venue with us comes back at another moment.
            pause = attempts.pause(monotonic(), trouble, was_live=was_live, more=dice.random())
            self._tell_state(
                StreamLost(stream=self.name, reason=reason, is_refused=trouble is Trouble.REFUSED)
            )
            self._pause(pause)

    def _tell_state(self, state: StreamConnected | StreamLost) -> None:
        with self._telling:
            self._state = state
            self._tell(state)

    def _pause(self, seconds: float) -> None:
        until = monotonic() + seconds
        while (left := until - monotonic()) > 0 and not self._stopping.is_set():
            self._turns.round()
            self._stopping.wait(min(left, LOOK_EVERY_S))

    def _one_connection(self) -> tuple[str, Trouble, bool]:
        """From connecting to the end; gives why it ended, and whether it ever was live."""
        self._turns.round(self._patience.connect)
        try:
            socket = WebSocket.open(self._url, self._headers, self._patience.connect, self._connect)
        except ConnectionLost as lost:
            return str(lost), _trouble_of(lost.status), False
        finally:
            self._turns.round()
        talk = _Talk(self.name, self._converse(), socket, self._patience)
        try:
            self._renewals.clear()  # it was said of one before
            talk.say(talk.conversation.opened())
            while not self._stopping.is_set():
                self._turns.round()
                if self._renewals:
                    return self._renewals.popleft(), Trouble.LOST, talk.is_live
                talk.say(talk.conversation.due())
                heard = talk.listen()
                if heard is None:
                    continue
                talk.say(heard.send)
                if heard.is_live and not talk.is_live:
                    talk.is_live = True
                    self._connections += 1
                    connection = self._connections
                    self._tell_state(StreamConnected(stream=self.name, connection=connection))
                for fact in heard.tell:
                    self._tell(fact)
                if heard.failure is not None:
                    return heard.failure, heard.trouble, talk.is_live
                self.frames_heard += 1
            return "asked to stop", Trouble.LOST, talk.is_live
        except ConnectionLost as lost:
            return str(lost), Trouble.LOST, talk.is_live
        finally:
            socket.close()


class _Talk:
    """One connection with its conversation, and the watch over both."""

    def __init__(
        self, name: str, conversation: Conversation, socket: WebSocket, patience: Patience
    ) -> None:
        self._name = name
        self.conversation = conversation
        self.is_live = False
        self._socket = socket
        self._patience = patience
        self._live_by = monotonic() + patience.live
        self._look_every = min(patience.look, patience.ping, patience.live)
        self._pinged_at = 0.0
        self._unsaid: ConnectionLost | None = None
        """Why something could not be said: the connection is over once all was heard."""

    def say(self, messages: tuple[Message, ...]) -> None:
        """Send them. A venue may say why it leaves and leave: what it said is heard all the same,
        before the connection is lost.
        """
        for message in messages:
            if self._unsaid is None:
                try:
                    self._socket.send(message, SEND_WITHIN_S)
                except ConnectionLost as lost:
                    self._unsaid = lost

    def listen(self) -> Heard | None:
        """What follows from the next message; None: there was none for a while, and all is well."""
        if not self.is_live and monotonic() >= self._live_by:
            return Heard(failure=f"not logged in and subscribed within {self._patience.live:g} s")
        message = self._received()
        if message is not None:
            return self.conversation.hear(message)
        now = monotonic()
        silent = now - self._socket.heard_at
        if silent >= self._patience.silence:
            return Heard(failure=f"silent for {silent:.0f} s, and a ping was not answered")
        if silent >= self._patience.ping and self._pinged_at < self._socket.heard_at:
            self._pinged_at = now
            self._socket.ping(SEND_WITHIN_S)
        return None

    def _received(self) -> Message | None:
        if is_deaf_to(self._name):  # in a drill
            sleep(self._look_every)
            return None
        if self._unsaid is None:
            return self._socket.receive(self._look_every)
        message = self._socket.receive(0.0)
        if message is None:
            raise self._unsaid
        return message


def _trouble_of(status: int | None) -> Trouble:
    match status:
        case 401 | 403:
            return Trouble.REFUSED
        case 429:
            return Trouble.BUSY
        case _:
            return Trouble.LOST
