"""Splits, mergers and the like over REST, read on a thread of their own (`CorporateActions`).

What is read is what the broker tells: it promises nothing about how early that is. An action whose
kind nobody here knows is kept under the broker's word for it. One that cannot be read makes the
shares that it names unknown; one that names none, the whole answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from functools import partial
from itertools import islice
from math import isfinite
from time import monotonic
from typing import Any

import msgspec

from hydra.trading.corporate_actions import CorporateAction
from hydra.trading.echo import words
from hydra.venues.alpaca.bad_answer import BadAnswer
from hydra.venues.alpaca.calls import Calls
from hydra.venues.alpaca.lanes import Lane
from hydra.venues.alpaca.market_rest import Page, all_pages
from hydra.venues.alpaca.payloads import reader, rows_reader
from hydra.venues.alpaca.reads import ReadFailed
from messages.corporate_actions import ActionsNotRead, ActionsQuestion, ActionsRead
from messages.message import Message

PATH = "/v1/corporate-actions"
ROWS_A_PAGE = 1_000
SYMBOLS_A_REQUEST = 50
"""An address must not grow too long."""
READ_WITHIN_S = 15.0
WAITING_MAX = 2
"""Questions. There is one at a time; one more may come from the next life of who asks."""

MERGERS = frozenset({"cash_mergers", "stock_mergers", "stock_and_cash_mergers"})
"""Nothing changes for the shares of who takes over."""
_SYMBOLS = (
    *("symbol", "old_symbol", "new_symbol", "alternate_symbol"),
    *("source_symbol", "acquiree_symbol", "acquirer_symbol"),
)


class ActionRow(msgspec.Struct, kw_only=True):
    """An action of any kind as the broker writes it; each kind has some of this."""

    symbol: str | None = None
    old_symbol: str | None = None
    new_symbol: str | None = None
    alternate_symbol: str | None = None
    source_symbol: str | None = None
    acquiree_symbol: str | None = None
    acquirer_symbol: str | None = None
    ex_date: date | None = None
    effective_date: date | None = None
    process_date: date | None = None
    special: bool | None = None
    new_rate: Any = None
    old_rate: Any = None


class ActionsPage(Page, kw_only=True):
    """Some actions, by the broker's word for their kind."""

    corporate_actions: dict[str, list[msgspec.Raw] | None] | None = None


class FoundActions(msgspec.Struct, frozen=True, kw_only=True):
    """In the order of their dates; and the shares of which one cannot be read, in order."""

    actions: tuple[CorporateAction, ...]
    unread: tuple[str, ...]


class ActionReads:
    """Reads actions from the data host. Each call waits."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def actions(
        self, symbols: Iterable[str], first: date, last: date, deadline: float
    ) -> FoundActions:
        """All that are booked on these days, both included. `deadline`: monotonic, in seconds.

        Raises `ReadFailed`.
        """
        found: set[CorporateAction] = set()
        unread: set[str] = set()
        for batch in _batches(symbols):
            for kind, row in self._rows(batch, first, last, deadline):
                action = _action(kind, row)
                if isinstance(action, CorporateAction):
                    found.add(action)
                else:
                    unread.update(action)
        return FoundActions(
            actions=tuple(sorted(found, key=lambda each: (each.first, each.kind, each.symbols))),
            unread=tuple(sorted(unread)),
        )

    def _rows(
        self, symbols: tuple[str, ...], first: date, last: date, deadline: float
    ) -> Iterator[tuple[str, bytes]]:
        query = {
            "symbols": ",".join(symbols),
            "start": first.isoformat(),
            "end": last.isoformat(),
            "limit": str(ROWS_A_PAGE),
        }
        for page in all_pages(self._calls, PATH, query, read_actions_page, deadline):
            for kind, rows in (page.corporate_actions or {}).items():
                for row in rows or ():
                    yield kind, bytes(row)


class AlpacaActions:
    """See the module. `tell` is called from its thread, with the path that is to hear."""

    def __init__(self, reads: ActionReads, tell: Callable[[str, Message], None]) -> None:
        self._reads = reads
        self._tell = tell
        # The question that its thread dies of is overdue, and nothing is known by it.
        self._lane = Lane("actions", threads=1, waiting_max=WAITING_MAX, died=lambda _: None)

    def ask(self, question: ActionsQuestion) -> None:
        """See `CorporateActions.ask`."""
        if not self._lane.add(partial(self._answer, question)):
            self._fail(question, f"{WAITING_MAX} questions are waited for, or it is closed")

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

    def _answer(self, question: ActionsQuestion) -> None:
        deadline = monotonic() + READ_WITHIN_S
        try:
            found = self._reads.actions(question.symbols, question.first, question.last, deadline)
        except ReadFailed as failed:
            self._fail(question, str(failed))
            return
        answer = ActionsRead(
            actions=found.actions,
            unread=found.unread,
            asked_by=question.asked_by,
            number=question.number,
        )
        self._tell(question.reply_to, answer)

    def _fail(self, question: ActionsQuestion, reason: str) -> None:
        failed = ActionsNotRead(reason=reason, asked_by=question.asked_by, number=question.number)
        self._tell(question.reply_to, failed)


read_actions_page = rows_reader(ActionsPage, "corporate_actions")
_read_row = reader(ActionRow)
_read_fields = reader(dict[str, Any])


def _action(kind: str, raw: bytes) -> CorporateAction | tuple[str, ...]:
    """The action; or, where it cannot be read, the symbols that it names. Raises `ReadFailed`."""
    try:
        return action_of(kind, _read_row(raw))
    except BadAnswer as bad:
        named = _symbols_in(raw)
        if not named:
            raise ReadFailed(f"GET {PATH}: one of {words(kind)}: {bad}") from bad
        return named


def action_of(kind: str, row: ActionRow) -> CorporateAction:
    """The action in the engine's terms. Raises `BadAnswer` where it has no date or no symbol."""
    fields = _SYMBOLS[:-1] if kind in MERGERS else _SYMBOLS
    symbols = tuple(sorted({words(each) for name in fields if (each := getattr(row, name))}))
    first = row.ex_date or row.effective_date or row.process_date
    if first is None or not symbols:
        raise BadAnswer("found no date or no symbol, wanted both")
    last = row.process_date or first
    if last < first:
        raise BadAnswer(f"found that it is booked on {last}, wanted not before {first}")
    return CorporateAction(
        kind=words(kind),
        symbols=symbols,
        first=first,
        last=last,
        terms=_terms(row),
        is_special=row.special is True,
    )


def _terms(row: ActionRow) -> str:
    """For people; nothing is reckoned with it."""
    rates = (row.new_rate, row.old_rate)
    if all(isinstance(each, int | float) and isfinite(each) for each in rates):
        return f"{row.new_rate:g} for {row.old_rate:g}"
    return ""


def _symbols_in(raw: bytes) -> tuple[str, ...]:
    try:
        fields = _read_fields(raw)
    except BadAnswer:
        return ()
    found = (fields.get(name) for name in _SYMBOLS)
    return tuple(each for each in found if isinstance(each, str) and each)


def _batches(symbols: Iterable[str]) -> Iterator[tuple[str, ...]]:
    left = iter(symbols)
    while batch := tuple(islice(left, SYMBOLS_A_REQUEST)):
        yield batch
