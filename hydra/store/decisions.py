"""Which decisions have their order already, and which names orders have (I15, I16)."""

from collections.abc import Callable
from typing import TypeAlias

from hydra.trading.orders import DecisionKey

Taken: TypeAlias = dict[DecisionKey | str, str]
"""Each decision of a session and each order's name, with the name that it leads to."""

SESSIONS_KNOWN = 4
"""Whose decisions are kept in memory: the one that is traded, and some that reports speak of."""


class Decisions:
    """Known by whole sessions: a new decision, which most are, needs no look into the database."""

    def __init__(self, read_session: Callable[[str], Taken]) -> None:
        """`read_session` gives what is durable of one."""
        self._read_session = read_session
        self._pending: list[tuple[DecisionKey, str]] = []
        self._sessions: dict[str, Taken] = {}

    def taken_in(self, session: str) -> Taken:
        """Of this session, what is not yet committed included."""
        if session not in self._sessions:
            if len(self._sessions) >= SESSIONS_KNOWN:
                self._sessions.clear()
            taken = self._read_session(session)
            for decision, name in self._pending:
                if decision.session == session:
                    taken[name] = taken[decision] = name
            self._sessions[session] = taken
        return self._sessions[session]

    def take(self, decision: DecisionKey, name: str) -> None:
        """From here on both are taken."""
        taken = self.taken_in(decision.session)
        taken[decision] = taken[name] = name
        self._pending.append((decision, name))

    def committed(self) -> None:
        """What was taken is durable now."""
        self._pending.clear()
