"""What still has to be brought to one channel, and when that is tried again: pure.

Nothing is dropped because a channel does not take it: it is tried again, with longer and longer
pauses, and what has come up meanwhile goes with it in one message.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from hydra.ops.alerts.wording import Message, utc
from hydra.trading.durations import MINUTE, SECOND

WAITING_MAX = 200
"""Messages that wait for one channel; then the oldest go, and it is said how many."""

FIRST_PAUSE, PAUSE_MAX = 5 * SECOND, 10 * MINUTE
FAILING_AFTER = MINUTE
"""A channel that has taken nothing for so long is told of on the others."""

BODY_MAX = 3_500
LEFT_OUT_MAX = 80
"""Characters that it takes to say how many are not even named."""

TITLE_MAX = 100


class Waiting(Struct, frozen=True, kw_only=True):
    """The messages for one channel, in the order in which they came up."""

    messages: tuple[Message, ...] = ()
    first: int = 0
    """The number of the oldest of them; each has one more than the one before."""
    dropped: int = 0
    failures: int = 0
    """In a row."""
    failing_since: int | None = None
    next_try_at: int = 0
    error: str = ""


def put(waiting: Waiting, message: Message) -> Waiting:
    """One more."""
    messages = (*waiting.messages, message)
    surplus = max(0, len(messages) - WAITING_MAX)
    return replace(
        waiting,
        messages=messages[surplus:],
        first=waiting.first + surplus,
        dropped=waiting.dropped + surplus,
    )


def is_due(waiting: Waiting, at: int) -> bool:
    """Whether to try now. A clock that was set back does not make anything wait."""
    if not waiting.messages:
        return False
    return at >= waiting.next_try_at or waiting.next_try_at - at > PAUSE_MAX


def batch_of(waiting: Waiting) -> Message:
    """All that waits as one message. There must be some."""
    messages = waiting.messages
    if len(messages) == 1 and not waiting.dropped:
        return messages[0]
    worst = max(messages, key=lambda message: message.severity)
    more = len(messages) - 1 + waiting.dropped
    note = f"\n\n{waiting.dropped} older ones were dropped." if waiting.dropped else ""
    return Message(
        at=messages[-1].at,
        severity=worst.severity,
        title=f"({more} more) {worst.title}"[:TITLE_MAX],
        body=_words_of(messages[::-1], BODY_MAX - len(note)) + note,
    )


def _words_of(newest_first: Sequence[Message], room: int) -> str:
    """All of them; where there is no room for that, the newest, and of the others the title."""
    texts = [f"{each.title}\n{each.body}" for each in newest_first]
    if len("\n\n".join(texts)) <= room:
        return "\n\n".join(texts)
    whole = _cut(texts[0], room // 2)
    count = 1
    while count < len(texts) and len(whole) + len(texts[count]) <= room // 2:
        whole = f"{whole}\n\n{texts[count]}"
        count += 1
    if count == len(texts):
        return whole
    words = f"{whole}\n\nBefore that, the worst first:"
    worst_first = sorted(newest_first[count:], key=lambda each: -each.severity)
    for number, each in enumerate(worst_first):
        line = f"\n{utc(each.at)} {each.title}"
        if len(words) + len(line) > room - LEFT_OUT_MAX:
            left = len(worst_first) - number
            return (
                f"{words}\n… and {left} more: alerts.jsonl beside the watch's state has all of them"
            )
        words += line
    return words


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


def end_of(waiting: Waiting) -> int:
    """The number that the next message will have."""
    return waiting.first + len(waiting.messages)


def delivered(waiting: Waiting, end: int) -> Waiting:
    """All before the number `end` arrived; others may have come up meanwhile."""
    arrived = max(0, end - waiting.first)
    return Waiting(messages=waiting.messages[arrived:], first=waiting.first + arrived)


def failed(waiting: Waiting, error: str, at: int) -> Waiting:
    """They did not, or nobody knows: they are tried again after a pause."""
    pause = min(PAUSE_MAX, FIRST_PAUSE << min(waiting.failures, 10))
    return replace(
        waiting,
        failures=waiting.failures + 1,
        failing_since=at if waiting.failing_since is None else waiting.failing_since,
        next_try_at=at + pause,
        error=error,
    )


def is_failing(waiting: Waiting, at: int) -> bool:
    """Whether it is time that somebody hears of it on another channel."""
    since = waiting.failing_since
    return since is not None and not 0 <= at - since < FAILING_AFTER
