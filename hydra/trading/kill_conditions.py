"""Which of the exit bot's kill conditions halt. One that is switched off still alarms.

Every kind of cause that is one of them is named here. All others halt whatever the settings say.
"""

from collections.abc import Collection

import msgspec

from hydra.trading import causes
from hydra.trading.causes import CauseKind, kind_of
from hydra.trading.trading_state import Cause


class KillConditions(msgspec.Struct, frozen=True, kw_only=True):
    """True: it halts. The settings refuse anything else on live."""

    api_failure: bool = True
    data_stale: bool = True
    daily_loss: bool = True
    anomaly: bool = True
    quiet_anomalies: frozenset[str] = frozenset()
    """Codes of the kinds that only alarm though anomalies halt."""


ALL_HALT = KillConditions()


class Alarms:
    """What would halt if its kill condition were not switched off, for as long as it is so."""

    def __init__(self) -> None:
        self._causes: dict[str, Cause] = {}

    @property
    def causes(self) -> tuple[Cause, ...]:
        """All that sound now, in the order in which they came up."""
        return tuple(self._causes.values())

    def sound(self, cause: Cause) -> bool:
        """This is so; gives whether it was not before."""
        is_news = cause.code not in self._causes
        self._causes.setdefault(cause.code, cause)
        return is_news

    def keep(self, present: Collection[str]) -> tuple[Cause, ...]:
        """Only of these codes it is still so; gives those that are over."""
        over = tuple(cause for code, cause in self._causes.items() if code not in present)
        for cause in over:
            del self._causes[cause.code]
        return over


_CONDITIONS: dict[str, str] = {
    causes.API_FAILURES.code: "api_failure",
    causes.STALE_FEED.code: "data_stale",
    causes.STALE_SYMBOL.code: "data_stale",
    causes.DAILY_LOSS.code: "daily_loss",
    causes.NAV_JUMP.code: "anomaly",
    causes.DRAWDOWN_FLAPPING.code: "anomaly",
    causes.EQUITY_MISSING.code: "anomaly",
    causes.UNPROTECTED.code: "anomaly",
    causes.ROUTER_DEGRADED.code: "anomaly",
    causes.ROUTER_IDLE.code: "anomaly",
    causes.MONITOR_MISSING.code: "anomaly",
}
"""By the kind of the cause. A missing input is an anomaly, and so is a drop of exit coverage."""


ANOMALIES: frozenset[str] = frozenset(
    code for code, condition in _CONDITIONS.items() if condition == "anomaly"
)
"""The codes of the kinds that are anomalies."""


def condition_of(kind: CauseKind | None) -> str | None:
    """The kill condition that a cause of this kind is of, None if it is of none."""
    return None if kind is None else _CONDITIONS.get(kind.code)


def halts(cause: Cause, conditions: KillConditions) -> bool:
    """Whether it is to stand against orders. What is of no kill condition always is."""
    kind = kind_of(cause.code)
    name = condition_of(kind)
    if kind is None or name is None:
        return True
    if kind.code in ANOMALIES and kind.code in conditions.quiet_anomalies:
        return False
    return getattr(conditions, name) is not False
