"""Live prices and option chains in virtual time, for an engine that trades options.

The two ports of one process: streams that connect a moment after it begins, and again when they are
lost; quotes of the contracts that are followed, as they change; answers to questions about chains.
What goes wrong with them is the day's (`OptionTrouble`) and outlives the process. Of shares and
coins there are bars, which are told by whoever plays the market.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from msgspec.structs import replace

from hydra.actor import MILLISECOND, MINUTE, SECOND, Ref
from hydra.proving.lies import QUOTE_LIES
from hydra.runtime.runtime import Runtime
from hydra.trading.option_rules import ChainContract
from hydra.trading.quotes import Quote
from messages.market import QuoteReceived
from messages.message import Message
from messages.options import ChainNotRead, ChainQuestion, ChainRead
from messages.streams import StreamConnected, StreamLost
from supervisors import paths

CONTRACT_STREAM = "options"
CONNECTS_IN = SECOND // 2
CONNECTS_AGAIN_IN = 10 * SECOND
"""While it cannot be reached."""
ANSWERS_IN = 300 * MILLISECOND
ANSWERS_LATE_IN = 12 * SECOND
"""Nobody waits for so long."""
QUOTED_EVERY = MINUTE // 4
"""So often a contract is worth something else; see `market/derived`."""
ON_ITS_WAY = 200 * MILLISECOND


class Contracts(Protocol):
    """What there is to quote, at market time `at`."""

    def quote(self, symbol: str, at: int) -> Quote | None:
        """The newest; None: there has been none."""

    def listed(self, question: ChainQuestion, at: int) -> tuple[ChainContract, ...]:
        """What is asked for."""


class OptionTrouble:
    """What is wrong with chains and contracts, each until a market time."""

    def __init__(self) -> None:
        self.heal()

    def heal(self) -> None:
        """Nothing is."""
        self._lost_until = self._mute_until = self._chain_until = self._lying_until = 0
        self._chain_fault = self._lie = ""

    def lose(self, until: int) -> None:
        """The stream of contracts cannot be reached."""
        self._lost_until = max(self._lost_until, until)

    def mute(self, until: int) -> None:
        """It is connected, and brings nothing."""
        self._mute_until = max(self._mute_until, until)

    def fail_chains(self, how: str, until: int) -> None:
        """Questions are answered in this way: one of `CHAIN_FAULTS`."""
        self._chain_fault, self._chain_until = how, until

    def lie(self, how: str, until: int) -> None:
        """Quotes are wrong in this way: one of `QUOTE_LIES`."""
        self._lie, self._lying_until = how, until

    def is_lost(self, at: int) -> bool:
        """See `lose`."""
        return at < self._lost_until

    def is_mute(self, at: int) -> bool:
        """See `mute`."""
        return at < self._mute_until

    def chain_fault(self, at: int) -> str:
        """ "" if there is none."""
        return self._chain_fault if at < self._chain_until else ""

    def shown(self, quote: Quote, at: int) -> Quote:
        """What is told in the place of a good quote."""
        return QUOTE_LIES[self._lie](quote) if at < self._lying_until else quote


class OptionFeed:
    """See the module. `streams` as of `PriceFeed`, beside the one of contracts.

    It is made before the actors are there, and speaks from `begin` on.
    """

    def __init__(
        self,
        contracts: Contracts,
        streams: Mapping[str, tuple[str, ...]],
        trouble: OptionTrouble | None = None,
        quoted_every: int = QUOTED_EVERY,
    ) -> None:
        """`quoted_every` 0: only when `tell_quotes` is called."""
        self._streams = streams
        self._contracts = contracts
        self._trouble = trouble or OptionTrouble()
        self._quoted_every = quoted_every
        self._runtime: Runtime | None = None
        self._said: dict[str, StreamConnected | StreamLost] = {}
        """How each stream is, as it was told last."""
        self._connections = dict.fromkeys(streams, 0)
        self.followed: tuple[str, ...] = ()
        self.renewed: list[str] = []

    def begin(self, runtime: Runtime) -> None:
        """The streams connect."""
        self._runtime = runtime
        for stream in self._connections:
            self._connect_in(CONNECTS_IN, stream)
        if self._quoted_every:
            self._quote_again()

    # The port for live prices

    @property
    def streams(self) -> Mapping[str, tuple[str, ...]]:
        """See `PriceFeed.streams`."""
        return self._streams

    @property
    def contract_stream(self) -> str:
        """See `PriceFeed.contract_stream`."""
        return CONTRACT_STREAM

    def report(self) -> None:
        """See `PriceFeed.report`."""
        for said in self._said.values():
            self._tell(paths.DATA_FEED, said)

    def renew(self, stream: str, reason: str) -> None:
        """See `PriceFeed.renew`."""
        self.renewed.append(stream)
        self.lose(stream, reason)

    def follow(self, contracts: tuple[str, ...]) -> None:
        """See `PriceFeed.follow`."""
        self.followed = contracts
        if contracts and CONTRACT_STREAM not in self._connections:
            self._connections[CONTRACT_STREAM] = 0
            self._connect_in(CONNECTS_IN, CONTRACT_STREAM)

    # The port for chains

    def ask(self, question: ChainQuestion) -> None:
        """See `OptionChains.ask`."""
        match self._trouble.chain_fault(self._now):
            case "unanswered":
                pass
            case "late":
                self._answer_in(ANSWERS_LATE_IN, question)
            case "unread":
                failed = ChainNotRead(
                    reason="page 2 of the chain could not be read",
                    asked_by=question.asked_by,
                    number=question.number,
                )
                self._later(ANSWERS_IN, lambda: self._tell(Ref(question.reply_to), failed))
            case "twice":
                self._answer_in(ANSWERS_IN, question)
                self._answer_in(2 * ANSWERS_IN, question)
            case _:
                self._answer_in(ANSWERS_IN, question)

    # What the market does

    def lose(self, stream: str, reason: str) -> None:
        """The connection of this stream is gone; it is made anew, for as long as it takes."""
        if isinstance(self._said.get(stream), StreamConnected):
            self._say(StreamLost(stream=stream, reason=reason))
            self._connect_in(CONNECTS_IN, stream)

    def tell_quotes(self) -> None:
        """Of all that is followed, if the stream brings them."""
        at = self._now
        is_live = isinstance(self._said.get(CONTRACT_STREAM), StreamConnected)
        if not is_live or self._trouble.is_mute(at):
            return
        for symbol in self.followed:
            quote = self._contracts.quote(symbol, at)
            if quote is not None:
                shown = self._trouble.shown(quote, at)
                self._tell(paths.DATA_FEED, QuoteReceived(quote=shown))

    def _quote_again(self) -> None:
        """At the next time that they change, and so on."""
        self.tell_quotes()
        every = self._quoted_every
        due = (self._now - ON_ITS_WAY) // every * every + every + ON_ITS_WAY
        self._later(due - self._now, self._quote_again)

    def _connect_in(self, delay: int, stream: str) -> None:
        self._later(delay, lambda: self._connect(stream))

    def _connect(self, stream: str) -> None:
        if stream == CONTRACT_STREAM and self._trouble.is_lost(self._now):
            self._say(StreamLost(stream=stream, reason="nobody answers there"))
            self._connect_in(CONNECTS_AGAIN_IN, stream)
            return
        self._connections[stream] += 1
        self._say(StreamConnected(stream=stream, connection=self._connections[stream]))

    def _answer_in(self, delay: int, question: ChainQuestion) -> None:
        def answer() -> None:
            listed = self._contracts.listed(question, self._now)
            match self._trouble.chain_fault(self._now):
                case "empty":
                    listed = ()
                case "unquoted":
                    listed = tuple(replace(each, quote=None) for each in listed)
                case _:
                    pass
            read = ChainRead(contracts=listed, asked_by=question.asked_by, number=question.number)
            self._tell(Ref(question.reply_to), read)

        self._later(delay, answer)

    def _say(self, said: StreamConnected | StreamLost) -> None:
        self._said[said.stream] = said
        self._tell(paths.DATA_FEED, said)

    # The process that it is of

    @property
    def _now(self) -> int:
        return 0 if self._runtime is None else self._runtime.now()

    def _tell(self, ref: Ref[Any], message: Message) -> None:
        if self._runtime is not None:
            self._runtime.tell(ref, message)

    def _later(self, delay: int, action: Callable[[], None]) -> None:
        """Before it has begun nothing is to come: `begin` connects what is wanted by then."""
        if self._runtime is not None:
            self._runtime.call_later(delay, action)
