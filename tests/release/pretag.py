"""Whether this folder is fit to be tagged as a release: pure, from what it says of itself (H7)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

import msgspec

from hydra.trading.findings import Finding

_VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)", re.ASCII)
_HEADING = re.compile(r"^## (?P<version>\S+) \((?P<when>[^)]*)\)$", re.MULTILINE)


class Folder(msgspec.Struct, frozen=True, kw_only=True):
    """What it says. `told` is the version that a running engine tells, `packaged` the one that an
    installer sees; `tags` are those that there are; `changed` what is not committed.
    """

    told: str
    packaged: str
    changelog: str
    tags: Sequence[str]
    changed: Sequence[str]
    today: date


def tag_of(version: str) -> str:
    """The name of its tag."""
    return f"v{version}"


def findings_of(folder: Folder) -> tuple[Finding, ...]:
    """Every check, in the order in which they are to be mended."""
    return (_version(folder), _changelog(folder), _tag(folder), _changed(folder))


def _version(folder: Folder) -> Finding:
    if _VERSION.fullmatch(folder.told) is None:
        line = f"hydra.__version__: found {folder.told}, wanted three numbers, such as 1.2.0"
        return Finding("version", False, line)
    if folder.told != folder.packaged:
        line = f"hydra.__version__ says {folder.told}, pyproject.toml {folder.packaged}"
        return Finding("version", False, f"{line}; wanted one")
    return Finding("version", True, f"{folder.told}, in the engine and in the package")


def _changelog(folder: Folder) -> Finding:
    newest = _HEADING.search(folder.changelog)
    wanted = f"## {folder.told} ({folder.today.isoformat()})"
    if newest is None or newest["version"] != folder.told:
        found = "no heading" if newest is None else newest[0]
        return Finding("changelog", False, f"CHANGELOG.md: found {found}, wanted {wanted}")
    try:
        is_past = date.fromisoformat(newest["when"]) <= folder.today
    except ValueError:
        is_past = False
    if not is_past:
        return Finding("changelog", False, f"CHANGELOG.md: found {newest[0]}, wanted {wanted}")
    return Finding("changelog", True, newest[0].removeprefix("## "))


def _tag(folder: Folder) -> Finding:
    tag = tag_of(folder.told)
    if tag in folder.tags:
        return Finding("tag", False, f"there is a {tag} already; wanted a higher version")
    earlier = [number for each in folder.tags if (number := _number(each)) is not None]
    own = _number(tag)
    if own is not None and earlier and own < max(earlier):
        newest = ".".join(map(str, max(earlier)))
        return Finding("tag", False, f"there is a v{newest} already; wanted a higher version")
    return Finding("tag", True, f"there is no {tag} yet")


def _number(tag: str) -> tuple[int, ...] | None:
    version = tag.removeprefix("v")
    if version == tag or _VERSION.fullmatch(version) is None:
        return None
    return tuple(map(int, version.split(".")))


def _changed(folder: Folder) -> Finding:
    if folder.changed:
        line = f"{len(folder.changed)} files are not committed, such as {folder.changed[0]}"
        return Finding("committed", False, line)
    return Finding("committed", True, "all of it")
