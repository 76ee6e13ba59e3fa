"""What a bot asks for at its start: what is on record of it, and the bars of before."""

from collections.abc import Iterable
from decimal import Decimal

from hydra.actor import SECOND, Context, Ref
from hydra.trading.symbol_book import SymbolBook
from messages.market import ReportHistory
from messages.orders import (
    OrderAbsent,
    OrderAccepted,
    OrderFilled,
    OrderUnknown,
    OrderWithheld,
    ReportStored,
)
from messages.positions import BookRecovered, RecoverBook, RecoveryOverdue

RECOVER_WITHIN = 5 * SECOND
HISTORY_WITHIN = 5 * SECOND
HISTORY_AGAIN_AFTER = SECOND
"""The data feed may be starting itself. Nobody fails for want of history: a position needs its bot,
warm or not.
"""


class NotRecovered(Exception):
    """The persister did not say what is on record; the bot must not guess its position."""


class BotRecord:
    """A bot's question what is on record of it, and whether the newest one is answered.

    It is asked at each start, and again when an operator changed what is on record. The answers to
    earlier questions, and to earlier incarnations, say less and are passed over.
    """

    def __init__(self, bot: str, guardian: Ref[RecoverBook]) -> None:
        self._bot = bot
        self._guardian = guardian
        self._questions = 0
        self.is_known = False
        """Until it is, nothing may be decided."""

    def ask(self, ctx: Context) -> None:
        """Ask anew, through the guardian; `RecoveryOverdue` comes if there is no answer."""
        self.is_known = False
        self._questions += 1
        question = RecoverBook(
            bot=self._bot,
            reply_to=ctx.me.path,
            asked_by=ctx.incarnation,
            number=self._questions,
        )
        ctx.tell(self._guardian, question)
        ctx.after(RECOVER_WITHIN, RecoveryOverdue())

    def is_answer(self, message: BookRecovered, ctx: Context) -> bool:
        """Whether this is the answer to the newest question; from then on the record is known."""
        if (message.asked_by, message.number) != (ctx.incarnation, self._questions):
            return False
        self.is_known = True
        return True

    def check_in_time(self) -> None:
        """Upon `RecoveryOverdue`: raises `NotRecovered` if the answer is still to come."""
        if not self.is_known:
            raise NotRecovered(f"no answer within {RECOVER_WITHIN // SECOND} s")


def recover(books: Iterable[SymbolBook], message: BookRecovered) -> None:
    """Give each book what is on record of its symbol.

    `realised` is the whole bot's: it is given to the first book alone, so that their sum is true.
    """
    realised = message.realised
    for book in books:
        book.recover(message.orders, message.fills, message.held, realised)
        realised = Decimal(0)


def ask_for_history(feed: Ref[ReportHistory], symbol: str, bars: int, ctx: Context) -> None:
    """The answer is `Replied` with a `HistoryReported`, and the symbol as its tag."""
    question = ReportHistory(symbol=symbol, bars=bars)
    ctx.ask(feed, question, within=HISTORY_WITHIN, tag=symbol)


def take_report(book: SymbolBook, stored: ReportStored) -> None:
    """Take up what became of an order of the book's symbol; of any other, nothing.

    (An operator may have adopted an order for the bot in what it does not trade.)
    """
    decision, report = stored.decision, stored.report
    if decision.symbol != book.symbol:
        return
    match report:
        case OrderAccepted():
            book.accepted(decision, report.at)
        case OrderUnknown():
            pass  # still working, as far as anyone knows
        case OrderFilled():
            book.filled(decision, report.fill, stored.fee)
        case OrderWithheld():
            book.withheld(decision)
        case OrderAbsent():
            book.given_up(decision)
        case _:
            book.ended(decision)
