"""What an adapter says of its connections: streams tell of the present only, never of what was.

Nothing that happened while a stream was down is ever told on it; so each connection of the trading
stream is followed by a comparison with the venue (I47), and each one of market data by a look at
what was missed.
"""

from messages.message import Message


class StreamConnected(Message, frozen=True, kw_only=True):
    """The stream is connected, logged in and subscribed: from now on it tells what happens.

    `connection` counts from 1: from 2 on, something may have been missed before.
    """

    stream: str
    connection: int


class StreamLost(Message, frozen=True, kw_only=True):
    """The stream tells nothing any more. It is being connected again, with growing pauses.

    `is_refused`: the venue does not let us in (keys, plan), so that trying again helps nothing
    before a person has done something.
    """

    stream: str
    reason: str
    is_refused: bool = False


class StreamGap(Message, frozen=True, kw_only=True):
    """Something was told that could not be understood whole: what is missing is not known.

    `raw` is what was told, cut to a length that can be kept.
    """

    stream: str
    reason: str
    raw: str


class StreamOverdue(Message, frozen=True, kw_only=True):
    """The gateway's word to itself: the trading stream has been away for too long."""

    reason: str
