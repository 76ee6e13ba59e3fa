"""What Linux tells of the memory that is left, of a system made of files, and of this one."""

import resource
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from hydra.ops.memory_room import MIB, Room, rooms

MACHINE = Room(300 * MIB, "this machine")
MEMINFO = """MemTotal:        2000000 kB
MemFree:           10000 kB
MemAvailable:     204800 kB
SwapTotal:        200000 kB
SwapFree:         102400 kB
"""


@pytest.fixture
def system(tmp_path: Path) -> Path:
    """A machine with 200 MiB and 100 MiB of swap left, and a process in no group."""
    write(tmp_path, "proc/meminfo", MEMINFO)
    return tmp_path


def write(system: Path, name: str, text: str) -> None:
    path = system / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def group(
    system: Path,
    name: str,
    *,
    most: object,
    used: int,
    back: int = 0,
    swap: Mapping[str, object] = {},
) -> None:
    folder = f"sys/fs/cgroup/{name}"
    write(system, f"{folder}/memory.max", f"{most}\n")
    write(system, f"{folder}/memory.current", f"{used}\n")
    write(system, f"{folder}/memory.stat", f"anon 5\ninactive_file {back}\nslab_reclaimable 0\n")
    for key, value in swap.items():
        write(system, f"{folder}/memory.swap.{key}", f"{value}\n")


def left_in(system: Path) -> list[tuple[int, str]]:
    """MiB, and the folder of the group below the mount; "" for the machine."""
    return [
        (
            room.free // MIB,
            room.place.partition("cgroup")[2].rpartition("/")[0]
            if "group" in room.place
            else "this machine",
        )
        for room in rooms(system)
    ]


def test_a_machine_has_what_is_available_and_its_free_swap(system: Path) -> None:
    assert rooms(system) == (MACHINE,)


def test_where_nothing_is_told_nothing_is_known(tmp_path: Path) -> None:
    assert rooms(tmp_path) == ()


@pytest.mark.parametrize("text", ["", "MemTotal: 5 kB\n", "MemAvailable: much\n", "\0\xff\n", "a"])
def test_what_says_nothing_of_it_is_no_word(text: str, tmp_path: Path) -> None:
    write(tmp_path, "proc/meminfo", text)
    write(tmp_path, "proc/self/cgroup", text)
    write(tmp_path, "proc/self/statm", text)

    assert rooms(tmp_path) == ()


def test_a_group_has_what_its_limit_leaves_and_what_can_be_taken_back(system: Path) -> None:
    write(system, "proc/self/cgroup", "0::/system.slice/hydra.service\n")
    group(system, "system.slice", most="max", used=5)
    group(system, "system.slice/hydra.service", most=500 * MIB, used=450 * MIB, back=20 * MIB)

    assert left_in(system) == [(70, "/system.slice/hydra.service"), (300, "this machine")]


def test_the_groups_above_count_too(system: Path) -> None:
    write(system, "proc/self/cgroup", "0::/pod/box\n")
    group(system, "", most=100 * MIB, used=90 * MIB)
    group(system, "pod", most=40 * MIB, used=50 * MIB)
    group(system, "pod/box", most=500 * MIB, used=100 * MIB)

    assert left_in(system) == [(400, "/pod/box"), (0, "/pod"), (10, ""), (300, "this machine")]


def test_a_container_that_knows_its_group_by_the_name_of_outside_finds_its_own(
    system: Path,
) -> None:
    write(system, "proc/self/cgroup", "0::/../../docker/abc\n")
    group(system, "", most=64 * MIB, used=14 * MIB)

    assert (50, "") in left_in(system)


@pytest.mark.parametrize(
    ("swap", "left"),
    [
        ({}, 10),
        ({"current": 0, "max": "max"}, 110),
        ({"current": 30 * MIB, "max": 50 * MIB}, 30),
        ({"current": 0, "max": 0}, 10),
        ({"current": 60 * MIB, "max": 50 * MIB}, 10),
    ],
)
def test_of_free_swap_a_group_has_what_it_may_take(
    swap: dict[str, object], left: int, system: Path
) -> None:
    write(system, "proc/self/cgroup", "0::/box\n")
    group(system, "box", most=100 * MIB, used=90 * MIB, swap=swap)

    assert left_in(system)[0] == (left, "/box")


def test_groups_of_the_first_version_are_heard_too(system: Path) -> None:
    folder = "sys/fs/cgroup/memory/box"
    write(system, "proc/self/cgroup", "5:cpu,cpuacct:/x\n4:memory:/box\n0::/\n")
    write(system, f"{folder}/memory.limit_in_bytes", f"{100 * MIB}\n")
    write(system, f"{folder}/memory.usage_in_bytes", f"{80 * MIB}\n")
    write(system, f"{folder}/memory.stat", f"total_inactive_file {5 * MIB}\n")
    write(system, "sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n")
    write(system, "sys/fs/cgroup/memory/memory.usage_in_bytes", "5\n")

    assert left_in(system) == [(25, "/memory/box"), (300, "this machine")]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
def test_this_machine_tells() -> None:
    (machine,) = (room for room in rooms() if room.place == "this machine")

    assert 0 < machine.free < 1 << 50


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
@pytest.mark.parametrize(("limit", "option"), [("RLIMIT_AS", "-v"), ("RLIMIT_DATA", "-d")])
def test_a_process_tells_of_its_own_limits(limit: str, option: str) -> None:
    most = 4096 * MIB
    code = (
        "import resource\n"
        "from hydra.ops.memory_room import rooms\n"
        f"resource.setrlimit(resource.{limit}, ({most}, {most}))\n"
        "print([room.free for room in rooms() if 'ulimit' in room.place])\n"
        "print([room.place for room in rooms() if 'ulimit' in room.place])\n"
    )

    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    free, place = said.stdout.splitlines()
    assert f"(ulimit {option})" in place
    assert most // 2 < int(free.strip("[]")) < most


def test_without_limits_of_its_own_a_process_says_nothing_of_them(system: Path) -> None:
    if resource.getrlimit(resource.RLIMIT_AS)[0] != resource.RLIM_INFINITY:
        pytest.skip("these tests run under a limit of address space")
    write(system, "proc/self/statm", "50000 1000 500 1 0 40000 0\n")

    assert rooms(system) == (MACHINE,)
