"""Option chains for whoever asks, read on a thread of their own (`OptionChains`)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from time import monotonic

from hydra.trading.option_rules import ChainContract
from hydra.venues.alpaca.lanes import Lane
from hydra.venues.alpaca.options import ChainBounds, ChainEntry, Contract, OptionReads
from hydra.venues.alpaca.reads import ReadFailed
from messages.message import Message
from messages.options import ChainNotRead, ChainQuestion, ChainRead

READ_WITHIN_S = 8.0
WAITING_MAX = 8
"""Questions. A bot asks one at a time of each underlying; more than this is a bug or a jam."""


class AlpacaChains:
    """See the module. `tell` is called from its thread, with the path that is to hear."""

    def __init__(self, reads: OptionReads, tell: Callable[[str, Message], None]) -> None:
        self._reads = reads
        self._tell = tell
        # The question that its thread dies of is overdue, and nothing is entered.
        self._lane = Lane("chains", threads=1, waiting_max=WAITING_MAX, died=lambda _: None)

    def ask(self, question: ChainQuestion) -> None:
        """See `OptionChains.ask`."""
        if not self._lane.add(partial(self._answer, question)):
            self._fail(question, f"{WAITING_MAX} chains are waited for, or it is closed")

    @property
    def is_idle(self) -> bool:
        """Every question was answered."""
        return self._lane.is_idle

    def ask_to_stop(self) -> None:
        """No question is taken any more."""
        self._lane.close()

    def join(self, within_s: float) -> bool:
        """Wait for the end of the thread; False if it has not ended in time."""
        return self._lane.join(monotonic() + within_s)

    def _answer(self, question: ChainQuestion) -> None:
        bounds = ChainBounds(
            first=question.first,
            last=question.last,
            right=question.right,
            strike_from=question.strike_from,
            strike_to=question.strike_to,
        )
        deadline = monotonic() + READ_WITHIN_S
        try:
            listed = self._reads.contracts(question.underlying, bounds, deadline)
            is_any = bool(listed.contracts)
            shown = self._reads.chain(question.underlying, bounds, deadline) if is_any else ()
        except ReadFailed as failed:
            self._fail(question, str(failed))
            return
        entries = {entry.symbol: entry for entry in shown}
        answer = ChainRead(
            contracts=tuple(_joined(each, entries.get(each.symbol)) for each in listed.contracts),
            asked_by=question.asked_by,
            number=question.number,
            unread=listed.unread,
        )
        self._tell(question.reply_to, answer)

    def _fail(self, question: ChainQuestion, reason: str) -> None:
        failed = ChainNotRead(reason=reason, asked_by=question.asked_by, number=question.number)
        self._tell(question.reply_to, failed)


def _joined(listed: Contract, shown: ChainEntry | None) -> ChainContract:
    """What the trading side lists, with what the data side shows of it, if it does."""
    greeks = None if shown is None else shown.greeks
    return ChainContract(
        symbol=listed.symbol,
        underlying=listed.underlying,
        expiration=listed.expiration,
        right=listed.right,
        strike=listed.strike,
        multiplier=listed.multiplier,
        tradable=listed.tradable,
        open_interest=listed.open_interest,
        quote=None if shown is None else shown.quote,
        delta=None if greeks is None else greeks.delta,
        implied_volatility=None if shown is None else shown.implied_volatility,
        in_penny_program=listed.in_penny_program,
    )
