"""The example is installed as a stranger would do it, passes its own tests, and trades."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

HOME = Path(__file__).resolve().parents[2]
EXAMPLE = HOME / "examples" / "hydra-dip"
PIP_INSTALL = ["-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-build-isolation"]
PLAY = ["-m", "hydra.main", "--config", "config", "--clock", "virtual"]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

README_BOTS = (EXAMPLE / "README.md").read_text("utf-8").split("```yaml\n")[1].split("```")[0]
README_CHECKS = (EXAMPLE / "README.md").read_text("utf-8").split("```yaml\n")[2].split("```")[0]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where it is installed, without a network."""
    folder = tmp_path_factory.mktemp("site")
    source = shutil.copytree(EXAMPLE, folder / "source")  # a build leaves its traces beside it
    installed = run(
        [*PIP_INSTALL, "--target", str(folder / "lib"), str(source)],
        folder,
    )
    assert installed.returncode == 0, installed.stderr
    return folder / "lib"


def run(
    arguments: list[str], cwd: Path, site: Path | None = None
) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join(str(each) for each in (site, HOME) if each is not None)
    return subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, "PYTHONPATH": path},
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


def test_its_own_tests_pass_where_it_is_installed(site: Path, tmp_path: Path) -> None:
    shutil.copytree(EXAMPLE / "tests", tmp_path / "tests")

    passed = run(["-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"], tmp_path, site)

    assert passed.returncode == 0, passed.stdout


def test_a_session_with_what_the_readme_says_trades_and_tells_where_it_comes_from(
    site: Path, tmp_path: Path
) -> None:
    config = tmp_path / "config"
    shutil.copytree(HOME / "config", config)
    bots, engine = config / "bots.yaml", config / "settings.yaml"
    bots.write_text(bots.read_text().replace("\ncryptobot:", f"\n{README_BOTS}\ncryptobot:"))
    engine.write_text(engine.read_text().replace("\nhealth:", f"\n{README_CHECKS}\nhealth:"))

    shown = run(
        ["-m", "hydra.cli", "config", "show", "--json", "--config", "config"], tmp_path, site
    )
    played = run(
        [*PLAY, "--state-dir", "state", "--log-dir", "logs"],
        tmp_path,
        site,
    )

    plugins = orjson.loads(shown.stdout)["plugins"]
    assert [(each["name"], each["distribution"], each["version"]) for each in plugins] == [
        ("buy_the_dip", "hydra-dip", "1.0.0"),
        ("not_at_lunch", "hydra-dip", "1.0.0"),
    ]
    assert played.returncode == 0, played.stderr
    assert "plug-in: buy_the_dip of hydra-dip 1.0.0 (hydra_dip.bot:KIND)" in played.stdout
    assert [line for line in played.stdout.splitlines() if line.startswith("dip_MSFT  ")]
    (provenance,) = tmp_path.glob("state/runs/*/provenance.json")
    assert orjson.loads(provenance.read_bytes())["run"]["plugins"] == [
        "buy_the_dip of hydra-dip 1.0.0 (hydra_dip.bot:KIND)",
        "not_at_lunch of hydra-dip 1.0.0 (hydra_dip.checks:not_at_lunch)",
    ]
