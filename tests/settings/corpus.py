"""Configurations that must never start: spoilt in one line, damaged as files, or hostile."""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from hydra.settings.strict_yaml import NODES_MAX, SIZE_MAX
from tests.settings.fine import BOTS, ENGINE

BAD_EDITS = Path(__file__).with_name("bad_edits.txt")


@dataclass(frozen=True, slots=True)
class Edit:
    """Lines of the fine text, what stands there instead, and what is printed."""

    old: str
    new: str
    printed: tuple[str, ...]

    @property
    def name(self) -> str:
        return " ".join(self.new.split()) or f"no {' '.join(self.old.split())}"

    def of(self, text: str) -> str:
        return ("\n" + text).replace("\n" + self.old, "\n" + self.new)[1:]

    def damage(self, folder: Path) -> None:
        (folder / "settings.yaml").write_text(self.of(ENGINE))
        (folder / "bots.yaml").write_text(self.of(BOTS))


def _edits() -> Iterator[Edit]:
    for block in BAD_EDITS.read_text("utf-8").split("\n\n"):
        lines = block.strip("\n").split("\n")
        if not lines[0].startswith("#"):
            old, new = (
                "".join(f"{line[2:]}\n" for line in lines if line[0] == mark) for mark in "-+"
            )
            yield Edit(old, new, tuple(line[2:] for line in lines if line[0] == "!"))


EDITS = tuple(_edits())

BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
"""A few hundred bytes that would expand to 387 million items."""

HOSTILE: Mapping[str, Callable[[], str]] = {
    "alias bomb": lambda: BOMB,
    "reference to itself": lambda: "a: &a [*a]\n",
    "2,000 lists deep": lambda: "[" * 2_000,
    "2,000 sections deep": lambda: "{" * 2_000,
    "2,000 dashes": lambda: "- " * 2_000,
    "2,000 questions": lambda: "? " * 2_000,
    "2,000 keys deep": lambda: "{a: " * 2_000,
    "nothing but brackets": lambda: "[" * SIZE_MAX,
    "nothing but quotes": lambda: '"' * SIZE_MAX,
    "a quoted text of empty lines": lambda: "a: '" + "\n" * (SIZE_MAX - 4),
    "a plain text of many lines": lambda: "a: b\n" + " b\n" * (SIZE_MAX // 3 - 2),
    "nothing but comments": lambda: "#\n" * (SIZE_MAX // 2),
    "a tag of escapes": lambda: "!<" + "%41" * (SIZE_MAX // 3 - 1),
    "as many keys as allowed": lambda: "".join(
        f"key_{number}: 1\n" for number in range(NODES_MAX // 2 - 1)
    ),
    "a million keys": lambda: "".join(f"k{number}: 1\n" for number in range(1_000_000)),
    "100 MB": lambda: "x" * (100 * 1024 * 1024),
    "a long version": lambda: "%YAML 1." + "9" * 5_000,
    "a long indentation": lambda: "a: |" + "9" * 5_000,
}


def _content(name: str, data: bytes) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes(data)


def _replaced_by(name: str, make: Callable[[Path], object]) -> Callable[[Path], object]:
    def damage(folder: Path) -> None:
        (folder / name).unlink()
        make(folder / name)

    return damage


DAMAGE: Mapping[str, Callable[[Path], object]] = {
    "no settings.yaml": lambda folder: (folder / "settings.yaml").unlink(),
    "no bots.yaml": lambda folder: (folder / "bots.yaml").unlink(),
    "neither": shutil.rmtree,
    "empty": _content("settings.yaml", b""),
    "comments alone": _content("bots.yaml", b"# exitbot: {}\n"),
    "a list": _content("bots.yaml", b"- exitbot\n- cryptobot\n"),
    "text": _content("settings.yaml", b"all as usual\n"),
    "two documents": _content("settings.yaml", f"{ENGINE}---\n{ENGINE}".encode()),
    "not UTF-8": _content("bots.yaml", BOTS.replace("# mom_AAPL", "# \xe9").encode("latin-1")),
    "UTF-16": _content("settings.yaml", ENGINE.encode("utf-16")),
    "NUL bytes at the end": _content("settings.yaml", ENGINE.encode() + bytes(512)),
    "a byte order mark": _content("bots.yaml", b"\xef\xbb\xbf" + BOTS.encode()),
    "CRLF": _content("bots.yaml", BOTS.replace("\n", "\r\n").encode()),
    "tabs": _content("settings.yaml", ENGINE.replace("  ", "\t").encode()),
    "half saved": _content("bots.yaml", BOTS[: len(BOTS) // 2].encode()),
    "without its last character": _content("settings.yaml", ENGINE[:-1].encode()),
    "without its last digit": _content("settings.yaml", ENGINE[:-2].encode()),
    "each other's content": lambda folder: (
        (folder / "settings.yaml").write_text(BOTS),
        (folder / "bots.yaml").write_text(ENGINE),
    ),
    "the same section twice": _content(
        "bots.yaml", (BOTS + "exitbot:\n  enabled: true\n").encode()
    ),
    "a tag that builds an object": _content(
        "bots.yaml", BOTS.replace("{}", "!!python/object/new:os.system [true]").encode()
    ),
    "a tag that imports": _content(
        "bots.yaml", BOTS.replace("{}", "!!python/module:os ''").encode()
    ),
    "a folder": _replaced_by("bots.yaml", Path.mkdir),
    "a pipe": _replaced_by("bots.yaml", os.mkfifo),
    "a link to itself": _replaced_by("settings.yaml", lambda path: path.symlink_to(path)),
    "a link to nothing": _replaced_by(
        "settings.yaml", lambda path: path.symlink_to(path.with_name("gone.yaml"))
    ),
    "a device": _replaced_by("settings.yaml", lambda path: path.symlink_to("/dev/null")),
    "an endless device": _replaced_by("settings.yaml", lambda path: path.symlink_to("/dev/zero")),
    "alias bomb": _content("bots.yaml", BOMB.encode()),
    "257 KiB": _content("bots.yaml", (BOTS + "#" * SIZE_MAX + "\n").encode()),
}
