"""What is known of a record from outside: all that its processes said of it before they died."""

from collections.abc import Iterable, Iterator

from hydra.ports import LedgerMark
from tests.crash.said import (
    Appended,
    BackedUp,
    Began,
    Committed,
    Ended,
    Ending,
    Item,
    Marked,
    Marking,
    Opened,
    Said,
    Tried,
)


class Known:
    """Everything that was acknowledged, and what may have become durable besides it."""

    def __init__(self) -> None:
        self.states: dict[LedgerMark, str] = {}
        """Each mark that was acknowledged, with the state that the ledger had then."""
        self.lines: dict[int, str] = {}
        self.backups: dict[str, LedgerMark] = {}
        self.tried: dict[str, tuple[Item, ...]] = {}
        self.committed: set[str] = set()
        self._last_seq = 0
        self._halts: set[str] = set()
        self._trying: str | None = None
        self.taken_over: set[str] = set()
        """Halts that a start found in the marker, and put on record."""
        self._marked: set[str | None] = {None}
        self._ended_unclean = {False}
        self._is_starting = False

    def hear(self, said: Said) -> Iterator[str]:
        """Remember it; gives what is wrong with it, by all that was said before."""
        match said:
            case Opened():
                yield from self._opened(said)
            case Tried(group, items):
                self.tried[group] = items
                self._trying = group
            case Committed(seq, chain, state):
                assert self._trying is not None, "a commit is announced"
                self._remember(LedgerMark(seq, chain), state)
                self.committed.add(self._trying)
                self._halts = halts_after(self._halts, self.tried[self._trying])
                self._trying = None
            case Appended(seq, number):
                if seq in self.lines:
                    yield f"line {seq} is {self.lines[seq]!r}, and was written again as {number!r}"
                self.lines[seq] = number
            case BackedUp(name, seq, link):
                self.backups[name] = LedgerMark(seq, link)
            case Marking(code):
                self._marked.add(code)
            case Marked(code):
                self._marked = {code}
            case Began():
                if self._is_starting:  # the one before was killed while it recovered
                    self._ended_unclean.add(True)
                self._is_starting = True
            case Ending():
                self._ended_unclean.add(False)
            case Ended():
                self._ended_unclean = {False}

    def _opened(self, opened: Opened) -> Iterator[str]:
        """A halt that was acknowledged stands, and none stands that nobody raised."""
        if opened.seq < self._last_seq:
            yield f"opened with {opened.seq} events, {self._last_seq} were acknowledged"
        recorded = [self._halts]
        if self._trying is not None:
            recorded.append(halts_after(self._halts, self.tried[self._trying]))
        # What stands in the marker is on record by now, and the marker is clear. A start that was
        # killed may have done a part of it.
        possible = [
            halts | {marked} if marked is not None else halts
            for halts in recorded
            for marked in self._marked
        ]
        if set(opened.halts) not in possible:
            yield f"opened with the halts {opened.halts}, wanted one of {possible}"
        if opened.marked is not None:
            yield f"opened with {opened.marked!r} in the marker, wanted it on record"
        self.taken_over.update(code for code in opened.halts if code in self._marked)
        if opened.ended_unclean not in self._ended_unclean:
            yield f"opened with an unclean end: {opened.ended_unclean}"
        self._remember(LedgerMark(opened.seq, opened.chain), opened.state)
        self._halts = set(opened.halts)
        self._trying = None
        self._marked = {opened.marked}
        self._ended_unclean = {True}
        self._is_starting = False

    def _remember(self, mark: LedgerMark, state: str) -> None:
        self._last_seq = mark.seq
        self.states[mark] = state


def halts_after(standing: Iterable[str], items: Iterable[Item]) -> set[str]:
    """Which causes stand once these records are there too."""
    halts = set(standing)
    for item in items:
        if item[0] == "halt":
            halts.add(item[1])
        elif item[0] == "clear":
            halts.discard(item[1])
    return halts
