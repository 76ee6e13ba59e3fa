"""What is said on a market-data stream: log in, subscribe, then bars, quotes and halts.

The same conversation for stocks, coins and options, in msgpack, which all of them speak. Times come
to the microsecond. An element that cannot be read is told as a gap and the rest of its frame is
read on; one whose kind we did not ask for is left alone. A trading status that cannot be read is a
halt besides, and a word about the connection itself its end: neither may be taken for nothing.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import msgspec

from hydra.settings.secret import Secret
from hydra.trading.bars import Bar
from hydra.trading.quotes import Quote
from hydra.venues.alpaca.http import Keys
from hydra.venues.alpaca.stream import Heard, Trouble
from hydra.venues.alpaca.websocket import Message
from messages.market import BarsReceived, QuoteReceived, TradingStatusReceived
from messages.streams import StreamGap

HEADERS = {"Content-Type": "application/msgpack"}
"""What makes the venue speak msgpack."""
RAW_LENGTH_MAX = 2_000


Named: TypeAlias = Mapping[str, list[str]]
"""Symbols, sorted, by the stream's name of the channel."""


class Channels(msgspec.Struct, frozen=True, kw_only=True):
    """What to subscribe to, by symbol as the stream spells it. Options have no bars."""

    bars: tuple[str, ...] = ()
    quotes: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()

    def named(self) -> "Named":
        """By the stream's names, without what is empty."""
        named = {"bars": self.bars, "quotes": self.quotes, "statuses": self.statuses}
        return {name: sorted(symbols) for name, symbols in named.items() if symbols}


class DataConversation:
    """One connection of a market-data stream.

    What is subscribed to may change while it lasts. The venue acknowledges every change with the
    whole of it, so only the acknowledgement of the last one is held against what is wanted.
    """

    def __init__(
        self,
        name: str,
        key: str,
        secret: str,
        channels: Channels,
        bar_interval: int,
        followed: Callable[[], tuple[str, ...]] = tuple,
    ) -> None:
        """`bar_interval`: how long the stream's bars last, in ns of market time. `followed` says,
        on any thread, of which symbols quotes are wanted now, besides the `channels`.
        """
        self._name = name
        self._key = key
        self._secret = secret
        self._keys = Keys(Secret(key), Secret(secret))
        self._channels = channels
        self._followed = followed
        self._following: tuple[str, ...] = ()
        self._wanted = channels.named()
        """What was asked for last."""
        self._is_logged_in = False
        self._unacknowledged = 0
        """Changes of which nothing was heard yet."""
        self._bar_interval = bar_interval

    def opened(self) -> tuple[Message, ...]:
        """See `Conversation`. The venue speaks first."""
        return ()

    @property
    def is_as_wanted(self) -> bool:
        """Whether the stream has acknowledged all that is wanted now."""
        is_asked_for = self._is_logged_in and self._followed() == self._following
        return is_asked_for and self._unacknowledged <= 0

    def due(self) -> tuple[Message, ...]:
        """See `Conversation`: what has come to be wanted, or not to be, since it was looked at."""
        # Asked after every message, so the case that nothing is new has to cost nothing.
        if not self._is_logged_in or self._followed() == self._following:
            return ()
        return self._asked_for(self._wanted, self._wanted_now())

    def hear(self, message: Message) -> Heard:
        """See `Conversation`."""
        data = message if isinstance(message, bytes) else message.encode()
        try:
            elements = _FRAME.decode(data)
        except _UNREADABLE as error:
            return Heard(tell=(self._gap(f"not a frame of this stream: {error}", data),))
        told: list[Any] = []
        send: list[Message] = []
        is_live = False
        for raw in elements:
            try:
                element = _ELEMENT.decode(raw)
            except _UNREADABLE as error:
                failure = self._tell_unread(raw, error, told)
                if failure is not None:
                    return Heard(tell=tuple(told), failure=failure)
                continue
            if isinstance(element, _Control):
                answer = self._answer(element)
                if answer.failure is not None:
                    return msgspec.structs.replace(answer, tell=tuple(told))
                # What was subscribed to may follow in the same frame, so it is read on.
                send += answer.send
                is_live = is_live or answer.is_live
            else:
                told.append(self._fact(element))
        return Heard(send=tuple(send), tell=tuple(told), is_live=is_live)

    def _tell_unread(self, raw: msgspec.Raw, error: Exception, told: list[Any]) -> str | None:
        """Tell of an element that cannot be read; gives why the connection ends by it, if it does.

        Nobody knows whom a trading status without a name is about: it counts for all, and on the
        next connection whoever is not halted shows it by trading.
        """
        kind = _text_in(raw, _KIND) or "?"
        if kind != "?" and kind not in _ASKED_FOR:
            return None
        reason = f"an element of kind {kind!r}: {error}"
        told.append(self._gap(reason, bytes(raw)))
        fault = self._keys.words(f"cannot be read: {reason}")
        if kind in _CONTROL:
            return fault
        if kind != "s":
            return None
        listened_to = self._channels.statuses
        symbol = _text_in(raw, _SYMBOL)
        is_named = symbol in listened_to
        told += [
            TradingStatusReceived(symbol=each, trades=False, code="?", reason=fault, at=None)
            for each in listened_to
            if each == symbol or not is_named
        ]
        return None if is_named or not listened_to else fault

    def _answer(self, control: "_Control") -> Heard:
        match control:
            case _Success(msg="connected"):
                login = {"action": "auth", "key": self._key, "secret": self._secret}
                return Heard(send=(_ENCODER.encode(login),))
            case _Success(msg="authenticated"):
                self._is_logged_in = True
                asked = self._asked_for({}, self._wanted_now())
                # To subscribe to nothing is no request: then being logged in is all there is.
                return Heard(send=asked, is_live=not asked)
            case _Success():
                return Heard()
            case _Subscription():
                self._unacknowledged -= 1
                if self._unacknowledged > 0:
                    return Heard()  # of a change before the last one
                missing = self._missing_in(control)
                if not missing:
                    return Heard(is_live=True)
                return Heard(failure=f"not subscribed to {missing}", trouble=Trouble.REFUSED)
            case _Error(code=403):
                return Heard()  # logged in already: so be it
            case _Error():
                trouble = _TROUBLE.get(control.code, Trouble.LOST)
                failure = f"the venue says {control.code}: {self._keys.words(control.msg or '')}"
                return Heard(failure=failure, trouble=trouble)

    def _wanted_now(self) -> "Named":
        self._following = self._followed()
        quotes = tuple({*self._channels.quotes, *self._following})
        return msgspec.structs.replace(self._channels, quotes=quotes).named()

    def _asked_for(self, before: "Named", wanted: "Named") -> tuple[Message, ...]:
        self._wanted = wanted
        # What goes first makes room: the plan counts the symbols, also for the moment between.
        changes = {"unsubscribe": _beyond(before, wanted), "subscribe": _beyond(wanted, before)}
        messages = tuple(
            _ENCODER.encode({"action": action, **named})
            for action, named in changes.items()
            if named
        )
        self._unacknowledged += len(messages)
        return messages

    def _missing_in(self, subscription: "_Subscription") -> str:
        got = msgspec.structs.asdict(subscription)
        return "; ".join(
            f"{channel} of {', '.join(sorted(lacking))}"
            for channel, symbols in self._wanted.items()
            if (lacking := set(symbols) - set(got[channel] or ()))
        )

    def _fact(self, element: "_Fact") -> Any:
        at = _ns(element.t)
        match element:
            case _Bar():
                bar = Bar(
                    symbol=element.S,
                    start_at=at,
                    end_at=at + self._bar_interval,
                    open=element.o,
                    high=element.h,
                    low=element.l,
                    close=element.c,
                    volume=element.v,
                )
                return BarsReceived(bars=(bar,))
            case _Quote():
                quote = Quote(
                    symbol=element.S,
                    at=at,
                    bid=element.bp,
                    ask=element.ap,
                    bid_size=element.bs,
                    ask_size=element.as_,
                )
                return QuoteReceived(quote=quote)
            case _Status():
                said = " ".join(word for word in (element.sm, element.rc, element.rm) if word)
                return TradingStatusReceived(
                    symbol=element.S,
                    trades=(element.z, element.sc) in _RESUMES,
                    code=self._keys.words(element.sc),
                    reason=self._keys.words(said),
                    at=at,
                )

    def _gap(self, reason: str, data: bytes) -> StreamGap:
        # Once it is cut, what is left of a key is found by nobody any more.
        raw = self._keys.scrubbed(data)[:RAW_LENGTH_MAX].decode("ascii", errors="backslashreplace")
        return StreamGap(stream=self._name, reason=reason, raw=raw)


def _beyond(wanted: Named, other: Named) -> Named:
    """What the one has and the other has not."""
    found = {
        channel: [symbol for symbol in symbols if symbol not in other.get(channel, ())]
        for channel, symbols in wanted.items()
    }
    return {channel: symbols for channel, symbols in found.items() if symbols}


# The stream's own names; `T` tells them apart. What a message has beside these is not looked at.
# What may be absent may be null: both mean the same.


class _Success(msgspec.Struct, tag_field="T", tag="success"):
    msg: str | None = None


class _Error(msgspec.Struct, tag_field="T", tag="error"):
    code: int
    msg: str | None = None


class _Subscription(msgspec.Struct, tag_field="T", tag="subscription"):
    bars: list[str] | None = None
    quotes: list[str] | None = None
    statuses: list[str] | None = None


class _Bar(msgspec.Struct, tag_field="T", tag="b"):
    S: str
    t: datetime
    o: float
    h: float
    l: float  # noqa: E741  # the stream's name for the low
    c: float
    v: float


class _Quote(msgspec.Struct, tag_field="T", tag="q", rename={"as_": "as"}):
    S: str
    t: datetime
    bp: float
    bs: float
    ap: float
    as_: float


class _Status(msgspec.Struct, tag_field="T", tag="s"):
    S: str
    t: datetime
    sc: str
    sm: str | None = None
    rc: str | None = None
    rm: str | None = None
    z: str | None = None


class _Kind(msgspec.Struct):
    text: str = msgspec.field(name="T")


class _Symbol(msgspec.Struct):
    text: str = msgspec.field(name="S")


_Control: TypeAlias = _Success | _Error | _Subscription
_Fact: TypeAlias = _Bar | _Quote | _Status
_Element: TypeAlias = _Control | _Fact

_FRAME = msgspec.msgpack.Decoder(list[msgspec.Raw])
_ELEMENT: msgspec.msgpack.Decoder[_Element] = msgspec.msgpack.Decoder(_Element)
_KIND = msgspec.msgpack.Decoder(_Kind)
_SYMBOL = msgspec.msgpack.Decoder(_Symbol)
_ENCODER = msgspec.msgpack.Encoder()
_UNREADABLE = (msgspec.MsgspecError, ValueError, OverflowError, RecursionError)
"""By which the decoders refuse: what is no msgpack or of a wrong type, no UTF-8, no time that there
is, and what is nested too deeply.
"""
_CONTROL = frozenset({"success", "error", "subscription"})
_ASKED_FOR = frozenset({"b", "q", "s"}) | _CONTROL

_RESUMES = frozenset({("A", "3"), ("B", "3"), ("C", "T"), ("O", "T")})
"""Tape and code of the words that mean that a symbol trades again."""

_TROUBLE: Mapping[int, Trouble] = {
    402: Trouble.REFUSED,  # keys
    405: Trouble.REFUSED,  # more symbols than the plan has
    406: Trouble.BUSY,
    408: Trouble.REFUSED,
    409: Trouble.REFUSED,  # a feed that the plan does not have
    411: Trouble.REFUSED,
}

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def _text_in(
    raw: msgspec.Raw, decoder: msgspec.msgpack.Decoder[_Kind] | msgspec.msgpack.Decoder[_Symbol]
) -> str | None:
    """The one text of an element that this reads, whatever the others are; None: it cannot."""
    try:
        return decoder.decode(raw).text
    except _UNREADABLE:
        return None


def _ns(moment: datetime) -> int:
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // _MICROSECOND * 1_000
