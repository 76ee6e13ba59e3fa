"""What the words of the kill switch mean, alone and together."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.trading.kill_switch import (
    CONTENT_BYTES_MAX,
    Absent,
    Sight,
    Source,
    Unreadable,
    Written,
    is_kill,
    kill_cause,
)
from hydra.trading.trading_state import Cause, CauseClass, TradingState, effective_state

AT = 1_460_727_000_000_000_000

ACTIVE, CLOSE_ONLY, HALTED = TradingState.ACTIVE, TradingState.CLOSE_ONLY, TradingState.HALTED

SIGHTS: list[tuple[Sight, TradingState]] = [
    (Absent(), ACTIVE),
    (Written(b"close_only\n"), CLOSE_ONLY),
    (Written(b"halt_all\n"), HALTED),
    (Written(b"resume"), HALTED),
    (Written(b""), HALTED),
    (Unreadable("is a folder, wanted an ordinary file"), HALTED),
]

MALFORMED: dict[str, bytes] = {
    "empty": b"",
    "a line end alone": b"\n",
    "blanks alone": b"  \t \r\n",
    "upper case": b"CLOSE_ONLY",
    "a capital": b"Close_only\n",
    "a blank in front": b" close_only",
    "a line in front": b"\nclose_only\n",
    "a byte order mark": b"\xef\xbb\xbfclose_only\n",
    "two byte order marks": b"\xef\xbb\xbf\xef\xbb\xbfclose_only\n",
    "as UTF-16": "close_only\r\n".encode("utf-16"),
    "a zero byte behind": b"close_only\x00",
    "zero bytes": b"\x00" * CONTENT_BYTES_MAX,
    "binary": bytes(range(64)),
    "a hyphen": b"close-only",
    "quotes": b'"close_only"\n',
    "both words": b"close_only halt_all\n",
    "twice": b"close_only\nclose_only\n",
    "half a word": b"close_onl",
    "a comment behind": b"close_only # until Monday\n",
    "an assignment": b"HYDRA_KILL_SWITCH=close_only\n",
    "another word": b"off",
    "no": b"0",
    "a dash that looks like ours": "close\N{DASHED LOW LINE}only".encode(),
    "a vertical tab behind": b"close_only\v",
    "blanks up to too many bytes": b"close_only".ljust(CONTENT_BYTES_MAX + 1),
    "too many bytes": b"x" * (CONTENT_BYTES_MAX + 1),
}


def cause_of(sight: Sight, source: Source = Source.STATE_FILE) -> Cause | None:
    return kill_cause(source, "state/kill_switch", sight, AT)


def state_of(content: bytes) -> TradingState:
    cause = cause_of(Written(content))
    assert cause is not None
    return cause.state


@pytest.mark.parametrize("seen", list(product(SIGHTS, repeat=3)))
def test_the_worst_of_all_sources_counts_i07(
    seen: tuple[tuple[Sight, TradingState], ...],
) -> None:
    causes = [cause_of(sight, source) for source, (sight, _) in zip(Source, seen, strict=True)]

    standing = tuple(cause for cause in causes if cause is not None)

    assert effective_state(standing) is max(
        (state for _, state in seen), key=lambda state: state.severity
    )
    assert len({cause.code for cause in standing}) == len(standing)


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_not_understood_halts_i07(name: str) -> None:
    assert state_of(MALFORMED[name]) is HALTED


@pytest.mark.parametrize("ending", [b"", b"\n", b"\r\n", b" ", b" \t\n\n"])
def test_blanks_behind_a_word_are_no_mistake_i07(ending: bytes) -> None:
    assert state_of(b"close_only" + ending) is CLOSE_ONLY
    assert state_of(b"halt_all" + ending) is HALTED


@given(content=st.binary(max_size=CONTENT_BYTES_MAX + 1))
def test_nothing_but_the_exact_word_is_less_than_a_halt_i07(content: bytes) -> None:
    assert state_of(content) is (
        CLOSE_ONLY
        if content[:10] == b"close_only"
        and content[10:].strip(b" \t\r\n") == b""
        and len(content) <= CONTENT_BYTES_MAX
        else HALTED
    )


def test_nothing_there_is_no_kill_i07() -> None:
    assert cause_of(Absent()) is None


UNSET = "unset it where it is set (environment, .env)"


@pytest.mark.parametrize(
    ("source", "sight", "state", "found", "way_back"),
    [
        (Source.ENVIRONMENT, Written(b"halt_all"), HALTED, "says halt_all", UNSET),
        (Source.STATE_FILE, Written(b"halt_all\n"), HALTED, "says halt_all", "remove the file"),
        (Source.NAMED_FILE, Written(b"halt_all\n"), HALTED, "says halt_all", "remove the file"),
        (
            Source.STATE_FILE,
            Written(b"close_only\n"),
            CLOSE_ONLY,
            "says close_only",
            "remove the file",
        ),
        (
            Source.STATE_FILE,
            Written(b""),
            HALTED,
            "is empty (counts as halt_all)",
            "remove the file",
        ),
        (
            Source.STATE_FILE,
            Written(b"halt_all" * 9),
            HALTED,
            "has more than 64 bytes (counts as halt_all)",
            "remove the file",
        ),
        (
            Source.STATE_FILE,
            Unreadable("is a link, wanted the file itself"),
            HALTED,
            "is a link, wanted the file itself (counts as halt_all)",
            "correct that",
        ),
    ],
)
def test_a_kill_says_where_what_and_how_to_take_it_back_i07(
    source: Source, sight: Sight, state: TradingState, found: str, way_back: str
) -> None:
    cause = kill_cause(source, "the place", sight, AT)

    assert cause == Cause(
        code=f"kill_switch:{source.value}",
        cause_class=CauseClass.INTEGRITY,
        state=state,
        since=AT,
        detail=f"the place {found}; to take it back, {way_back}, then resume",
    )
    assert is_kill(cause)


@pytest.mark.parametrize("name", ["upper case", "a blank in front", "a byte order mark"])
def test_a_word_that_is_nearly_right_is_said_to_be_i07(name: str) -> None:
    cause = cause_of(Written(MALFORMED[name]))

    assert cause is not None
    assert (
        "has a known word, but with capitals, or with blanks or a byte order mark in front"
        in cause.detail
    )


def test_a_key_in_the_wrong_line_is_not_told_i83() -> None:
    key = "a-secret-of-this-test"

    cause = kill_cause(Source.ENVIRONMENT, "HYDRA_KILL_SWITCH", Written(key.encode()), AT)

    assert cause is not None
    assert key not in cause.detail
    assert "has 21 bytes that are no known word" in cause.detail


def test_other_causes_are_no_kill() -> None:
    cause = Cause(
        code="operator-halt",
        cause_class=CauseClass.INTEGRITY,
        state=HALTED,
        since=AT,
        detail="a test",
    )

    assert not is_kill(cause)
