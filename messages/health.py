"""Preflight: the health monitor asks, the components answer."""

from messages.message import ControlMessage, Message


class ReportHealth(Message, frozen=True, kw_only=True):
    """Say how you are. Asked through the mailbox, so an answer proves that work gets done."""


class HealthReported(Message, frozen=True, kw_only=True):
    """One component's word on itself; `detail` names what it looked at."""

    component: str
    is_well: bool
    detail: str


class RunPreflight(ControlMessage, frozen=True, kw_only=True):
    """The health monitor's word to itself: another loop begins; `is_again`: before its time, as the
    one before failed at a start.
    """

    is_again: bool = False
