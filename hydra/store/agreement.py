"""Whether ledger and journal go together: each tells what the other one has lost (I54)."""

from collections.abc import Callable

from hydra.ports import LedgerMark
from hydra.store.journal_files import BEGIN_ANEW
from hydra.store.journal_opening import JournalEnd
from hydra.store.ledger import Ledger


class RecordsDisagree(Exception):
    """Ledger and journal do not go together: one of them has lost what the other one knows."""


def require_agreement(ledger: Ledger, journal: JournalEnd) -> None:
    """Raise `RecordsDisagree` if either knows of something that the other one does not have."""
    fault = disagreement(
        ledger.mark, ledger.journal_seq, ledger.chain_at, journal.last_seq, journal.mark
    )
    if fault is None:
        return
    lost = "; nothing was traded or changed; put what is missing back, or "
    if ledger.journal_seq > journal.last_seq:
        raise RecordsDisagree(f"{fault}{lost}{BEGIN_ANEW}")
    raise RecordsDisagree(
        f"{fault}{lost}go on from a backup: `hydra-trader restore BACKUP --reason …`, which keeps"
        " both; find out what replaced or cut them"
    )


def disagreement(
    ledger: LedgerMark,
    journal_seen: int,
    chain_at: Callable[[int], str | None],
    journal_seq: int,
    ledger_seen: LedgerMark | None,
) -> str | None:
    """What one of the two knows and the other one does not have; None if they go together.

    `journal_seen` is the journal line that the ledger knew to be on the disk (0: none), and
    `ledger_seen` the mark that the journal holds. That the ledger is ahead of the mark, or the
    journal of the line, is how it is after every crash.
    """
    if journal_seen > journal_seq:
        return (
            f"the journal ends at line {journal_seq}, and the ledger saw line {journal_seen} on the"
            f" disk: {journal_seen - journal_seq} lines of the journal were lost"
        )
    if ledger_seen is None:
        return None
    if ledger_seen.seq > ledger.seq:
        return (
            f"the ledger ends at event {ledger.seq}, and the journal saw event {ledger_seen.seq}"
            f" made durable: {ledger_seen.seq - ledger.seq} events of the ledger were lost"
        )
    if chain_at(ledger_seen.seq) != ledger_seen.chain:
        return (
            f"event {ledger_seen.seq} of the ledger is not the one that the journal saw: they are"
            " of two different histories"
        )
    return None
