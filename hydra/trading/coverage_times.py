"""How long a coverage holds, if nothing else is told than the time.

What was found of a line changes with time at few instants only: when the term of an order or of a
guard ends, or comes to end soon; when the market opens or closes while an order waits for it; when
a symbol is split; and when what a guard last looked at has grown old. All times are market time
(UTC ns).
"""

from collections.abc import Iterable, Iterator

from hydra.trading.coverage_lines import Line
from hydra.trading.protection import Guard, ProtectionTerms
from hydra.trading.sessions import SessionTable
from hydra.trading.venue_clock import SKEW

NEVER = 1 << 63
"""After all instants."""


def holds_until(lines: Iterable[Line], terms: ProtectionTerms, at: int) -> int:
    """The first instant after `at`, at which these were found, when they may be otherwise.

    That guards grow old is left out, since they may look again until then.
    """
    ends = [split for splits in terms.splits.values() for split in splits]
    for line in lines:
        for until in line.ends:
            ends += (until - terms.expiring_ns, until)
        if any(leg.order.is_waiting for leg in line.legs):
            ends += _next_bell(terms.sessions, at)
    return min((end for end in ends if end > at), default=NEVER)


def looks_hold_until(guards: Iterable[Guard], terms: ProtectionTerms, at: int) -> int:
    """The first instant after `at` when a look of one of them comes to count, or does no more.

    One that is later than `at`, by more than the venue's clock may be ahead, is of a clock that is
    wrong; it counts once it is no more than that.
    """
    guard_age, price_age = terms.guard_age_ns_max, terms.price_age_ns_max
    until = NEVER
    for guard in guards:
        for then, age_max in ((guard.looked_at, guard_age), (guard.price_at, price_age)):
            if then is None:
                continue
            turn = then - SKEW if then > at + SKEW else then + age_max + 1
            if at < turn < until:
                until = turn
    return until


def oldest_looks_end(guards: Iterable[Guard], terms: ProtectionTerms) -> int:
    """When the first of them has grown old, if none looks again. One that never looked is old."""
    ends = [NEVER]
    for guard in guards:
        if guard.looked_at is None or guard.price_at is None:
            return 0
        ends.append(guard.looked_at + terms.guard_age_ns_max + 1)
        ends.append(guard.price_at + terms.price_age_ns_max + 1)
    return min(ends)


def all_protect(lines: Iterable[Line]) -> bool:
    """Whether every guard protects, so that nothing is otherwise once one has looked again."""
    return all(watch.term.fault is None for line in lines for watch in line.watches)


def _next_bell(sessions: SessionTable, at: int) -> Iterator[int]:
    """When the exchange closes, or opens, next."""
    session = sessions.at(at)
    if session is not None:
        yield session.close_at
        return
    coming = sessions.next_after(at)
    if coming is not None:
        yield coming.open_at
