"""A flatten with its record: what is to be done waits until what it follows from is durable."""

from collections import deque

import msgspec

from hydra.trading.flatten import FlattenState, Phase, after
from hydra.trading.flatten_events import Effect, Event


class RecordedFlatten:
    """The flatten of one account, as it is now. Equal events and records leave an equal one."""

    def __init__(self, state: FlattenState | None = None) -> None:
        self.state = state or FlattenState()
        self._waiting: deque[tuple[Effect, ...]] = deque()

    @classmethod
    def from_record(cls, text: str) -> "RecordedFlatten":
        """As it was put on record; "" is none. Raises msgspec.MsgspecError for what is neither."""
        return cls(msgspec.json.decode(text, type=FlattenState) if text else None)

    @property
    def is_under_way(self) -> bool:
        """Whether anything is still to be done."""
        return self.state.phase.is_under_way

    @property
    def is_recorded(self) -> bool:
        """All that came of it so far is durable, but for what has no consequence."""
        return not self._waiting

    @property
    def waits_for_account(self) -> str | None:
        """Why the account is to be read, in words that name this reading; None if it is not."""
        state = self.state
        if not self.is_under_way or state.phase is Phase.PAUSING or not state.is_out:
            return None
        return f"flatten, reading {state.reading}"

    def happened(self, event: Event) -> str | None:
        """Take the event up; gives what is to be put on record, None if nothing is to be done."""
        self.state, effects = after(self.state, event)
        if not effects:
            return None
        self._waiting.append(effects)
        return msgspec.json.encode(self.state).decode()

    def recorded(self) -> tuple[Effect, ...]:
        """The oldest of what was given to be put on record is durable: this is to be done now."""
        return self._waiting.popleft() if self._waiting else ()
