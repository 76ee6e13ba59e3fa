"""What is installed is what was locked: each file is held against its hash."""

import re
import subprocess
import sys
import tomllib
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest

from tests.deploy.shipped import ROOT

LOCKS = ["requirements.lock", "requirements-dev.lock"]
MAKEFILE = (ROOT / "Makefile").read_text()
(LOCKED,) = re.findall(r"^LOCKED := (.+)$", MAKEFILE, re.MULTILINE)


def requirements(lock: str) -> list[str]:
    """Each with its hashes, on one line."""
    text = (ROOT / lock).read_text().replace("\\\n", " ")
    return [line for line in text.splitlines() if not line.startswith("#")]


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_is_locked_to_one_version_and_its_hashes_i88(lock: str) -> None:
    whole = re.compile(r"[a-z0-9.-]+==[^ ;]+( ; [^\\]+?)?( +--hash=sha256:[0-9a-f]{64})+")

    assert [line for line in requirements(lock) if whole.fullmatch(line) is None] == []
    assert len(requirements(lock)) > 50


def test_everything_that_the_project_names_is_locked_i88() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = {re.split("[=<>]", each)[0] for each in project["dependencies"]}

    assert named - {line.split("==")[0] for line in requirements("requirements.lock")} == set()


def test_nothing_is_installed_without_its_hash_i88() -> None:
    installs = [line for line in MAKEFILE.splitlines() if "\t@$(INSTALL)" in line]

    assert installs
    for line in installs:
        assert "$(LOCKED) -r requirements" in line or "--no-index --no-deps" in line
    assert "--require-hashes" in LOCKED.split()


@pytest.mark.slow
@pytest.mark.parametrize("is_tampered_with", [False, True])
def test_a_package_that_was_tampered_with_is_not_installed_i88(
    is_tampered_with: bool, tmp_path: Path
) -> None:
    wheel = tmp_path / "tampered-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as content:
        content.writestr("tampered.py", "")
        content.writestr("tampered-1.0.dist-info/METADATA", METADATA)
        content.writestr("tampered-1.0.dist-info/WHEEL", WHEEL)
        content.writestr("tampered-1.0.dist-info/RECORD", "")
    digest = sha256(wheel.read_bytes()).hexdigest()
    if is_tampered_with:
        with zipfile.ZipFile(wheel, "a") as content:
            content.writestr("more.py", "")
    lock = tmp_path / "requirements.lock"
    lock.write_text(f"tampered==1.0 --hash=sha256:{digest}\n")

    words = f"install --dry-run --no-index {LOCKED} --find-links {tmp_path} -r {lock}"
    installed = subprocess.run(
        [sys.executable, "-m", "pip", *words.split()],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )

    assert (installed.returncode != 0) is is_tampered_with
    assert ("DO NOT MATCH THE HASHES" in installed.stderr) is is_tampered_with


METADATA = "Metadata-Version: 2.1\nName: tampered\nVersion: 1.0\n"
WHEEL = "Wheel-Version: 1.0\nGenerator: a test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
