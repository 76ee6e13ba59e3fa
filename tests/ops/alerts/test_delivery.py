"""What waits for a channel: nothing is lost, nothing told twice, and nothing waits for ever."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from hydra.ops.alerts import delivery
from hydra.ops.alerts.conditions import Severity
from hydra.ops.alerts.delivery import (
    BODY_MAX,
    FIRST_PAUSE,
    PAUSE_MAX,
    TITLE_MAX,
    WAITING_MAX,
    Waiting,
    batch_of,
    delivered,
    end_of,
    failed,
    is_due,
    is_failing,
    put,
)
from hydra.ops.alerts.wording import Message
from hydra.trading.durations import HOUR, MINUTE
from tests.ops.alerts.looks import AT


def message(number: int = 1, severity: Severity = Severity.NOTICE) -> Message:
    return Message(at=AT + number, severity=severity, title=f"t{number}", body=f"b{number}")


def waiting(*messages: Message) -> Waiting:
    each = Waiting()
    for one in messages:
        each = put(each, one)
    return each


def test_one_message_goes_as_it_is_and_several_as_one_that_is_as_bad_as_the_worst() -> None:
    assert batch_of(waiting(message())) == message()
    assert batch_of(waiting(message(1), message(2, Severity.CRITICAL), message(3))) == Message(
        at=AT + 3,
        severity=Severity.CRITICAL,
        title="(2 more) t2",
        body="t3\nb3\n\nt2\nb2\n\nt1\nb1",
    )


def test_a_batch_with_no_room_for_all_words_has_every_title_the_worst_first_i89() -> None:
    long = [
        replace(message(number, severity), body="b" * 700)
        for number, severity in enumerate(
            [Severity.CRITICAL, *[Severity.NOTICE] * 4, Severity.WARNING, Severity.NOTICE]
        )
    ]
    batch = batch_of(waiting(*long))

    newest = f"t6\n{'b' * 700}\n\nt5\n{'b' * 700}"
    when = "2025-11-24 16:00:00 UTC"
    titles = "\n".join(f"{when} {title}" for title in ("t0", "t4", "t3", "t2", "t1"))
    assert batch.body == f"{newest}\n\nBefore that, the worst first:\n{titles}"
    assert (batch.severity, batch.title) == (Severity.CRITICAL, "(6 more) t0")


def test_a_batch_is_never_longer_than_its_limit_and_says_what_it_leaves_out() -> None:
    long = Message(at=AT, severity=Severity.NOTICE, title="t" * TITLE_MAX, body="b" * 3_000)
    batch = batch_of(waiting(*[long] * 100))

    assert len(batch.title) == TITLE_MAX
    assert BODY_MAX - 200 < len(batch.body) <= BODY_MAX
    left_out = 99 - batch.body.count("UTC t")
    end = f"\n… and {left_out} more: alerts.jsonl beside the watch's state has all of them"
    assert batch.body.endswith(end)
    one = batch_of(Waiting(messages=(replace(long, body="b" * 9_000),), dropped=1))
    assert len(one.body) <= BODY_MAX


def test_what_is_not_taken_is_tried_again_with_longer_and_longer_pauses() -> None:
    each, at, pauses = waiting(message()), AT, []
    assert is_due(each, at)
    for _ in range(12):
        each = failed(each, "no", at)
        pauses.append(each.next_try_at - at)
        assert not is_due(each, each.next_try_at - 1)
        at = each.next_try_at
        assert is_due(each, at)

    assert pauses[:3] == [FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE]
    assert pauses[-1] == PAUSE_MAX
    assert (each.messages, each.failing_since) == ((message(),), AT)


def test_a_channel_fails_once_it_has_taken_nothing_for_a_minute_until_it_does() -> None:
    each = failed(waiting(message()), "no", AT)

    assert not is_failing(each, AT + MINUTE - 1)
    assert is_failing(each, AT + MINUTE)
    assert not is_failing(delivered(each, 1), AT + MINUTE)


def test_nothing_waits_for_a_clock_that_was_set_back() -> None:
    each = failed(waiting(message()), "no", AT)

    assert is_due(each, AT - HOUR)
    assert is_failing(each, AT - HOUR)


def test_what_is_too_much_goes_the_oldest_first_and_it_is_said_how_many() -> None:
    each = waiting(*(message(number) for number in range(WAITING_MAX + 3)))

    assert (each.messages[0], len(each.messages)) == (message(3), WAITING_MAX)
    assert batch_of(each).body.endswith("\n\n3 older ones were dropped.")


@given(st.lists(st.sampled_from(["put", "send", "arrives", "fails"]), max_size=300))
def test_every_message_arrives_once_and_in_order_however_sending_goes(steps: list[str]) -> None:
    each, sent, arrived, made = Waiting(), None, list[Message](), 0
    for step in steps:
        match step:
            case "put":
                made += 1
                each = put(each, message(made))
            case "send" if each.messages and sent is None:
                sent = each.messages, end_of(each)
            case "arrives" if sent is not None:
                arrived += sent[0]
                each, sent = delivered(each, sent[1]), None
            case "fails" if sent is not None:
                each, sent = failed(each, "no", AT), None
            case _:
                pass

    assert arrived + list(each.messages) == [message(number) for number in range(1, made + 1)]


def test_what_is_dropped_while_it_is_sent_takes_no_newer_one_with_it() -> None:
    each = waiting(*(message(number) for number in range(WAITING_MAX)))
    end = end_of(each)
    each = put(each, message(WAITING_MAX))

    assert delivered(each, end).messages == (message(WAITING_MAX),)
    assert delivery.end_of(delivered(each, end)) == WAITING_MAX + 1
