"""Files that are no configuration at all, or try to be more than one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.settings import SettingsRefused, load_settings
from hydra.settings.strict_yaml import DEPTH_MAX, NODES_MAX, SIZE_MAX
from tests.settings.corpus import DAMAGE, HOSTILE
from tests.settings.fine import BOTS, ENGINE, load, refusals, spoilt
from tests.thinned import thinned

HOME = Path(__file__).resolve().parent.parent.parent


@pytest.mark.parametrize(
    ("content", "printed"),
    [
        (b"", "1: nothing is in this file; its settings are needed"),
        (b"# nothing\n\n", "1: nothing is in this file; its settings are needed"),
        (b"---\n", "1: keys and values are wanted at the top of this file"),
        (b"# a list\n- a\n", "2: keys and values are wanted at the top of this file"),
        (b"text\n", "1: keys and values are wanted at the top of this file"),
        (b"a: 1\n\xff\xfe", "2: byte 0xff is not UTF-8 text"),
        ("exitbot:\n".encode("utf-16-le"), "1: character U+0000 is not allowed"),
        (b"a: 1\nb: \x00\n", "2: character U+0000 is not allowed"),
        (b"a: 1\nb: \x1b[31m\n", "2: character U+001B is not allowed"),
        (b"exitbot:\n\tenabled: true\n", "2: a tab (indent with spaces) is not allowed"),
        (
            b"exitbot:\r\n  enabled: true\r\n",
            "1: a carriage return (save the file with LF line ends) is not allowed",
        ),
        (
            b"\xef\xbb\xbfexitbot:\n",
            "1: a byte order mark (save the file as UTF-8 without one) is not allowed",
        ),
        ("exitbot:\n\u00a0 enabled: true\n".encode(), "2: character U+00A0 is not allowed"),
        ("# to the \u202eleft\n".encode(), "1: character U+202E is not allowed"),
        ("a: 1\u2028b: 2\n".encode(), "1: character U+2028 is not allowed"),
        (b"\xed\xa0\x80", "1: byte 0xed is not UTF-8 text"),
    ],
)
def test_a_file_that_is_no_settings_is_refused_with_one_line_i78_i80(
    tmp_path: Path, content: bytes, printed: str
) -> None:
    assert refusals(tmp_path, bots=content) == [f"bots.yaml:{printed}"]


def test_a_missing_file_is_refused_and_the_other_one_still_checked_i78(tmp_path: Path) -> None:
    load(tmp_path)
    (tmp_path / "settings.yaml").unlink()
    (tmp_path / "bots.yaml").write_text(spoilt(BOTS, "cooloff_minutes: 380", "cooloff_minutes: 0"))

    with pytest.raises(SettingsRefused) as refused:
        load_settings(tmp_path)

    assert str(refused.value).splitlines() == [
        f"{tmp_path}/settings.yaml: no such file; it is needed",
        (
            f"{tmp_path}/bots.yaml:3: exitbot.cooloff_minutes: found '0', "
            "wanted a whole number from 1 to 10080 (minutes); zero never means unlimited"
        ),
    ]


def test_what_is_not_a_readable_file_is_refused_without_waiting_for_it_i78(tmp_path: Path) -> None:
    (tmp_path / "settings.yaml").symlink_to(tmp_path / "settings.yaml")
    os.mkfifo(tmp_path / "bots.yaml")

    with pytest.raises(SettingsRefused) as link_loop_and_pipe:
        load_settings(tmp_path)

    (tmp_path / "settings.yaml").unlink()
    (tmp_path / "settings.yaml").mkdir()
    with pytest.raises(SettingsRefused) as folder_and_pipe:
        load_settings(tmp_path)

    pipe = f"{tmp_path}/bots.yaml: is not a regular file"
    loop = f"{tmp_path}/settings.yaml: cannot be read: Too many levels of symbolic links"
    assert str(link_loop_and_pipe.value).splitlines() == [loop, pipe]
    folder = f"{tmp_path}/settings.yaml: is not a regular file"
    assert str(folder_and_pipe.value).splitlines() == [folder, pipe]


def test_a_file_up_to_the_largest_size_is_read_and_a_larger_one_is_not_i80(tmp_path: Path) -> None:
    largest = BOTS + "#" * (SIZE_MAX - len(BOTS) - 1) + "\n"

    assert refusals(tmp_path, bots=largest) == []
    assert refusals(tmp_path, bots=largest + "#") == [
        "bots.yaml: is 262145 bytes long, at most 262144 are allowed"
    ]


def test_values_up_to_the_greatest_depth_are_read_and_deeper_ones_are_not_i80(
    tmp_path: Path,
) -> None:
    # At the top of the file is depth 1, in `system` 2, and the first bracket 3.
    deepest = "[" * (DEPTH_MAX - 2) + "]" * (DEPTH_MAX - 2)

    def with_zone(value: str) -> list[str]:
        engine = spoilt(ENGINE, "timezone: America/New_York", f"timezone: {value}")
        return refusals(tmp_path, engine=engine)

    assert with_zone(deepest) == [
        (
            "settings.yaml:2: system.timezone: "
            "found a list, wanted a time zone such as America/New_York"
        )
    ]
    assert with_zone(f"[{deepest}]") == ["settings.yaml:2: nested more than 16 deep"]


def test_as_many_values_as_allowed_are_read_and_one_more_is_not_i80(tmp_path: Path) -> None:
    # The top of the file, the key `a` and its list are three.
    items = NODES_MAX - 3

    assert len(refusals(tmp_path, bots=f"a: [{'b,' * items}]")) > 1
    assert refusals(tmp_path, bots=f"a: [{'b,' * (items + 1)}]") == [
        "bots.yaml:1: more than 10000 keys and values"
    ]


MEASURED = """
import json, resource, sys, time
from pathlib import Path
from hydra.settings import SettingsRefused, load_settings

def peak_kib():
    unit = 1024 if sys.platform == "darwin" else 1
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // unit

load_settings(Path(sys.argv[1]))
before_kib, started = peak_kib(), time.process_time()
try:
    load_settings(Path(sys.argv[2]))
    lines = 0
except SettingsRefused as refused:
    lines = len(str(refused).splitlines())
print(json.dumps([lines, time.process_time() - started, peak_kib() - before_kib]))
"""


@pytest.mark.parametrize("name", thinned(HOSTILE, 3))
def test_a_hostile_file_is_refused_within_a_second_and_64_mib_i78_i80(
    tmp_path: Path, name: str
) -> None:
    fine, hostile = tmp_path / "fine", tmp_path / "hostile"
    for folder in (fine, hostile):
        folder.mkdir()
        load(folder)
    (hostile / "bots.yaml").write_text(HOSTILE[name]())

    measured = subprocess.run(
        [sys.executable, "-c", MEASURED, str(fine), str(hostile)],
        cwd=HOME,
        check=True,
        capture_output=True,
        text=True,
        timeout=30,
    )

    lines, processor_s, more_kib = json.loads(measured.stdout)
    assert lines > 0
    # Of the processor's time, so that a busy machine makes no difference to speak of.
    assert processor_s < 1
    assert more_kib < 64 * 1024


@given(content=st.binary() | st.text().map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_no_bytes_raise_anything_but_a_refusal_i80(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    with pytest.raises(SettingsRefused):
        load(tmp_path_factory.getbasetemp(), bots=content)


YAML_WORDS = [
    *("\n", "\n  ", "\n    ", " ", ": ", "- ", "? ", "---", "...", "%YAML 1.1\n", "%TAG ! !x\n"),
    *("&a ", "*a", "!!str ", "!x ", "! ", "<<: ", "|", ">", "|-2", "[", "]", "{", "}", ",", "#"),
    *("'", '"', "\\U00110000", "\\uD800", "\\x0", "~", "null", "exitbot", "cryptobot", "enabled"),
    *("momentum_bots", "session", "params", "010", "1e3", "0", "true", "NO", "12:55", "\u00e9"),
]


@given(
    words=st.lists(st.sampled_from(YAML_WORDS), max_size=12),
    at=st.integers(0, len(BOTS)),
    cut=st.integers(0, 40),
)
def test_no_piece_of_yaml_put_anywhere_raises_anything_but_a_refusal_i80(
    tmp_path_factory: pytest.TempPathFactory, words: list[str], at: int, cut: int
) -> None:
    bots = BOTS[:at] + "".join(words) + BOTS[at + cut :]

    for line in refusals(tmp_path_factory.getbasetemp(), bots=bots):
        assert line.startswith("bots.yaml:")
        assert line.isprintable()


LINE_ENDS = [at for at, character in enumerate(ENGINE) if character == "\n"]


def test_a_file_cut_short_after_any_line_is_refused_or_says_the_same_i79_i80(
    tmp_path: Path,
) -> None:
    whole = load(tmp_path)

    for at in LINE_ENDS:
        for cut in (ENGINE[:at], ENGINE[: at + 1]):
            try:
                loaded = load(tmp_path, engine=cut)
            except SettingsRefused:
                continue
            assert loaded == whole, f"cut after {cut!r}"


@given(at=st.integers(0, len(ENGINE) - 1))
def test_a_file_cut_short_within_a_line_is_refused_i79_i80(
    tmp_path_factory: pytest.TempPathFactory, at: int
) -> None:
    with pytest.raises(SettingsRefused):
        load(tmp_path_factory.getbasetemp(), engine=ENGINE[:at])


@given(at=st.integers(0, len(BOTS) - 1))
def test_bots_cut_short_anywhere_are_refused_i79_i80(
    tmp_path_factory: pytest.TempPathFactory, at: int
) -> None:
    with pytest.raises(SettingsRefused):
        load(tmp_path_factory.getbasetemp(), bots=BOTS[:at])


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_file_is_refused_with_its_name_i78_i80(tmp_path: Path, name: str) -> None:
    load(tmp_path)
    DAMAGE[name](tmp_path)

    with pytest.raises(SettingsRefused) as refused:
        load_settings(tmp_path)

    for line in str(refused.value).splitlines():
        assert line.startswith((f"{tmp_path}/settings.yaml:", f"{tmp_path}/bots.yaml:"))
        assert line.isprintable()


def test_a_last_line_without_an_end_is_refused_by_its_number_i79(tmp_path: Path) -> None:
    # The editor has written `60` half: as it stands it would be six seconds.
    assert refusals(tmp_path, engine=ENGINE[: -len("0\n")]) == [
        "settings.yaml:55: the last line has no end; save the file whole"
    ]


@pytest.mark.parametrize("word", ["NO", "TRUE", "ON", "Y", "NAN"])
def test_a_word_that_other_readers_turn_into_something_else_stays_a_ticker_i80(
    tmp_path: Path, word: str
) -> None:
    bots = spoilt(BOTS, "tickers: [SPY, QQQ]", f"tickers: [SPY, {word}]")

    assert load(tmp_path, bots=bots).optionsbot.tickers == ("SPY", word)
