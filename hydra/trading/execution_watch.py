"""What the guardian knows of the execution monitor's word: regimes, and how orders get done.

The monitor speaks after every loop, and whenever something changes. Loops that have passed since
are counted, not seconds, as `loops` does it. While it is silent nobody knows how restless a market
is, so entries may risk the least that any regime allows; when it stays silent that is an anomaly
(C8: a missing input is one). It was never on the way of an order, so exits do not mind.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import NamedTuple

from hydra.trading.causes import MONITOR_MISSING, ROUTER_DEGRADED, ROUTER_IDLE, kind_of
from hydra.trading.execution_quality import RouterState
from hydra.trading.option_symbols import parsed, root_of
from hydra.trading.regimes import Regime, RegimeShares
from hydra.trading.trading_state import Cause

LOOPS_SILENT_MAX = 2
"""A verdict is heard before the monitor, which goes by it, has said anything."""
LOOPS_MISSING_MAX = 12
"""It may fail and be started again meanwhile, and a busy machine may keep it waiting."""

ONE = Decimal(1)
_CODES = {
    RouterState.DEGRADED: ROUTER_DEGRADED.code,
    RouterState.IDLE: ROUTER_IDLE.code,
}


class _Known(NamedTuple):
    """A market's regime since a market time, and the one before."""

    regime: Regime | None
    before: Regime | None
    since: int


_UNKNOWN = _Known(None, None, 0)


class ExecutionWatch:
    """Nothing is known at first. Where there are no shares nobody is waited for."""

    def __init__(self, shares: RegimeShares | None) -> None:
        self._shares = shares
        self._silent = 0
        self._has_spoken = False
        self._told: Mapping[str, Regime | None] = {}
        self._by_root: dict[str, _Known] = {}
        """As options on it are named."""
        self._router = RouterState.UNTRIED

    def take(self, shares: RegimeShares | None) -> None:
        """Hold entries to these from now on."""
        self._shares = shares

    def told(
        self,
        regimes: Mapping[str, Regime | None],
        router: RouterState,
        at: int,
        is_whole: bool = True,
    ) -> None:
        """The monitor's word, as of market time `at`. A symbol that is not named has no regime yet;
        or, if the word is not a whole one, the one that it had.
        """
        self._silent, self._has_spoken = 0, True
        self._router = router
        if regimes is self._told:
            return  # the same is told again and again
        self._told = regimes
        named = {root_of(symbol): regime for symbol, regime in regimes.items()}
        if is_whole:
            named.update(dict.fromkeys(self._by_root.keys() - named.keys()))
        for root, regime in named.items():
            known = self._by_root.get(root, _UNKNOWN)
            if known.regime is not regime:
                self._by_root[root] = _Known(regime, known.regime, at)

    def loop_ran(self) -> None:
        """A loop has its verdict. One that has none is told to nobody, so it is not counted."""
        self._silent += 1

    def share_of(self, symbol: str, decided_at: int) -> Decimal:
        """By what the budget of an entry in this symbol is multiplied: from 0 to 1.

        It is judged by the regime of before its decision. One that changes at that very moment is
        heard sooner or later than the decision: what of the two came first must not matter.
        """
        shares = self._shares
        if shares is None:
            return ONE
        if not self.is_heard:
            return shares.least
        known = self._by_root.get(root_of(symbol))
        if known is None and (option := parsed(symbol)) is not None:
            known = self._by_root.get(option.root)
        if known is None:
            return shares.unknown
        return shares.of(known.regime if decided_at > known.since else known.before)

    @property
    def is_heard(self) -> bool:
        """The monitor has spoken, lately."""
        return self._has_spoken and self._silent <= LOOPS_SILENT_MAX

    @property
    def is_missing(self) -> bool:
        """It has been silent for too long."""
        return self._shares is not None and self._silent > LOOPS_MISSING_MAX

    @property
    def router(self) -> RouterState | None:
        """What it said last of how orders get done; None: nothing lately."""
        return self._router if self.is_heard else None

    def alarms(self, at: int) -> tuple[Cause, ...]:
        """What follows from its silence."""
        if not self.is_missing:
            return ()
        detail = f"the execution monitor has said nothing for {self._silent} loops"
        return (MONITOR_MISSING.cause(since=at, detail=detail),)

    def still(self, found: Iterable[Cause]) -> frozenset[str]:
        """The codes of what is still so. What was found of the way of orders is taken to be so for
        as long as nobody says otherwise.
        """
        present = {MONITOR_MISSING.code} if self.is_missing else set[str]()
        if self.is_heard:
            code = _CODES.get(self._router)
            return frozenset(present if code is None else {*present, code})
        routers = (ROUTER_DEGRADED, ROUTER_IDLE)
        return frozenset(present | {each.code for each in found if kind_of(each.code) in routers})


def router_cause(router: RouterState, since: int, detail: str) -> Cause | None:
    """The anomaly that this state is, if it is one."""
    match router:
        case RouterState.GOOD | RouterState.UNTRIED:
            return None
        case RouterState.DEGRADED:
            return ROUTER_DEGRADED.cause(since=since, detail=detail)
        case RouterState.IDLE:
            return ROUTER_IDLE.cause(since=since, detail=detail)
