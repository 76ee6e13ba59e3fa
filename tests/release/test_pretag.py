"""Whether a folder is fit to be tagged as a release."""

import tomllib
from datetime import date
from typing import Any

import pytest
from msgspec import structs

from hydra import __version__
from tests.deploy.shipped import ROOT
from tests.release.pretag import Folder, findings_of

FIT = Folder(
    told="1.2.0",
    packaged="1.2.0",
    changelog="# Changelog\n\n## 1.2.0 (2026-11-23)\n\n- a\n\n## 1.1.9 (2026-10-01)\n",
    tags=("v1.1.9", "v0.9.0", "nightly"),
    changed=(),
    today=date(2026, 11, 23),
)


def failed(**changes: Any) -> list[str]:
    """The lines of what does not pass."""
    found = findings_of(structs.replace(FIT, **changes))
    return [f"{each.name}: {each.line}" for each in found if not each.passed]


def test_a_folder_that_is_fit_passes_every_check() -> None:
    assert [each.name for each in findings_of(FIT)] == ["version", "changelog", "tag", "committed"]
    assert failed() == []
    assert failed(tags=()) == []


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"packaged": "1.1.9"},
         "version: hydra.__version__ says 1.2.0, pyproject.toml 1.1.9; wanted one"),
        ({"changelog": "# Changelog\n\n## 1.2.0 (unreleased)\n"},
         "changelog: CHANGELOG.md: found ## 1.2.0 (unreleased), wanted ## 1.2.0 (2026-11-23)"),
        ({"changelog": "## 1.2.0 (2026-11-24)\n"},
         "changelog: CHANGELOG.md: found ## 1.2.0 (2026-11-24), wanted ## 1.2.0 (2026-11-23)"),
        ({"changelog": "## 1.1.9 (2026-10-01)\n\n## 1.2.0 (2026-11-23)\n"},
         "changelog: CHANGELOG.md: found ## 1.1.9 (2026-10-01), wanted ## 1.2.0 (2026-11-23)"),
        ({"changelog": ""},
         "changelog: CHANGELOG.md: found no heading, wanted ## 1.2.0 (2026-11-23)"),
        ({"tags": ("v1.2.0",)}, "tag: there is a v1.2.0 already; wanted a higher version"),
        ({"tags": ("v1.10.0",)}, "tag: there is a v1.10.0 already; wanted a higher version"),
        ({"changed": ("README.md", "x")},
         "committed: 2 files are not committed, such as README.md"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(changes: dict[str, Any], line: str) -> None:
    assert failed(**changes) == [line]


@pytest.mark.parametrize("version", ["1.2", "1.2.0rc1", "01.2.0", "1.2.0 ", ""])
def test_a_version_is_three_numbers(version: str) -> None:
    assert failed(told=version, packaged=version)[0].startswith("version: hydra.__version__: found")


def test_this_folder_says_one_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert project["version"] == __version__
