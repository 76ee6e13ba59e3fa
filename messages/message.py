"""The two bases of everything one actor says to another."""

from typing import ClassVar

import msgspec


class Message(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Immutable, typed, tagged with its class name for the record.

    Construction checks nothing (it takes some 50 ns); whoever brings data in from outside builds
    messages with `msgspec.convert`. New fields get defaults, so that older records stay readable.
    """

    is_control: ClassVar[bool] = False


class ControlMessage(Message, frozen=True, kw_only=True):
    """Travels in the control lane, ahead of everything in the user lane.

    For lifecycle, halts and leases only: if everything is urgent, nothing is. It overtakes what its
    sender said before, so never say something and then rely on it having been heard before a
    control message. What its sender says afterwards does not overtake it.
    """

    is_control: ClassVar[bool] = True
