"""`make pretag`: says of this folder, line by line, whether it is fit to be tagged as a release.

Exit code 0: it is, and the command that tags it is said; 1: it is not.
"""

import subprocess
import sys
import tomllib
from datetime import UTC, datetime
from pathlib import Path

from hydra import __version__
from tests.release.pretag import Folder, findings_of, tag_of

ROOT = Path(__file__).resolve().parents[2]


def git(*words: str) -> list[str]:
    """The lines that it answers."""
    asked = subprocess.run(
        ["git", *words], cwd=ROOT, capture_output=True, text=True, check=True, timeout=30
    )
    return asked.stdout.splitlines()


def main() -> int:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found = findings_of(
        Folder(
            told=__version__,
            packaged=project["version"],
            changelog=(ROOT / "CHANGELOG.md").read_text(encoding="utf-8"),
            tags=git("tag", "--list"),
            changed=[line[3:] for line in git("status", "--porcelain")],
            today=datetime.now(UTC).date(),
        )
    )
    for each in found:
        sys.stdout.write(f"{'pass' if each.passed else 'FAIL'}  {each.name}: {each.line}\n")
    if not all(each.passed for each in found):
        return 1
    tag = tag_of(__version__)
    sys.stdout.write(f"once its tests are green: git tag --sign {tag} --message 'Hydra {tag}'\n")
    return 0


sys.exit(main())
