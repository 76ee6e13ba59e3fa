"""What the environment and `.env` say: keys, and the switches that stand beside them.

No value of a secret, and nothing that could be one, is ever part of a message.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Final, TypeVar

from hydra.settings.env_file import EnvFileRefused, read_env_file
from hydra.settings.errors import SettingsError, SettingsRefused
from hydra.settings.secret import Secret
from hydra.trading.strategy_modes import StrategyMode

ENVIRONMENT: Final = Path("environment")
"""Stands where a file would in an error about a variable."""

KNOWN: Final = (
    "ALPACA_KEY",
    "ALPACA_SECRET",
    "ALPACA_PAPER",
    "LIVE_DISABLE_NETWORK",
    "HYDRA_LIVE",
    "HYDRA_KILL_SWITCH",
    "HYDRA_KILL_SWITCH_FILE",
    "HYDRA_STRATEGY_MODE",
    "HYDRA_ALERT_URLS",
    "HYDRA_HEARTBEAT_URL",
)
ENVIRONMENT_ONLY: Final = (
    "HYDRA_CRASH_AT",
    "HYDRA_DEAF_TO",
    "HYDRA_TRACEBACK",
    "HYDRA_VENUE_ADMIN_TOKEN",
)
"""For whoever looks for faults; read where they are used."""
OURS: Final = ("ALPACA_", "HYDRA_", "LIVE_DISABLE")
"""A variable whose name begins so is meant for Hydra."""

LIVE_WORDS: Final = "yes-real-money"
PLACEHOLDERS: Final = frozenset({"YOUR_KEY", "YOUR_SECRET"})
"""What `.env.example` has in the place of keys: no key."""

_KEY: Final = re.compile(r"[!-~]{8,512}")
_SHORT: Final = 7
"""Up to so many characters of a wrong value are shown: no key is that short."""
_ADDRESS: Final = re.compile(r"[a-z][a-z0-9+.-]*://[!-~]+")
_SHOWN_NAME: Final = re.compile(r"[A-Za-z_]{1,40}")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Secrets:
    """What was found. None: it is said nowhere."""

    alpaca_key: Secret | None = None
    alpaca_secret: Secret | None = None
    alpaca_paper: bool | None = None
    network_disabled: bool = True
    live_switch: bool = False
    kill_switch: str | None = None
    """As it stands there; what is no known word counts as the worst one."""
    kill_switch_file: Path | None = None
    strategy_mode: StrategyMode | None = None
    """Goes before `modes.selected` of the files."""
    alert_urls: tuple[Secret, ...] = ()
    """Where `watch` brings its alerts to; there are keys in them."""
    heartbeat_url: Secret | None = None
    """What `watch` asks for each minute, for as long as the engine works."""

    def values(self) -> tuple[str, ...]:
        """What no line of any output may have in it: for the redaction."""
        held = (self.alpaca_key, self.alpaca_secret, *self.alert_urls, self.heartbeat_url)
        return tuple(secret.reveal() for secret in held if secret is not None)


def load_secrets(env_file: Path, environ: Mapping[str, str]) -> Secrets:
    """What `.env` and the environment say; raises `SettingsRefused` with all errors.

    The environment goes before the file, but both must be right; of two kill switches the worse
    one counts. That there is no file, or no
    key, is no error here: the embedded venue needs none. See `hydra.settings.mode` for the others.
    """
    sources = _Sources()
    sources.take_environment(environ)
    sources.take_file(env_file)
    network_disabled = sources.read("LIVE_DISABLE_NETWORK", _one_or_zero)
    secrets = Secrets(
        alpaca_key=sources.read("ALPACA_KEY", _key),
        alpaca_secret=sources.read("ALPACA_SECRET", _key),
        alpaca_paper=sources.read("ALPACA_PAPER", _true_or_false),
        network_disabled=network_disabled is not False,
        live_switch=sources.read("HYDRA_LIVE", _live_words) is True,
        kill_switch=_worst(sources.read_all("HYDRA_KILL_SWITCH", str)),
        kill_switch_file=sources.read("HYDRA_KILL_SWITCH_FILE", _path),
        strategy_mode=sources.read("HYDRA_STRATEGY_MODE", _strategy_mode),
        alert_urls=sources.read("HYDRA_ALERT_URLS", _addresses) or (),
        heartbeat_url=sources.read("HYDRA_HEARTBEAT_URL", _web_address),
    )
    if sources.errors:
        raise SettingsRefused(
            sorted(sources.errors, key=lambda error: (error.file == ENVIRONMENT, error.line or 0))
        )
    return secrets


class _Unfit(Exception):
    """A value that is not what is wanted. The message does not have the value."""


class _Sources:
    """What stands where, and what is wrong with it."""

    def __init__(self) -> None:
        self.errors: list[SettingsError] = []
        self._values: dict[str, list[tuple[Path, int | None, str]]] = {}

    def take_environment(self, environ: Mapping[str, str]) -> None:
        for name in sorted(environ):
            if name in KNOWN:
                self._values.setdefault(name, []).append((ENVIRONMENT, None, environ[name]))
            elif name not in ENVIRONMENT_ONLY and name.startswith(OURS):
                self._refuse(ENVIRONMENT, None, name, _unknown(name))

    def take_file(self, file: Path) -> None:
        try:
            assignments = read_env_file(file) or ()
        except EnvFileRefused as refused:
            self._refuse(file, refused.line, "", refused.message)
            return
        first_lines: dict[str, int] = {}
        for line, name, value in ((each.line, each.name, each.value) for each in assignments):
            if name is None or value is None:
                self._refuse(file, line, "", "cannot be read, wanted NAME=value or NAME='value'")
            elif name in first_lines:
                wrong = f"is here twice, first on line {first_lines[name]}"
                self._refuse(file, line, name, wrong)
            elif name in KNOWN:
                self._values.setdefault(name, []).append((file, line, value))
            elif name in ENVIRONMENT_ONLY:
                wrong = "counts in the environment only; remove it from this file"
                self._refuse(file, line, name, wrong)
            elif name.upper().startswith(OURS) or _near(name):
                self._refuse(file, line, name, _unknown(name))
            if name is not None:
                first_lines.setdefault(name, line)

    def read(self, name: str, reader: Callable[[str], T | None]) -> T | None:
        """The value that counts; whatever else is given under that name is checked as well."""
        read = self.read_all(name, reader)
        return read[0] if read else None

    def read_all(self, name: str, reader: Callable[[str], T]) -> list[T]:
        """Every value that is given under that name, the environment's first."""
        read: list[T] = []
        for file, line, value in self._values.get(name, []):
            try:
                read.append(reader(value))
            except _Unfit as unfit:
                self._refuse(file, line, name, str(unfit))
        return read

    def _refuse(self, file: Path, line: int | None, name: str, message: str) -> None:
        """A name is shown if no part of a key can be in it."""
        key = name if _SHOWN_NAME.fullmatch(name) else ""
        self.errors.append(SettingsError(file, line, key, message))


def _worst(kill_words: list[str]) -> str | None:
    """Of all that is said, what stops most (I07): anything but `close_only` halts."""
    halting = [word for word in kill_words if word.rstrip() != "close_only"]
    return next(iter(halting or kill_words), None)


def _near(name: str) -> list[str]:
    return get_close_matches(name.upper(), KNOWN, n=1, cutoff=0.8)


def _unknown(name: str) -> str:
    if near := _near(name):
        return f"no such setting; did you mean {near[0]}?"
    begins = "" if _SHOWN_NAME.fullmatch(name) else "a name that begins as ours do: "
    return f"{begins}no such setting; there are {', '.join(KNOWN)}"


def _key(value: str) -> Secret | None:
    if value in PLACEHOLDERS:
        return None
    if _KEY.fullmatch(value) and value[0] not in "'\"" and value[-1] not in "'\"":
        return Secret(value)
    raise _Unfit(f"{_flaw(value)}; wanted the key as Alpaca shows it, or no such line")


def _flaw(value: str) -> str:
    """What is wrong with a key, without a character of it."""
    match value:
        case "":
            return "the value is empty"
        case _ if value.endswith(("\n", "\r")):
            return "the value has a line end at its end"
        case _ if value[0] in "'\"" or value[-1] in "'\"":
            return "the value has quotes that are part of it"
        case _ if any(character.isspace() for character in value):
            return "the value has a blank in it"
        case _ if len(value) <= _SHORT:
            return f"the value has {len(value)} characters, too few for a key"
        case _ if len(value) > 512:
            return f"the value has {len(value)} characters, too many for a key"
        case _:
            return "the value has characters that are in no key"


def _true_or_false(value: str) -> bool:
    return _one_of(value, {"true": True, "false": False})


def _one_or_zero(value: str) -> bool:
    return _one_of(value, {"1": True, "0": False})


def _live_words(value: str) -> bool:
    return _one_of(value, {LIVE_WORDS: True}, ", or no such line")


def _one_of(value: str, meanings: Mapping[str, T], other: str = "") -> T:
    if value in meanings:
        return meanings[value]
    # A key may have slipped into the wrong line, so a long value is not shown.
    found = repr(value) if len(value) <= _SHORT else f"{len(value)} characters"
    raise _Unfit(f"found {found}, wanted {' or '.join(meanings)}{other}")


def _strategy_mode(value: str) -> StrategyMode:
    return _one_of(value, {mode.value: mode for mode in StrategyMode})


def _addresses(value: str) -> tuple[Secret, ...]:
    """What is between blanks. Whether a service knows them is seen where they are used."""
    addresses = value.split()
    for number, address in enumerate(addresses, 1):
        if not _ADDRESS.fullmatch(address):
            raise _Unfit(
                f"number {number} of {len(addresses)} is no address; wanted addresses such as"
                " json://host/path or mailto://user:password@host, with blanks between them"
            )
    return tuple(Secret(address) for address in addresses)


def _web_address(value: str) -> Secret | None:
    if not value:
        return None
    if _ADDRESS.fullmatch(value) and value.startswith(("https://", "http://")):
        return Secret(value)
    raise _Unfit("wanted an address that begins with https://, or no such line")


def _path(value: str) -> Path:
    if not value or value.startswith("~") or "$" in value or not value.isprintable():
        raise _Unfit("wanted the path of a file; ~ and $ are not expanded, write the path out")
    return Path(value)
