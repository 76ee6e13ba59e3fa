"""What the runtime tells supervisors and watchers about the actors they answer for."""

from typing import Literal

from messages.message import ControlMessage, Message

Phase = Literal["start", "receive", "stop", "hang"]


class ChildStarted(ControlMessage, frozen=True, kw_only=True):
    """The child's `start` has returned: it handles messages from now on."""

    name: str
    incarnation: int


class ChildFailed(ControlMessage, frozen=True, kw_only=True):
    """The child raised, hung or could not start. It handles nothing until it is restarted."""

    name: str
    incarnation: int
    phase: Phase
    error: str


class ChildStopped(ControlMessage, frozen=True, kw_only=True):
    """The child has left its loop. `kept`: its address and mailbox wait for a new incarnation."""

    name: str
    incarnation: int
    reason: str
    kept: bool


class Terminated(ControlMessage, frozen=True, kw_only=True):
    """A watched actor is gone for good. Said once; a restart is not an end."""

    path: str
    incarnation: int
    reason: str


class ChildQuarantined(Message, frozen=True, kw_only=True):
    """A child failed too often and stays down. Published on `SUPERVISION_TOPIC`."""

    path: str
    reason: str


SUPERVISION_TOPIC = "supervision"


class RestartDue(ControlMessage, frozen=True, kw_only=True):
    """A supervisor's word to itself: the pause before the restart is over."""

    name: str


class ReceiveTimeout(Message, frozen=True, kw_only=True):
    """Nothing has come in for as long as the actor asked to be told of."""


class DeadLetter(Message, frozen=True, kw_only=True):
    """A message that reached nobody, published on `DEAD_LETTERS_TOPIC`.

    `message_id` is (sender path, incarnation, counter).
    """

    reason: str
    path: str
    message_type: str
    message_id: tuple[str, int, int]
    at: int


DEAD_LETTERS_TOPIC = "dead-letters"


class Replied(Message, frozen=True, kw_only=True):
    """The answer to `Context.ask`: a message, an error text, or neither (`timed_out`)."""

    tag: str
    value: Message | None = None
    error: str | None = None
    timed_out: bool = False


class StartChild(Message, frozen=True, kw_only=True):
    """Ask a supervisor to start a child it knows (stopped or quarantined) afresh."""

    name: str


class StopChild(Message, frozen=True, kw_only=True):
    """Ask a supervisor to stop a child and leave it stopped; its specification stays."""

    name: str


class RestartChild(Message, frozen=True, kw_only=True):
    """Ask a supervisor to stop a child and start it again, outside its restart budget."""

    name: str


class DeleteChild(Message, frozen=True, kw_only=True):
    """Ask a supervisor to forget a child that is not running."""

    name: str


class WhichChildren(Message, frozen=True, kw_only=True):
    """Ask a supervisor for its `Children`."""


IS_QUARANTINED = "quarantined"
"""The status of a child that failed too often and stays down until somebody starts it."""


class ChildInfo(Message, frozen=True, kw_only=True):
    """One child as its supervisor sees it."""

    name: str
    status: str
    incarnation: int
    restarts: int


class Children(Message, frozen=True, kw_only=True):
    """The supervisor's children in start order; the counts follow OTP's `count_children`."""

    children: tuple[ChildInfo, ...]
    specs: int
    active: int
    supervisors: int


class ChildRefused(Message, frozen=True, kw_only=True):
    """The supervisor did not do what was asked, and why."""

    name: str
    reason: str
