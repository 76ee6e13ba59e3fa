from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hydra.actor import MailboxSpec
from hydra.runtime import mailbox as module
from hydra.runtime.envelope import DeadLetterReason, Envelope
from hydra.runtime.mailbox import Mailbox
from messages.message import ControlMessage, Message


class Letter(Message, frozen=True, kw_only=True):
    """`key`: only the newest of it matters."""

    number: int
    key: str | None = None


class Urgent(ControlMessage, frozen=True, kw_only=True):
    number: int


def envelope(message: Message, at: int = 0) -> Envelope:
    return Envelope(message, ("/sender", 1, 1), None, None, at)


def letter(number: int, key: str | None = None, at: int = 0) -> Envelope:
    return envelope(Letter(number=number, key=key), at)


def key_of(message: Any) -> str | None:
    return message.key if isinstance(message, Letter) else None


def taken(mailbox: Mailbox) -> list[int]:
    """The numbers of everything in the user lane, in order, taking it."""
    numbers = []
    while mailbox.user:
        numbers.append(mailbox.take_user().message.number)
    return numbers


def test_the_bound_is_the_most_that_ever_waits_i71() -> None:
    mailbox = Mailbox(MailboxSpec(bound=2))

    results = [mailbox.put_user(letter(n)) for n in range(4)]

    assert results == [None, None, DeadLetterReason.FULL, DeadLetterReason.FULL]
    assert (taken(mailbox), mailbox.rejected, mailbox.high_water) == ([0, 1], 2, 2)


def test_the_high_water_mark_of_a_conflating_mailbox_counts_places() -> None:
    mailbox = Mailbox(MailboxSpec(bound=2, conflate=key_of))

    for n in range(5):
        mailbox.put_user(letter(n, "a"))
        mailbox.put_user(letter(n, "b"))
    refused = mailbox.put_user(letter(9))

    assert refused is DeadLetterReason.FULL
    assert (mailbox.high_water, mailbox.conflated) == (2, 8)


def test_a_closed_mailbox_takes_nothing() -> None:
    mailbox = Mailbox(MailboxSpec())
    mailbox.close()

    assert mailbox.put_user(letter(1)) is DeadLetterReason.STOPPED
    assert mailbox.put_control(envelope(Urgent(number=1))) is DeadLetterReason.STOPPED
    assert mailbox.sweep() == []


def test_the_control_lane_has_a_bound_of_its_own_i71(monkeypatch: Any) -> None:
    monkeypatch.setattr(module, "CONTROL_BOUND", 1)
    mailbox = Mailbox(MailboxSpec(bound=1))

    first, second = (mailbox.put_control(envelope(Urgent(number=n))) for n in range(2))

    assert (first, second) == (None, DeadLetterReason.FULL)


def test_what_is_put_back_is_at_the_head_in_its_order_whatever_the_bound() -> None:
    mailbox = Mailbox(MailboxSpec(bound=1))
    mailbox.put_user(letter(3))

    mailbox.put_back([letter(1), letter(2)])

    assert taken(mailbox) == [1, 2, 3]


def test_sweeping_gives_control_first_and_every_envelope_once() -> None:
    mailbox = Mailbox(MailboxSpec(conflate=key_of))
    mailbox.put_user(letter(1, "a"))
    mailbox.put_user(letter(2))
    mailbox.put_user(letter(3, "a"))
    mailbox.put_control(envelope(Urgent(number=4)))

    swept = [found.message.number for found in mailbox.sweep()]

    assert swept == [4, 3, 2]
    assert mailbox.sweep() == []


def test_peeking_takes_nothing() -> None:
    mailbox = Mailbox(MailboxSpec(conflate=key_of))
    for n in range(3):
        mailbox.put_user(letter(n, "a"))
    mailbox.put_user(letter(7))
    mailbox.put_control(envelope(Urgent(number=8)))

    seen = [found.message.number for found in mailbox.peek(5)]
    control = [found.message.number for found in mailbox.peek(5, control=True)]

    assert (seen, control, taken(mailbox)) == ([2, 7], [8], [2, 7])


def test_the_age_is_that_of_the_oldest_in_either_lane() -> None:
    mailbox = Mailbox(MailboxSpec())
    nothing = mailbox.head_age(100)
    mailbox.put_user(letter(1, at=60))
    user_only = mailbox.head_age(100)
    mailbox.put_control(envelope(Urgent(number=2), at=30))

    assert (nothing, user_only, mailbox.head_age(100)) == (0, 40, 70)


@given(
    st.lists(
        st.one_of(st.tuples(st.just("put"), st.sampled_from("abc") | st.none()), st.just("take")),
        max_size=60,
    )
)
def test_a_conflating_mailbox_gives_each_keys_newest_once_in_the_order_the_keys_came_i71(
    steps: list[Any],
) -> None:
    mailbox = Mailbox(MailboxSpec(conflate=key_of))
    model: list[list[Any]] = []  # [key, newest number]
    for number, step in enumerate(steps):
        if step == "take":
            if model:
                assert mailbox.take_user().message.number == model.pop(0)[1]
            continue
        key = step[1]
        mailbox.put_user(letter(number, key))
        place = next((p for p in model if key is not None and p[0] == key), None)
        if place is not None:
            place[1] = number
        else:
            model.append([key, number])

    assert taken(mailbox) == [number for _, number in model]
