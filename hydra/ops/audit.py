"""The offline auditor: is every order there because the checks let it pass, and no other (I90)?

Every judgement in the journal is made again from the situation that it was made on, and must come
out the same. Every order in the ledger must have been approved once, before it was put on record,
and be what was approved; what was only denied must have no order.
"""

from collections import defaultdict
from collections.abc import Callable

import apsw
import msgspec

from actors.intents import order_of, proposal_of
from hydra.ops.why.journal import JournalMissing, JournalSearch, Line, event
from hydra.ops.why.judgements import APPROVED, DENIED, Judgement, NotReadable, judgement_in
from hydra.ops.why.ledger import readable
from hydra.ops.why.wishes import INTENDED, decision_in
from hydra.store import projections
from hydra.store.checking import UNREPLAYABLE
from hydra.store.engine_files import EngineFiles
from hydra.store.events import OrderAdopted
from hydra.store.journal_line import LINE_START
from hydra.store.ledger_facts import NoLedger
from hydra.store.looking import looked_at
from hydra.store.schema import NotALedger
from hydra.store.tables import OrderRecord
from hydra.store.verification import FINDINGS_SHOWN, Check
from hydra.trading.orders import Denial, Role, client_order_id
from hydra.trading.situation import Proposal
from supervisors import paths

NAME = "decisions"
ADVICE = "keep journal and ledger as they are, and find out what else judges, sends or writes"
UNREADABLE = (apsw.Error, JournalMissing, NoLedger, NotALedger, OSError, *UNREPLAYABLE)


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is not as it must be. `line` is the journal's, None if it has none."""

    line: int | None
    order: str
    found: str
    wanted: str


class Audit(msgspec.Struct, frozen=True, kw_only=True):
    """What was gone through. `unrecorded` were approved and never came on record, as before a
    crash; `adopted` are an operator's; of `uncovered` orders the journal is pruned.
    """

    approved: int
    denied: int
    orders: int
    adopted: int
    unrecorded: int
    uncovered: int
    differences: tuple[Difference, ...]


class _Moment(msgspec.Struct, frozen=True):
    """Where a line stands: in which life of engine and persister, after how many judgements."""

    life: int
    judged: int


class _Approval(msgspec.Struct, frozen=True):
    """An approval, and when it was given."""

    judgement: Judgement
    at: _Moment


class _Stored(msgspec.Struct, frozen=True):
    """The line that says that an order is on record."""

    line: int
    at: _Moment


class _Recorded(msgspec.Struct, frozen=True):
    """The orders of one moment of the ledger. `adopted` are names."""

    account: str | None
    orders: tuple[OrderRecord, ...]
    adopted: frozenset[str]


def decisions_checked(
    files: EngineFiles, tell: Callable[[int], None]
) -> tuple[tuple[Check, ...], Audit | None]:
    """The audit as checks among others, and what it went through; None if it could not be made.

    `tell` is told how many judgements are done.
    """
    try:
        found = audit(files, tell)
    except UNREADABLE as fault:
        text = f"{type(fault).__name__}: {fault}"
        check = Check(
            name=NAME,
            is_well=False,
            found=text,
            wanted="a ledger and a journal that can be read",
            where=str(files.ledger),
        )
        return (check,), None
    shown = [_check(each, files) for each in found.differences[:FINDINGS_SHOWN]]
    more = len(found.differences) - FINDINGS_SHOWN
    if more > 0:
        text = f"{more:,} more of such"
        shown.append(Check(name=NAME, is_well=False, found=text, where=str(files.journal)))
    if not shown:
        shown.append(Check(name=NAME, is_well=True, found=_in_words(found)))
    return tuple(shown), found


def audit(files: EngineFiles, tell: Callable[[int], None]) -> Audit:
    """Go through all of it: the ledger first, so that the journal knows all that it has.

    Raises what reading them raises.
    """
    recorded = looked_at(files.ledger, files.lock, _recorded)
    examination = _Examination(recorded)
    with JournalSearch(files.journal) as search:
        for line in search.oldest_first(*map(event, _EVENTS)):
            examination.take(line, tell)
        if search.unreadable:
            text = f"{search.unreadable} lines with judgements that are not as they were written"
            examination.differs(None, "", text, "lines that can be read")
        first = next(search.oldest_first(LINE_START), None)
    pruned_at = None if first is None or first.seq == 1 else first.at
    return examination.result(pruned_at)


_EVENTS = (INTENDED, APPROVED, DENIED, "intent_stored", "engine_started", "actor_started")


class _Examination:
    """Takes the journal's lines in their order, then holds the ledger's orders against them."""

    def __init__(self, recorded: _Recorded) -> None:
        self._recorded = recorded
        self._approvals: defaultdict[str, list[_Approval]] = defaultdict(list)
        self._denials: dict[str, Judgement] = {}
        self._stored: dict[str, _Stored] = {}
        self._of_the_flattener: set[tuple[object, ...]] = set()
        self._life = 0
        self._approved = self._denied = 0
        self._differences: list[Difference] = []
        self._unread: list[tuple[int, str]] = []
        """Judgements of another Hydra, say: by line, and why they cannot be made again."""
        self._names_unread: set[str] = set()

    def take(self, line: Line, tell: Callable[[int], None]) -> None:
        """What the line says."""
        match line.event:
            case "order_intended":
                if line.source == paths.FLATTENER.path:
                    self._of_the_flattener.add(tuple(decision_in(line).values()))
            case "order_approved" | "order_denied":
                tell(self._approved + self._denied)
                self._take_judgement(line)
            case "intent_stored":
                order = line.record.get("order")
                if isinstance(order, dict):
                    stored = _Stored(line.seq, self._moment)
                    self._stored.setdefault(str(order.get("client_order_id")), stored)
            case "engine_started":
                self._life += 1
            case _:
                self._life += line.source == paths.STATE_PERSISTER.path

    @property
    def _moment(self) -> _Moment:
        return _Moment(self._life, self._approved + self._denied)

    def differs(self, line: int | None, order: str, found: str, wanted: str) -> None:
        """Write down what is not as it must be."""
        difference = Difference(line=line, order=order, found=found, wanted=wanted)
        self._differences.append(difference)

    def result(self, pruned_at: int | None) -> Audit:
        """All of it. `pruned_at`: when the journal begins, if it once had more (market time)."""
        uncovered = 0
        for record in self._recorded.orders:
            name = record.state.order.client_order_id
            if name in self._recorded.adopted:
                continue
            if name in self._approvals:
                self._hold(record, self._approvals[name])
            elif name in self._names_unread:
                pass  # told of below, with all that are like it
            elif pruned_at is not None and record.intent.decided_at <= pruned_at:
                uncovered += 1
            else:
                self._without_approval(name)
        self._tell_of_unread()
        on_record = {record.state.order.client_order_id for record in self._recorded.orders}
        return Audit(
            approved=self._approved,
            denied=self._denied,
            orders=len(on_record),
            adopted=len(self._recorded.adopted),
            unrecorded=sum(name not in on_record for name in self._approvals),
            uncovered=uncovered,
            differences=tuple(self._differences),
        )

    def _tell_of_unread(self) -> None:
        """All in one line: a journal that an earlier Hydra wrote has nothing else."""
        if not self._unread:
            return
        (seq, found), count = self._unread[0], len(self._unread)
        if count > 1:
            found = f"{count:,} judgements are not as this Hydra writes them: the first: {found}"
        self.differs(seq, "", found, "a situation to judge again")

    def _take_judgement(self, line: Line) -> None:
        at = self._moment
        if line.event == APPROVED:
            self._approved += 1
        else:
            self._denied += 1
        try:
            judgement = judgement_in(line)
        except NotReadable as fault:
            self._unread.append((line.seq, str(fault)))
            self._names_unread.add(str(line.record.get("client_order_id")))
            return
        account = self._recorded.account
        name = judgement.client_order_id or ""
        if account is not None:
            name = client_order_id(account, judgement.decision)
        derived, denial = judgement.derived(), judgement.denial
        if derived != denial:
            self.differs(line.seq, name, _verdict(denial), f"{_verdict(derived)}, as derived")
        if not _is_same(judgement.situation.proposal, proposal_of(judgement.intent)):
            self.differs(line.seq, name, "judged on another proposal", "the intent's own")
        if denial is not None:
            self._denials[name] = judgement
            return
        if judgement.client_order_id != name:
            found = f"approved as {judgement.client_order_id}"
            self.differs(line.seq, name, found, f"{name}, which follows from the decision")
        if judgement.decision.role is Role.FLATTEN and not self._is_of_the_flattener(judgement):
            self.differs(line.seq, name, "a flatten's order of somebody else", "the flattener's")
        self._approvals[str(judgement.client_order_id)].append(_Approval(judgement, at))

    def _is_of_the_flattener(self, judgement: Judgement) -> bool:
        decision = msgspec.to_builtins(judgement.decision)
        return tuple(decision.values()) in self._of_the_flattener

    def _hold(self, record: OrderRecord, approvals: list[_Approval]) -> None:
        """Hold an order against its approval."""
        name = record.state.order.client_order_id
        *earlier, last = approvals
        line = last.judgement.line.seq
        stored = self._stored.get(name)
        # The guardian tells the persister first, and then writes that it approves: of these two
        # lines either may be the first. But it makes no other judgement in between.
        if stored is not None and stored.line < line and stored.at != last.at:
            found = f"on record by line {stored.line}, before its approval"
            self.differs(line, name, found, "an approval before that")
        # One that was lost with a process that died before it was on record is given again.
        if any(each.at.life == last.at.life for each in earlier):
            lines = ", ".join(str(each.judgement.line.seq) for each in approvals)
            self.differs(line, name, f"approved more than once, in lines {lines}", "once")
        if record.intent != last.judgement.intent:
            self.differs(line, name, "on record with another intent", "the one that was approved")
        if record.state.order != order_of(record.intent, name):
            self.differs(line, name, "on record with another content", "what its intent says")

    def _without_approval(self, name: str) -> None:
        denied = self._denials.get(name)
        if denied is None:
            self.differs(None, name, "on record, and not in the journal", "one approval of it")
            return
        assert denied.denial is not None, "it is among the denials"
        found = f"on record, though {_verdict(denied.denial)}"
        self.differs(denied.line.seq, name, found, "no order of what was denied")


def _recorded(connection: apsw.Connection) -> _Recorded:
    records = readable(connection)
    adopted = "SELECT seq FROM events WHERE kind = ?"
    seqs = {seq for (seq,) in connection.execute(adopted, (OrderAdopted.__name__,))}
    orders = records.orders()
    return _Recorded(
        account=records.facts().get(projections.ACCOUNT),
        orders=orders,
        adopted=frozenset(each.state.order.client_order_id for each in orders if each.seq in seqs),
    )


def _is_same(one: Proposal, other: Proposal) -> bool:
    """By what is written of them: also of a number that is none, which is not even itself."""
    return msgspec.json.encode(one) == msgspec.json.encode(other)


def _verdict(denial: Denial | None) -> str:
    return "approved" if denial is None else f"denied by {denial.check}: {denial.reason}"


def _check(each: Difference, files: EngineFiles) -> Check:
    where = str(files.ledger) if each.line is None else f"{files.journal}, line {each.line:,}"
    return Check(
        name=NAME,
        is_well=False,
        found=f"{each.order}: {each.found}" if each.order else each.found,
        wanted=each.wanted,
        where=where,
        advice=ADVICE,
    )


def _in_words(found: Audit) -> str:
    parts = [
        f"{found.approved:,} approvals and {found.denied:,} denials, each as its situation says",
        f"{found.orders:,} orders, each approved once",
    ]
    if found.adopted:
        parts.append(f"{found.adopted:,} of them an operator's")
    if found.uncovered:
        parts.append(f"{found.uncovered:,} of them older than the journal")
    if found.unrecorded:
        parts.append(f"{found.unrecorded:,} approved and never sent")
    return "; ".join(parts)
