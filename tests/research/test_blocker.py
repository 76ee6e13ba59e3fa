"""Only a fresh and green word lets a release through; an override has a name, a reason, an end."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from hydra import __version__
from hydra.research.blocker import (
    BLOCKER,
    HOURS_MAX,
    OVERRIDE,
    OVERRIDES,
    UNDER_WAY,
    BadOverride,
    Blocker,
    Override,
    Versions,
    override,
    verdict_in,
    write_blocker,
    write_red,
)

NOW = datetime(2026, 1, 5, 21, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
VERSIONS = Versions(session="0.0.9", checked_by=__version__, configuration="c0ffee")
GREEN = Blocker(
    status="green",
    reasons=(),
    checked_at=NOW,
    valid_until=NOW + 24 * HOUR,
    session="2026-01-05-001",
    versions=VERSIONS,
    bundle="20260105T210000Z",
)
RED = structs.replace(GREEN, status="red", reasons=("a trade differs",))


def blocked(folder: Path, now: datetime = NOW) -> str:
    """Why; "" if it is not."""
    verdict = verdict_in(folder, now)
    assert verdict.may_release == (verdict.blocked is None)
    assert verdict.override is None
    return verdict.blocked or ""


def test_a_fresh_green_word_lets_a_release_through(tmp_path: Path) -> None:
    write_blocker(tmp_path, GREEN)

    assert blocked(tmp_path) == ""
    assert verdict_in(tmp_path, NOW + 23 * HOUR).blocker == GREEN


def test_a_missing_blocker_blocks(tmp_path: Path) -> None:
    assert blocked(tmp_path).endswith("found no such file; run `hydra-trader gate` first")
    assert "no such file" in blocked(tmp_path / "nowhere")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"green",
        b"{}",
        b'"green"',
        b'{"status": "green"}',
        b"\xff\xfe",
        msgspec.json.encode(GREEN)[:-2],
        msgspec.json.encode({**msgspec.to_builtins(GREEN), "also": 1}),
    ],
)
def test_a_blocker_that_cannot_be_read_blocks(tmp_path: Path, content: bytes) -> None:
    (tmp_path / BLOCKER).write_bytes(content)

    assert "is no release blocker" in blocked(tmp_path)


def test_a_blocker_that_is_no_file_blocks(tmp_path: Path) -> None:
    (tmp_path / BLOCKER).mkdir()

    assert "cannot be read" in blocked(tmp_path)


@pytest.mark.parametrize(
    ("word", "why"),
    [
        (RED, "red: a trade differs"),
        (structs.replace(RED, reasons=()), "red: no reason is told"),
        (structs.replace(RED, reasons=("a", "b", "c", "d")), "red: a; b; c; and 1 more"),
        (structs.replace(GREEN, status="GREEN"), "GREEN: "),
        (structs.replace(GREEN, reasons=("but",)), "says green and has reasons against it: but"),
        (structs.replace(GREEN, format=2), "found format 2, wanted 1"),
        (structs.replace(GREEN, valid_until=NOW), "stale: it was good until"),
        (structs.replace(GREEN, valid_until=NOW + 200 * HOUR), "good for over 168 hours"),
        (structs.replace(GREEN, checked_at=NOW + HOUR), "which is to come"),
        (structs.replace(GREEN, valid_until=datetime(2026, 1, 6)), "without an offset"),  # noqa: DTZ001
        (
            structs.replace(GREEN, versions=structs.replace(VERSIONS, checked_by="0.0.1")),
            f"stale: it was checked by Hydra 0.0.1, and this is {__version__}",
        ),
    ],
)
def test_red_stale_and_contradictory_words_block(tmp_path: Path, word: Blocker, why: str) -> None:
    write_blocker(tmp_path, word)

    assert why in blocked(tmp_path)
    assert "\n" not in blocked(tmp_path)


@given(st.timedeltas(min_value=timedelta(days=-9), max_value=timedelta(days=9)))
def test_green_counts_from_the_check_to_its_end_and_at_no_other_time(
    tmp_path_factory: pytest.TempPathFactory, apart: timedelta
) -> None:
    folder = tmp_path_factory.getbasetemp()
    write_blocker(folder, GREEN)

    counts = timedelta(seconds=-5) <= apart < 24 * HOUR
    assert (blocked(folder, NOW + apart) == "") is counts


def test_a_word_on_other_settings_is_none_on_these(tmp_path: Path) -> None:
    write_blocker(tmp_path, GREEN)

    assert verdict_in(tmp_path, NOW, configuration="c0ffee").blocked is None
    assert verdict_in(tmp_path, NOW, configuration="decaf").blocked == (
        "it was checked with settings c0ffee, and these are decaf"
    )


def test_a_check_that_began_and_did_not_end_leaves_red(tmp_path: Path) -> None:
    write_blocker(tmp_path, GREEN)

    write_red(tmp_path, UNDER_WAY, NOW)

    assert blocked(tmp_path) == "red: a check has begun and not ended: it runs, or was killed"


def given_override(folder: Path, hours: int = 2, **others: str) -> Override:
    words = {"who": "ada", "why": "the feed was down", **others}
    return override(folder, **words, now=NOW, until=NOW + hours * HOUR)


def test_an_override_lets_through_what_stays_blocked_and_is_on_record(tmp_path: Path) -> None:
    write_blocker(tmp_path, RED)
    one = given_override(tmp_path, who=" ada\nlovelace ")

    verdict = verdict_in(tmp_path, NOW + HOUR)

    assert verdict.may_release
    assert verdict.blocked == "red: a trade differs"
    assert verdict.override == one
    assert (one.who, one.why, one.blocked) == (
        "ada lovelace",
        "the feed was down",
        "red: a trade differs",
    )
    given_override(tmp_path, why="once more")
    lines = (tmp_path / OVERRIDES).read_bytes().splitlines()
    assert [msgspec.json.decode(line, type=Override).why for line in lines] == [
        "the feed was down",
        "once more",
    ]


def test_an_override_ends_with_its_time(tmp_path: Path) -> None:
    write_blocker(tmp_path, RED)
    given_override(tmp_path)

    for when in (NOW + 2 * HOUR, NOW - HOUR):
        verdict = verdict_in(tmp_path, when)
        assert not verdict.may_release
        assert verdict.not_overridden.startswith("the override of ada was good until")


@pytest.mark.parametrize("later", [RED, structs.replace(RED, reasons=("another",)), None])
def test_an_override_holds_for_the_finding_that_it_was_given_for(
    tmp_path: Path, later: Blocker | None
) -> None:
    write_blocker(tmp_path, RED)
    given_override(tmp_path)

    if later is None:
        (tmp_path / BLOCKER).unlink()
    else:
        write_blocker(tmp_path, structs.replace(later, checked_at=NOW + timedelta(minutes=1)))

    verdict = verdict_in(tmp_path, NOW + HOUR)
    assert not verdict.may_release
    assert verdict.not_overridden == "the override of ada was given for another check"


def test_a_missing_blocker_can_be_overridden_until_there_is_one(tmp_path: Path) -> None:
    given_override(tmp_path)
    assert verdict_in(tmp_path, NOW).may_release

    write_blocker(tmp_path, RED)
    assert not verdict_in(tmp_path, NOW).may_release


@pytest.mark.parametrize(
    ("hours", "words", "why"),
    [
        (0, {}, "wanted an end after now"),
        (HOURS_MAX + 1, {}, f"within {HOURS_MAX} hours"),
        (1, {"who": " "}, "no name or no reason"),
        (1, {"why": ""}, "no name or no reason"),
    ],
)
def test_an_override_without_end_name_or_reason_is_refused(
    tmp_path: Path, hours: int, words: dict[str, str], why: str
) -> None:
    write_blocker(tmp_path, RED)

    with pytest.raises(BadOverride, match=why):
        given_override(tmp_path, hours, **words)
    assert not (tmp_path / OVERRIDE).exists()


def test_there_is_nothing_to_override_where_nothing_is_blocked(tmp_path: Path) -> None:
    write_blocker(tmp_path, GREEN)

    with pytest.raises(BadOverride, match="the blocker is green"):
        given_override(tmp_path)


def test_an_override_by_hand_that_is_too_long_or_unreadable_does_not_count(tmp_path: Path) -> None:
    write_blocker(tmp_path, RED)
    one = given_override(tmp_path)
    path = tmp_path / OVERRIDE

    path.write_bytes(msgspec.json.encode(structs.replace(one, until=NOW + 900 * HOUR)))
    assert verdict_in(tmp_path, NOW + HOUR).may_release
    assert not verdict_in(tmp_path, NOW + HOURS_MAX * HOUR).may_release
    path.write_bytes(b"{}")
    assert "is no override" in verdict_in(tmp_path, NOW).not_overridden
