"""How a venue's messages get lost, late, doubled and out of order on their way."""

from collections.abc import Callable, Iterable

import msgspec

from hydra.venues.simulated.faults import Delay, Lose, Overtake, Repeat
from hydra.venues.simulated.misbehaviour import Strikes, Subject
from hydra.venues.simulated.requests import VenueMessage


class Delivery:
    """Takes what the venue would tell and gives what is told now, keeping back the rest.

    `subject_of` says what the faults may know of a message.
    """

    def __init__(self, strikes: Strikes, subject_of: Callable[[VenueMessage], Subject]) -> None:
        self._strikes = strikes
        self._subject_of = subject_of
        self._late: list[_Late] = []
        self._overtaken: list[_Overtaken] = []

    def told(self, messages: Iterable[VenueMessage], event: int) -> tuple[VenueMessage, ...]:
        """What is told of these, and of those kept back that they set free."""
        told: list[VenueMessage] = []
        for message in messages:
            subject = self._subject_of(message)
            if self._strikes.on(Lose, subject, event) is not None:
                continue
            repeat = self._strikes.on(Repeat, subject, event)
            copies = 1 if repeat is None else 1 + repeat.copies
            delay = self._strikes.on(Delay, subject, event)
            if delay is not None:
                self._late.append(_Late(event + delay.events, message, copies))
                continue
            overtake = self._strikes.on(Overtake, subject, event)
            if overtake is not None:
                self._overtaken.append(_Overtaken(overtake.by, message, copies))
                continue
            self._tell(message, copies, told)
        return tuple(told)

    def released(self, event: int) -> tuple[VenueMessage, ...]:
        """What was to wait for this market event."""
        due = [late for late in self._late if late.event <= event]
        self._late = [late for late in self._late if late.event > event]
        told: list[VenueMessage] = []
        for late in due:
            self._tell(late.message, late.copies, told)
        return tuple(told)

    def forget(self) -> None:
        """Nobody is left to be told what is still kept back."""
        self._late.clear()
        self._overtaken.clear()

    def _tell(self, message: VenueMessage, copies: int, told: list[VenueMessage]) -> None:
        told.extend([message] * copies)
        passed = [_Overtaken(o.by - copies, o.message, o.copies) for o in self._overtaken]
        self._overtaken = [overtaken for overtaken in passed if overtaken.by > 0]
        for overtaken in passed:
            if overtaken.by <= 0:
                self._tell(overtaken.message, overtaken.copies, told)


class _Late(msgspec.Struct, frozen=True):
    event: int
    message: VenueMessage
    copies: int


class _Overtaken(msgspec.Struct, frozen=True):
    by: int
    message: VenueMessage
    copies: int
