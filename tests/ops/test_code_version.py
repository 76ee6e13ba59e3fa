from pathlib import Path

import pytest

from hydra.ops.code_version import PACKAGES, code_version


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for package in PACKAGES:
        (tmp_path / package).mkdir()
        (tmp_path / package / "one.py").write_text("a = 1\n")
    return tmp_path


def test_code_that_was_changed_moved_or_added_to_is_another_code(root: Path) -> None:
    codes = [code_version(root).code]
    (root / "hydra" / "one.py").write_text("a = 2\n")
    codes.append(code_version(root).code)
    (root / "hydra" / "one.py").rename(root / "hydra" / "two.py")
    codes.append(code_version(root).code)
    (root / "actors" / "three.py").write_text("")
    codes.append(code_version(root).code)

    assert len(set(codes)) == 4
    assert code_version(root).code == codes[-1]


def test_what_is_no_code_does_not_count(root: Path) -> None:
    before = code_version(root)
    (root / "hydra" / "notes.txt").write_text("x")
    (root / "tests").mkdir()
    (root / "tests" / "test_one.py").write_text("x")

    assert code_version(root) == before


@pytest.mark.parametrize(
    "files",
    [
        {"HEAD": "c0ffee\n"},
        {"HEAD": "ref: refs/heads/main\n", "refs/heads/main": "c0ffee\n"},
        {"HEAD": "ref: refs/heads/main\n", "packed-refs": "# pack\nc0ffee refs/heads/main\n"},
    ],
)
def test_the_commit_is_the_one_that_is_checked_out(root: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        path = root / ".git" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)

    assert code_version(root).commit == "c0ffee"


def test_without_a_checkout_no_commit_is_made_up(root: Path) -> None:
    assert code_version(root).commit == ""
    (root / ".git").write_text("gitdir: /elsewhere\n")
    assert code_version(root).commit == ""
