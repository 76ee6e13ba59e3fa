from collections.abc import Callable
from pathlib import Path

import pytest

from hydra.ops.evidence.folder import NotAPack, faults_in, hash_of_manifest, write_pack

FILES = {"evidence.md": b"# Evidence", "tests.json": b"{}"}


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    write_pack(tmp_path / "pack", FILES, at="2026-01-05T14:30:00Z", code="c0de")
    return tmp_path / "pack"


def test_a_pack_is_as_it_was_written_and_its_manifest_names_it(pack: Path) -> None:
    assert list(faults_in(pack)) == []
    known = hash_of_manifest(pack)

    other = {**FILES, "tests.json": b"[]"}
    assert write_pack(pack, other, at="2026-01-05T14:30:00Z", code="c0de") != known
    assert write_pack(pack, FILES, at="2026-01-05T14:30:00Z", code="c0de") == known


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda pack: (pack / "evidence.md").write_bytes(b"# evidence"), "another content"),
        (lambda pack: (pack / "tests.json").unlink(), "found none; it is in the manifest"),
        (lambda pack: (pack / "more.txt").write_text(""), "not in the manifest"),
        (lambda pack: (pack / "manifest.json").unlink(), "wanted the manifest of a pack"),
        (lambda pack: (pack / "manifest.json").write_text("{"), "found no manifest"),
    ],
    ids=["changed", "taken away", "added", "no manifest", "a broken manifest"],
)
def test_what_is_not_as_it_was_written_is_found(
    harm: Callable[[Path], object], said: str, pack: Path
) -> None:
    harm(pack)

    (fault,) = faults_in(pack)

    assert said in fault


def test_an_earlier_pack_goes_and_nothing_else_does(pack: Path) -> None:
    write_pack(pack, {"evidence.md": b""}, at="", code="")
    assert sorted(path.name for path in pack.iterdir()) == ["evidence.md", "manifest.json"]

    (pack / "mine.txt").write_text("mine")
    with pytest.raises(NotAPack, match=r"mine\.txt"):
        write_pack(pack, FILES, at="", code="")
    assert sorted(path.name for path in pack.iterdir()) == [
        *("evidence.md", "manifest.json", "mine.txt"),
    ]


@pytest.mark.parametrize("name", ["../outside.txt", "/etc/hostname", "sub/evidence.md"])
def test_a_manifest_cannot_name_a_file_outside_of_its_folder(name: str, pack: Path) -> None:
    outside = pack.parent / "outside.txt"
    outside.write_text("mine")
    manifest = (pack / "manifest.json").read_text().replace("tests.json", name)
    (pack / "manifest.json").write_text(manifest)

    with pytest.raises(NotAPack):
        write_pack(pack, FILES, at="", code="")
    assert outside.exists()
    assert any("no manifest" in fault for fault in faults_in(pack))
