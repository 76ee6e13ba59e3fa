"""How much more memory this process can take before the system ends it, as Linux tells.

Three say no: the machine, each control group that it is in (a container's, a unit's `MemoryMax`),
and its own limits (`ulimit -v` and `-d`). What the system could take back at any time, pages of
files and free swap, counts as room. Elsewhere than on Linux nobody tells.

Sources: Linux `Documentation/filesystems/proc.rst` (meminfo, statm), `admin-guide/cgroup-v2.rst`
and `admin-guide/cgroup-v1/memory.rst`; getrlimit(2).
"""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

MIB = 1024 * 1024
NO_LIMIT = 1 << 60
"""Bytes. From here on a number stands for "none", as the first version of groups writes it."""


class Room(msgspec.Struct, frozen=True):
    """So many bytes more, and who says so."""

    free: int
    place: str


class _Version(msgspec.Struct, frozen=True):
    """The files of a group that hold what is asked for, and the names in its `memory.stat`."""

    mount: str
    limit: str
    used: str
    reclaimable: tuple[str, ...]
    swap_limit: str
    swap_used: str


_GROUPS_V2 = _Version(
    mount="sys/fs/cgroup",
    limit="memory.max",
    used="memory.current",
    reclaimable=("inactive_file", "slab_reclaimable"),
    swap_limit="memory.swap.max",
    swap_used="memory.swap.current",
)
_GROUPS_V1 = _Version(
    mount="sys/fs/cgroup/memory",
    limit="memory.limit_in_bytes",
    used="memory.usage_in_bytes",
    reclaimable=("total_inactive_file",),
    swap_limit="",  # of both together, and seldom accounted: no swap is reckoned with
    swap_used="",
)


def rooms(system: Path = Path("/")) -> tuple[Room, ...]:
    """Of all that say anything. Empty: nobody does, and nothing is known."""
    meminfo = _fields_of(_text(system / "proc/meminfo"))
    swap = 1024 * meminfo.get("SwapFree", 0)
    found = [
        *_own_rooms(_text(system / "proc/self/statm").split()),
        *_group_rooms(system, _text(system / "proc/self/cgroup"), swap),
    ]
    if "MemAvailable" in meminfo:
        found.append(Room(1024 * meminfo["MemAvailable"] + swap, "this machine"))
    return tuple(found)


def _own_rooms(statm: list[str]) -> Iterator[Room]:
    """Pages: the first number is the address space, the sixth what is data in it."""
    if len(statm) < 6:
        return
    page = os.sysconf("SC_PAGE_SIZE")
    for limit, pages, place in (
        (resource.RLIMIT_AS, statm[0], "this process's limit of address space (ulimit -v)"),
        (resource.RLIMIT_DATA, statm[5], "this process's limit of data (ulimit -d)"),
    ):
        most = resource.getrlimit(limit)[0]
        if most != resource.RLIM_INFINITY and pages.isdigit():
            yield Room(max(0, most - int(pages) * page), place)


def _group_rooms(system: Path, membership: str, swap: int) -> Iterator[Room]:
    """Of the groups that the process is in, and of all above them."""
    for line in membership.splitlines():
        number, _, rest = line.partition(":")
        controllers, _, name = rest.partition(":")
        if number == "0" and not controllers:
            version = _GROUPS_V2
        elif "memory" in controllers.split(","):
            version = _GROUPS_V1
        else:
            continue
        mount = system / version.mount
        # In a container the name may be that of outside, of which nothing is mounted but the last.
        folder = mount / name.lstrip("/")
        for each in (folder, *folder.parents):
            if not each.is_relative_to(mount):
                break
            room = _group_room(each, version, swap)
            if room is not None:
                yield Room(room, f"its control group ({each / version.limit})")


def _group_room(folder: Path, version: _Version, swap: int) -> int | None:
    """None: it has no limit, or does not say."""
    limit = _number(folder / version.limit)
    used = _number(folder / version.used)
    if limit is None or limit >= NO_LIMIT or used is None:
        return None
    stat = _fields_of(_text(folder / "memory.stat"))
    back = sum(stat.get(name, 0) for name in version.reclaimable)
    return max(0, limit - used + back + _swap_room(folder, version, swap))


def _swap_room(folder: Path, version: _Version, free: int) -> int:
    """How much of the swap that is free the group may take; none where nobody counts it."""
    used = _number(folder / version.swap_used) if version.swap_used else None
    if used is None:
        return 0
    limit = _number(folder / version.swap_limit)
    return free if limit is None else min(free, max(0, limit - used))


def _number(path: Path) -> int | None:
    text = _text(path).strip()
    return int(text) if text.isdigit() else None


def _fields_of(text: str) -> Mapping[str, int]:
    """Lines of a name and a number, with or without a colon between and a unit behind."""
    fields = {}
    for line in text.splitlines():
        words = line.replace(":", " ").split()
        if len(words) >= 2 and words[1].isdigit():
            fields[words[0]] = int(words[1])
    return fields


def _text(path: Path) -> str:
    """ "": it is not there, or nobody may read it."""
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
