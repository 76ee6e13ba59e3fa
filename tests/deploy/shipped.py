"""The units in `deploy/` as they are shipped, and what they assume of a machine."""

from configparser import RawConfigParser
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
ENGINE = DEPLOY / "systemd" / "hydra-trader@.service"
VENUE = DEPLOY / "systemd" / "hydra-venue.service"
SNAPSHOT = DEPLOY / "systemd" / "hydra-snapshot@.service"
CANARY = DEPLOY / "systemd" / "hydra-canary@.service"
WATCH = DEPLOY / "systemd" / "hydra-watch@.service"
DASHBOARD = DEPLOY / "systemd" / "hydra-dashboard@.service"
SUPERVISORD = DEPLOY / "supervisord" / "hydra.conf"

INSTALLED = "/opt/hydra-trader"
"""Where the units look for this folder."""


def systemd_unit(path: Path) -> dict[str, list[str]]:
    """The values of each directive, as `Section.Directive`: several may be given more than once."""
    values: dict[str, list[str]] = {}
    section = ""
    for line in path.read_text().splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            name, _, value = line.partition("=")
            values.setdefault(f"{section}.{name}", []).append(value)
    return values


def supervisord_programs(path: Path = SUPERVISORD) -> RawConfigParser:
    """Its sections, read as supervisord reads them."""
    parser = RawConfigParser(strict=True, inline_comment_prefixes=(";", "#"), interpolation=None)
    parser.read_string(path.read_text())
    return parser
