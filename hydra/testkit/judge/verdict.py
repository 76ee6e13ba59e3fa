"""The judge: what the runs of an engine did that none may ever do, by what they left on the disk.

It believes the venue's log: what is not in there was not sent. It holds against it what the ledger
had on record before, and what the journal says, over all lives of a state folder and all runs in
them, however they ended. To be asked while no engine runs there.

What it cannot see it does not judge: what a killed process had not written down yet. A check is a
function from a case to its violations, and one line in `CHECKS`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hydra.store.engine_files import EngineFiles
from hydra.testkit.judge import recording, sending
from hydra.testkit.judge.case import Case, Violation, Violations
from hydra.testkit.judge.evidence import lives_in
from hydra.testkit.judge.venue_evidence import Markets
from hydra.venues.simulated.market_data import MarketData
from hydra.venues.simulated.misbehaviour import Misbehaviour

CHECKS: tuple[Callable[[Case], Violations], ...] = (
    sending.nothing_sent_twice,
    sending.one_order_for_each_decision,
    sending.nothing_sent_off_the_record,
    sending.no_more_requests_than_attempts,
    sending.nothing_sent_before_preflight,
    sending.nothing_sent_after_a_halt,
    sending.only_reductions_when_close_only,
    recording.no_invented_execution,
    recording.no_missing_execution,
    recording.the_same_account,
    recording.no_acknowledged_halt_lost,
    recording.no_unclean_end_unnoticed,
    recording.journal_is_whole,
)


def violations_in(
    files: EngineFiles, markets: Sequence[MarketData], misbehaviour: Misbehaviour | None = None
) -> tuple[Violation, ...]:
    """Everything that was done wrong in any life of this folder.

    `markets` are those that were played, `misbehaviour` what the venue was told to have. Raises
    LookupError if a market is missing, and what reading a damaged log or ledger raises.
    """
    lives = lives_in(files)
    played = Markets(
        data=markets,
        misbehaviour=misbehaviour or Misbehaviour(),
        cache=files.cache,
    )
    cases = [Case(life, played) for life in lives]
    found = [violation for case in cases for check in CHECKS for violation in check(case)]
    return (
        *found,
        *sending.no_order_in_a_restart_storm(cases),
        *recording.lost_halts(lives, files),
    )
