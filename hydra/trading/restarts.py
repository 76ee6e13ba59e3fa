"""What a start makes of the end before it (I03), and of too many such ends (I75)."""

from collections.abc import Iterable, Sequence

from msgspec import structs

from hydra.trading.causes import RESTART_STORM, UNCLEAN_END, UNCLEAN_END_WHEN_STOPPED
from hydra.trading.durations import MINUTE
from hydra.trading.trading_state import Cause, CauseClass, TradingState, effective_state

RESTARTS_MAX = 3
WINDOW_NS = 10 * MINUTE


def cause_after_unclean_end(
    *, ended_unclean: bool, standing: Iterable[Cause], since: int, needs_person: bool = False
) -> Cause | None:
    """What stands because the process before crashed or was killed; None if it ended in order.

    `standing` is what was on record when it ended, the halt marker's cause included (one that is
    missing or cannot be read is a cause as well). If trading was open, preflight and
    reconciliation clear it; if anything but a start had stopped trading, only a person does, and
    where it `needs_person` (live) in any case. `since` is market time.
    """
    if not ended_unclean:
        return None
    stopping = [cause for cause in standing if cause.cause_class is not CauseClass.START]
    state = effective_state(stopping)
    if state is TradingState.ACTIVE:
        cause = UNCLEAN_END.cause(
            since=since, detail="the process before did not end in order; trading was open"
        )
        # What a start alone goes by ends with its process; a person may come after a later one.
        return structs.replace(cause, cause_class=CauseClass.INTEGRITY) if needs_person else cause
    codes = ", ".join(cause.code for cause in stopping if cause.is_global)
    return UNCLEAN_END_WHEN_STOPPED.cause(
        since=since,
        detail=f"the process before did not end in order, and trading was {state.value} ({codes})",
    )


def storm(unclean_starts: Sequence[int], now_wall: int, since: int) -> Cause | None:
    """The cause if there were more starts after unclean ends than allowed; else None.

    `unclean_starts` are the machine's wall times (UTC ns) of all that are on record, this one
    included if it is one. One that lies in the future counts as recent: a clock is wrong, and
    that must not open anything. `since` is market time.
    """
    recent = sum(now_wall - started <= WINDOW_NS for started in unclean_starts)
    if recent <= RESTARTS_MAX:
        return None
    return RESTART_STORM.cause(
        since=since,
        detail=(
            f"{recent} starts after unclean ends within {WINDOW_NS // MINUTE} minutes,"
            f" at most {RESTARTS_MAX} allowed"
        ),
    )
