"""The two files of `config/`: what is accepted is what is written there, and passes again (I80)."""

import random
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal, InvalidOperation
from functools import partial
from pathlib import Path
from typing import Any

import yaml

import hydra.settings
from hydra.plugins import fault_in_plugin, fault_in_signal
from hydra.settings import Settings, SettingsRefused, load_settings
from hydra.settings.changes import changes_between
from hydra.settings.entries import entries_of
from hydra.settings.strict_yaml import NULLS, Document, parsed, read_document
from hydra.settings.whole import content_of
from tests.fuzz.spoiling import spoilt_bytes, spoilt_lines
from tests.fuzz.target import Broken, Target, Verdict, require
from tests.settings.corpus import HOSTILE
from tests.settings.fine import BOTS, ENGINE

HEAD = b"=== bots.yaml\n"
"""What stands between the two files in an input."""

SCALARS = (
    *("0", "-1", "-0", "1", "010", "1_000", "1e3", "0x1F", ".5", "5.", "+5", "0.00000001", "1.000"),
    *(".nan", ".inf", "-.inf", "nan", "1e400", "9" * 30, "9" * 5_000, "\u0663", "1,5", "1:2:3"),
    *("on", "ON", "off", "OFF", "yes", "NO", "true", "True", "TRUE", "false", "null", "~", '""'),
    *('"5"', "'5'", "[]", "{}", "[5]", "{a: 5}", "|", ">", "|9", "&a 5", "*a", "!!int 5", "!x 5"),
    *("!!python/object:os.system x", "<<", "? 5", "- 5", "5 # five", "5#five", "a: b", "@a", "%a"),
    *("America/New_York", "Etc/UTC", "../UTC", "AAPL", "aapl", "BRK.B", "BTC/USD", "live", "paper"),
    *("09:30", "24:00", "9:30", "12:55", "./x", "~/x", "$HOME/x", "/", "x/", '"\\x41"', '"\\0"'),
    *('"\\UFFFFFFFF"', '"\\ud800"', '"a', "'a", "\u2028", "\ufeff", "\x85", "\u00a0", "5\u00a0"),
    *("\t5", " 5", "5 "),
)
KEYS = ("enabled", "bot_id", "<<", "max_quantity", "max_qauntity", "risk", "? a", '"risk"', "on")


def _encoded(make: Callable[[], str]) -> bytes:
    return make().encode()


HUGE = tuple(
    partial(_encoded, make)
    for name, make in HOSTILE.items()
    if name not in ("100 MB", "a million keys")
)
"""But two, which to make takes more memory than this process is allowed to grow by."""
SECONDS_MAX = 3.0
"""With probes, and on a machine that others use; `tests/settings` hold it to one second."""
SMALL = (
    "a: 1\nb: [x, 'y', \"z\"]\nc:\n  d: ON\n  e: ~\n",
    "# a comment\na: |\n  text\n  more\nb: >-\n  folded\n",
    "{a: {b: [1, 2, {c: d}]}, e: 'f'}\n",
    "a: &x 1\nb: *x\n",
    "- a\n- b\n",
)


SHIPPED = Path(hydra.settings.__file__).parent / "shipped"


@contextmanager
def settings(folder: Path) -> Iterator[Target]:
    """Both files, loaded as every command does."""

    def feed(data: bytes) -> Verdict:
        engine, _, bots = data.partition(HEAD)
        (folder / "settings.yaml").write_bytes(engine)
        (folder / "bots.yaml").write_bytes(bots)
        try:
            loaded = _loaded(folder)
        except SettingsRefused as refused:
            require(bool(refused.errors), "refused without a reason")
            require(all(line.isprintable() for line in str(refused).split("\n")), "odd characters")
            return Verdict.REFUSED
        _require_the_same_again(loaded)
        _require_as_written(loaded, engine, bots)
        return Verdict.ACCEPTED

    seeds = (
        _in_use(ENGINE, BOTS),
        _in_use((SHIPPED / "settings.yaml").read_text(), (SHIPPED / "bots.yaml").read_text()),
    )
    yield Target(
        name="settings",
        feed=feed,
        seeds=seeds,
        spoil=_spoil,
        huge=tuple(partial(_with_bots, make) for make in HUGE),
        seconds_max=SECONDS_MAX,
        input_bytes_max=300_000,
    )


@contextmanager
def strict_yaml(folder: Path) -> Iterator[Target]:
    """One file by itself: what is read of it is what another reader of YAML sees, or less."""
    path = folder / "any.yaml"

    def feed(data: bytes) -> Verdict:
        path.write_bytes(data)
        document = read_document(path)
        require(document.data is not None or bool(document.problems), "nothing, without a word")
        for problem in document.problems:
            require(problem.message.isprintable(), f"odd characters: {problem.message!r:.200}")
        if document.problems:
            return Verdict.REFUSED
        _require_as_another_reads(data, document)
        require(parsed(data.decode()) == document, "two looks see two things")
        return Verdict.ACCEPTED

    seeds = tuple(each.encode() for each in (*SMALL, ENGINE))
    yield Target(
        name="strict_yaml",
        feed=feed,
        seeds=seeds,
        spoil=_spoil,
        huge=HUGE,
        seconds_max=SECONDS_MAX,
    )


def _with_bots(make: Callable[[], bytes]) -> bytes:
    return make() + HEAD + BOTS.encode()


def _in_use(engine: str, bots: str) -> bytes:
    """Without comments, whose damage shows nothing; with strategies that there are."""
    bots = bots.replace(", threshold_pct: 0.5}", ", slow_bars: 20}").replace(
        '{lookback: "10"}', "{}"
    )
    text = f"{engine}{HEAD.decode()}{bots}"
    return "\n".join(each for each in text.split("\n") if not each.strip().startswith("#")).encode()


def _loaded(folder: Path) -> Settings:
    return load_settings(folder, signal_check=fault_in_signal, plugin_check=fault_in_plugin)


def _require_the_same_again(loaded: Settings) -> None:
    """Written out and checked once more, it is what it was, and no change."""
    again = Settings.model_validate(content_of(loaded, as_written=True))
    require(again == loaded and again.digest == loaded.digest, "written out it is another")
    require(changes_between(loaded, again) == (), "there are changes between two of the same")


def _require_as_written(loaded: Settings, *files: bytes) -> None:
    """Every number is the one in the file, whatever it is called there: none is ever loosened."""
    written: dict[str, str] = {}
    for file in files:
        written.update(_scalars(yaml.load(file, yaml.BaseLoader), ""))  # noqa: S506 (gives text)
    for entry in entries_of(loaded):
        text = written.get(_by_number(entry.key, loaded))
        if (
            text is None
            or isinstance(entry.value, bool)
            or not isinstance(entry.value, int | Decimal)
        ):
            continue
        try:
            meant = Decimal(text)
        except InvalidOperation:
            raise Broken(f"{entry.key}: {text!r} was read as {entry.value}") from None
        require(meant == entry.value, f"{entry.key}: {text} was read as {entry.value}")


def _by_number(key: str, loaded: Settings) -> str:
    """The key with the place of its bot in the list, for `[its id]`."""
    for name in ("momentum_bots", "plugin_bots"):
        for number, bot in enumerate(getattr(loaded, name)):
            key = key.replace(f"{name}[{bot.bot_id}]", f"{name}[{number}]")
    return key


def _scalars(tree: Any, key: str) -> Iterator[tuple[str, str]]:
    match tree:
        case dict():
            for name, value in tree.items():
                yield from _scalars(value, f"{key}.{name}" if key else str(name))
        case list():
            for number, value in enumerate(tree):
                yield from _scalars(value, f"{key}[{number}]")
        case _:
            yield key, str(tree)


def _require_as_another_reads(data: bytes, document: Document) -> None:
    """PyYAML's own, which makes text of everything, and keeps the last of a repeated key."""
    try:
        other = yaml.load(data, yaml.BaseLoader)  # noqa: S506 (gives text)
    except yaml.MarkedYAMLError:
        return  # YAML 1.1, which it knows alone, gives less than 1.2 to a ? in [] and {}
    require(_plain(document.data) == _plain(other), f"{document.data!r:.200} is not {other!r:.200}")


def _plain(tree: Any) -> Any:
    match tree:
        case dict():
            return {name: _plain(value) for name, value in tree.items()}
        case list():
            return [_plain(value) for value in tree]
        case None:
            return None
        case _:
            return None if tree in NULLS else str(tree)


def _spoil(data: bytes, dice: random.Random) -> bytes:
    match dice.randrange(12):
        case 3 | 4 | 5 | 6:
            return _other_number(data, dice)
        case 0:
            return spoilt_bytes(data, dice)
        case 1:
            return spoilt_lines(data, dice)
        case 2:
            return _indented(data, dice)
        case _:
            return _other_value(data, dice)


def _indented(data: bytes, dice: random.Random) -> bytes:
    lines = data.split(b"\n")
    at = dice.randrange(len(lines))
    line = lines[at]
    deeper = (b"  " + line, b" " + line, line.removeprefix(b"  "), b"- " + line, line + b":")
    lines[at] = dice.choice(deeper)
    return b"\n".join(lines)


def _other_number(data: bytes, dice: random.Random) -> bytes:
    """A little more or less, or the same in other digits: mostly still a number that is allowed."""
    found = list(_NUMBER.finditer(data))
    if not found:
        return spoilt_bytes(data, dice)
    number = dice.choice(found)
    value = Decimal(number[1].decode())
    others = [f"{value * factor:f}" for factor in (Decimal("0.5"), Decimal("0.9"), 1, 2)]
    digits = number[1].decode()
    others += [f"{value + 1:f}", f"{value - 1:f}", f"{digits}.0", f"0{digits}", f'"{digits}"']
    start, end = number.span(1)
    return data[:start] + dice.choice(others).encode() + data[end:]


_NUMBER = re.compile(rb": ([0-9]{1,9}(?:\.[0-9]{1,4})?)$", re.MULTILINE)


def _other_value(data: bytes, dice: random.Random) -> bytes:
    """Of one or two keys, or another key, or a line more."""
    lines = data.split(b"\n")
    for _ in range(dice.choice((1, 1, 1, 2))):
        at = dice.randrange(len(lines))
        key, colon, value = lines[at].partition(b":")
        if not colon:
            continue
        scalar = dice.choice(SCALARS).encode("utf-8", "surrogatepass")
        match dice.randrange(9):
            case 0:
                indent = key[: len(key) - len(key.lstrip())]
                lines[at] = indent + dice.choice(KEYS).encode() + b":" + value
            case 1:
                lines.insert(at, key + b": " + scalar)
            case 2 if value.strip()[:1].isdigit():
                odd = dice.choice((b"0", b".5", b"e1", b"_0", b"%", b" ", b"5"))
                lines[at] = key + b": " + value.strip() + odd
            case 3 | 4 | 5 if value.strip()[:1].isdigit():
                number = str(dice.choice((1, 2, 3, 7, 10, 0.5, 0.25, 12.5))) + dice.choice(
                    ("", "0")
                )
                lines[at] = key + b": " + number.encode()
            case _:
                lines[at] = key + b": " + scalar
    return b"\n".join(lines)
