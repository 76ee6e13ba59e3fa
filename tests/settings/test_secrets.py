"""`.env` and the environment: read strictly, from a file of ours alone, and never shown."""

import os
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hydra.settings import SettingsRefused
from hydra.settings.env_file import SIZE_MAX
from hydra.settings.secret import Secret
from hydra.settings.secrets import Secrets, load_secrets

HOME = Path(__file__).resolve().parents[2]
KEY = "PKCANARY0123456789AB"
SECRET = "canaryCanary/+0123456789canaryCanary"
NOTHING: Mapping[str, str] = {}

FINE = f"""\
# as in the example
ALPACA_KEY="{KEY}"
ALPACA_SECRET='{SECRET}'
export ALPACA_PAPER=true

LIVE_DISABLE_NETWORK="0"  # reach Alpaca
HYDRA_KILL_SWITCH=close_only
HYDRA_KILL_SWITCH_FILE="/var/lib/hydra/kill_switch"
"""
FOUND = Secrets(
    alpaca_key=Secret(KEY),
    alpaca_secret=Secret(SECRET),
    alpaca_paper=True,
    network_disabled=False,
    live_switch=False,
    kill_switch="close_only",
    kill_switch_file=Path("/var/lib/hydra/kill_switch"),
)


def env_file(folder: Path, content: str | bytes, rights: int = 0o600) -> Path:
    path = folder / ".env"
    path.unlink(missing_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    path.chmod(rights)
    return path


def refusal(path: Path, environ: Mapping[str, str] = NOTHING) -> list[str]:
    with pytest.raises(SettingsRefused) as refused:
        load_secrets(path, environ)
    text = str(refused.value)
    assert KEY not in text
    assert SECRET not in text
    return [line.removeprefix(f"{path.parent}/") for line in text.splitlines()]


def test_a_file_says_what_it_says_i84(tmp_path: Path) -> None:
    assert load_secrets(env_file(tmp_path, FINE), NOTHING) == FOUND


@pytest.mark.parametrize("rights", [0o600, 0o400])
def test_a_file_of_ours_alone_is_read_i84(tmp_path: Path, rights: int) -> None:
    assert load_secrets(env_file(tmp_path, FINE, rights), NOTHING) == FOUND


def test_without_a_file_and_without_variables_there_are_no_keys_and_no_network() -> None:
    secrets = load_secrets(Path("/nowhere/.env"), NOTHING)

    assert secrets == Secrets()
    assert secrets.network_disabled


def test_the_environment_goes_before_the_file_and_stays_as_it_is(tmp_path: Path) -> None:
    environ = {"ALPACA_KEY": "PKOTHER", "HOME": "/", "ALPACA_PAPER": "false"}
    environ["ALPACA_KEY"] += "0123456789"
    before = dict(environ), dict(os.environ)

    secrets = load_secrets(env_file(tmp_path, FINE), environ)

    assert secrets.alpaca_key == Secret("PKOTHER0123456789")
    assert secrets.alpaca_secret == Secret(SECRET)
    assert secrets.alpaca_paper is False
    assert (environ, dict(os.environ)) == before


def test_nothing_in_a_value_is_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANARY", "expanded")
    file = env_file(tmp_path, "ALPACA_KEY=abc${CANARY}$CANARY\n")

    assert load_secrets(file, {"CANARY": "expanded"}).values() == ("abc${CANARY}$CANARY",)


def test_the_example_as_it_is_shipped_is_fine_and_has_no_key(tmp_path: Path) -> None:
    example = (HOME / ".env.example").read_text()

    assert load_secrets(env_file(tmp_path, example), NOTHING) == Secrets(alpaca_paper=True)


@pytest.mark.parametrize("rights", [0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o644, 0o777, 0o660])
def test_a_file_that_others_may_touch_is_refused_with_the_command_that_mends_it_i84(
    tmp_path: Path, rights: int
) -> None:
    path = env_file(tmp_path, FINE, rights)

    assert refusal(path) == [
        (
            f".env: has rights {rights:04o}, wanted 0600, as others could read the keys: "
            f"chmod 600 {path}, and change the keys if somebody may have"
        )
    ]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_somebody_else_is_refused_i84(tmp_path: Path) -> None:
    path = env_file(tmp_path, FINE)
    os.chown(path, 12345, -1)

    assert refusal(path) == [
        (
            ".env: belongs to user 12345, wanted 0, who runs this; "
            "make your own: install -m 600 .env.example .env"
        )
    ]


def test_a_link_a_folder_and_a_pipe_are_no_files_of_ours_i84(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    env_file(tmp_path, FINE).rename(tmp_path / "elsewhere")

    path.symlink_to(tmp_path / "elsewhere")
    link = refusal(path)
    path.unlink()
    path.symlink_to(path)
    loop = refusal(path)
    path.unlink()
    path.mkdir(mode=0o700)
    folder = refusal(path)
    path.rmdir()
    os.mkfifo(path, 0o600)
    pipe = refusal(path)

    told = (
        ".env: is a link to another file, wanted the file itself; "
        f"replace it: install -m 600 <the other file> {path}"
    )
    assert (link, loop) == ([told], [told])
    assert (folder, pipe) == ([".env: is not a regular file"], [".env: is not a regular file"])


@pytest.mark.parametrize(
    ("content", "printed"),
    [
        (
            b"\xef\xbb\xbf" + FINE.encode(),
            ".env:1: a byte order mark; save the file as UTF-8 without one",
        ),
        (b"# x\nALPACA_KEY=\xff\xfe\n", ".env:2: is not UTF-8 text"),
        (FINE.encode("utf-16-le"), ".env:1: a control character; write this line anew"),
        (b"A=1\n\nALPACA_KEY=a\x00b\n", ".env:3: a control character; write this line anew"),
        (b"A=1\nALPACA_KEY=a\rb\n", ".env:2: a control character; write this line anew"),
        ("A=1\u2028B=2\n", ".env:1: a control character; write this line anew"),
        (b"#" * (SIZE_MAX + 1), f".env: is larger than {SIZE_MAX} bytes"),
    ],
)
def test_a_file_that_is_no_text_is_refused(
    tmp_path: Path, content: str | bytes, printed: str
) -> None:
    assert refusal(env_file(tmp_path, content)) == [printed]


WANTED_ADDRESSES = (
    "is no address; wanted addresses such as json://host/path or mailto://user:password@host, with"
    " blanks between them"
)
WANTED_KEY = "wanted the key as Alpaca shows it, or no such line"
OURS = (
    "ALPACA_KEY, ALPACA_SECRET, ALPACA_PAPER, LIVE_DISABLE_NETWORK, HYDRA_LIVE, "
    "HYDRA_KILL_SWITCH, HYDRA_KILL_SWITCH_FILE, HYDRA_STRATEGY_MODE, HYDRA_ALERT_URLS, "
    "HYDRA_HEARTBEAT_URL"
)


@pytest.mark.parametrize(
    ("line", "printed"),
    [
        ("ALPACA_KEY=", f"ALPACA_KEY: the value is empty; {WANTED_KEY}"),
        ('ALPACA_SECRET=""', f"ALPACA_SECRET: the value is empty; {WANTED_KEY}"),
        (
            rf'ALPACA_KEY="{KEY}\n"',
            f"ALPACA_KEY: the value has a line end at its end; {WANTED_KEY}",
        ),
        (f'ALPACA_KEY="{KEY} "', f"ALPACA_KEY: the value has a blank in it; {WANTED_KEY}"),
        (f'ALPACA_KEY="{KEY}\t"', f"ALPACA_KEY: the value has a blank in it; {WANTED_KEY}"),
        (
            f"ALPACA_KEY=\"'{KEY}'\"",
            f"ALPACA_KEY: the value has quotes that are part of it; {WANTED_KEY}",
        ),
        (
            "ALPACA_KEY=PK123",
            f"ALPACA_KEY: the value has 5 characters, too few for a key; {WANTED_KEY}",
        ),
        (
            f"ALPACA_KEY={KEY * 30}",
            f"ALPACA_KEY: the value has 600 characters, too many for a key; {WANTED_KEY}",
        ),
        (
            f"ALPACA_KEY={KEY}ö",
            f"ALPACA_KEY: the value has characters that are in no key; {WANTED_KEY}",
        ),
        ("ALPACA_PAPER=True", "ALPACA_PAPER: found 'True', wanted true or false"),
        ("ALPACA_PAPER=1", "ALPACA_PAPER: found '1', wanted true or false"),
        ("ALPACA_PAPER=", "ALPACA_PAPER: found '', wanted true or false"),
        (f"ALPACA_PAPER={KEY}", "ALPACA_PAPER: found 20 characters, wanted true or false"),
        ("LIVE_DISABLE_NETWORK=false", "LIVE_DISABLE_NETWORK: found 'false', wanted 1 or 0"),
        ("LIVE_DISABLE_NETWORK=00", "LIVE_DISABLE_NETWORK: found '00', wanted 1 or 0"),
        ("LIVE_DISABLE_NETWORK=", "LIVE_DISABLE_NETWORK: found '', wanted 1 or 0"),
        ("HYDRA_LIVE=yes", "HYDRA_LIVE: found 'yes', wanted yes-real-money, or no such line"),
        ("HYDRA_LIVE=", "HYDRA_LIVE: found '', wanted yes-real-money, or no such line"),
        (
            "HYDRA_KILL_SWITCH_FILE=~/kill",
            (
                "HYDRA_KILL_SWITCH_FILE: wanted the path of a file; ~ and $ are not expanded, "
                "write the path out"
            ),
        ),
        ("ALPACA_KEI=x", "ALPACA_KEI: no such setting; did you mean ALPACA_KEY?"),
        ("alpaca_key=x", "alpaca_key: no such setting; did you mean ALPACA_KEY?"),
        ("ALPCA_SECRET=x", "ALPCA_SECRET: no such setting; did you mean ALPACA_SECRET?"),
        (
            "LIVE_DISABLED_NETWORK=1",
            "LIVE_DISABLED_NETWORK: no such setting; did you mean LIVE_DISABLE_NETWORK?",
        ),
        ("HYDRA_COLOUR=x", f"HYDRA_COLOUR: no such setting; there are {OURS}"),
        (
            f"ALPACA_{KEY}=x",
            f"a name that begins as ours do: no such setting; there are {OURS}",
        ),
        (
            "HYDRA_CRASH_AT=x",
            "HYDRA_CRASH_AT: counts in the environment only; remove it from this file",
        ),
        ("ALPACA_KEY", "cannot be read, wanted NAME=value or NAME='value'"),
        (f"{KEY}", "cannot be read, wanted NAME=value or NAME='value'"),
        (f"ALPACA_KEY {KEY}", "cannot be read, wanted NAME=value or NAME='value'"),
        (f'ALPACA_KEY="{KEY}', "cannot be read, wanted NAME=value or NAME='value'"),
        ("ALPACA_PAPER=true\nALPACA_PAPER=true", "ALPACA_PAPER: is here twice, first on line 3"),
    ],
)
def test_a_line_that_cannot_be_meant_is_refused_by_its_number_i83(
    tmp_path: Path, line: str, printed: str
) -> None:
    number = 3 + line.count("\n")

    assert refusal(env_file(tmp_path, f"# ours\n\n{line}\n")) == [f".env:{number}: {printed}"]


@pytest.mark.parametrize(
    ("name", "value", "printed"),
    [
        ("ALPACA_KEY", "", f"ALPACA_KEY: the value is empty; {WANTED_KEY}"),
        (
            "ALPACA_SECRET",
            f"{SECRET}\n",
            f"ALPACA_SECRET: the value has a line end at its end; {WANTED_KEY}",
        ),
        (
            "ALPACA_SECRET",
            f'"{SECRET}"',
            f"ALPACA_SECRET: the value has quotes that are part of it; {WANTED_KEY}",
        ),
        ("LIVE_DISABLE_NETWORK", "no", "LIVE_DISABLE_NETWORK: found 'no', wanted 1 or 0"),
        ("ALPACA_KEYS", KEY, "ALPACA_KEYS: no such setting; did you mean ALPACA_KEY?"),
        ("HYDRA_LIFE", "x", "HYDRA_LIFE: no such setting; did you mean HYDRA_LIVE?"),
        (
            "HYDRA_ALERT_URLS",
            f"json://host/{KEY} {KEY}",
            f"HYDRA_ALERT_URLS: number 2 of 2 {WANTED_ADDRESSES}",
        ),
        (
            "HYDRA_HEARTBEAT_URL",
            f"ftp://host/{KEY}",
            "HYDRA_HEARTBEAT_URL: wanted an address that begins with https://, or no such line",
        ),
    ],
)
def test_a_variable_that_cannot_be_meant_is_refused_by_its_name_i83(
    name: str, value: str, printed: str
) -> None:
    assert refusal(Path("/nowhere/.env"), {name: value}) == [f"environment: {printed}"]


def test_addresses_to_tell_people_at_are_secrets_each_by_itself_i83() -> None:
    urls = f"json://host/{KEY}  mailto://me:{SECRET}@host"
    secrets = load_secrets(
        Path("/nowhere/.env"),
        {"HYDRA_ALERT_URLS": urls, "HYDRA_HEARTBEAT_URL": f"https://host/{KEY}"},
    )

    assert secrets.alert_urls == tuple(Secret(url) for url in urls.split())
    assert secrets.heartbeat_url == Secret(f"https://host/{KEY}")
    assert secrets.values() == (*urls.split(), f"https://host/{KEY}")
    assert KEY not in repr(secrets)


def test_no_addresses_are_none() -> None:
    environ = {"HYDRA_ALERT_URLS": " ", "HYDRA_HEARTBEAT_URL": ""}

    assert load_secrets(Path("/nowhere/.env"), environ) == Secrets()


def test_what_is_for_others_is_let_be(tmp_path: Path) -> None:
    file = env_file(tmp_path, "COMPOSE_PROJECT=x\nPATH=\nEDITOR='vi'\n")

    secrets = load_secrets(
        file,
        {
            "PATH": "/bin",
            "HYDRA_TRACEBACK": "1",
            "HYDRA_CRASH_AT": "x",
            "HYDRA_VENUE_ADMIN_TOKEN": "x",
        },
    )

    assert secrets == Secrets()


def test_all_errors_are_told_at_once_those_of_the_file_first(tmp_path: Path) -> None:
    file = env_file(tmp_path, "\n\nALPACA_PAPER=maybe\nALPACA_KEY=\nALPACA_SECRT=x\n")

    assert refusal(file, {"ALPACA_KEY": KEY, "LIVE_DISABLE_NETWORK": "2"}) == [
        ".env:3: ALPACA_PAPER: found 'maybe', wanted true or false",
        # The environment's key counts, and still the file's must be right.
        f".env:4: ALPACA_KEY: the value is empty; {WANTED_KEY}",
        ".env:5: ALPACA_SECRT: no such setting; did you mean ALPACA_SECRET?",
        "environment: LIVE_DISABLE_NETWORK: found '2', wanted 1 or 0",
    ]


def test_a_kill_switch_is_passed_on_whatever_it_says() -> None:
    nowhere = Path("/nowhere/.env")

    for word in ("halt_all", "close_only", "", "off", " HALT "):
        assert load_secrets(nowhere, {"HYDRA_KILL_SWITCH": word}).kill_switch == word


def errors_of(file: Path, environ: Mapping[str, str] = NOTHING) -> list[str]:
    try:
        load_secrets(file, environ)
    except SettingsRefused as refused:
        return [str(error) for error in refused.errors]
    return []


@given(content=st.binary(max_size=200) | st.text(alphabet="ALPC_KEY=\"'\n #\\x", max_size=60))
def test_no_content_raises_anything_but_a_refusal_of_single_lines_i83(
    tmp_path_factory: pytest.TempPathFactory, content: str | bytes
) -> None:
    file = env_file(tmp_path_factory.getbasetemp(), content)

    assert [error for error in errors_of(file) if not error.isprintable()] == []


@given(st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126), min_size=8))
def test_a_key_of_any_characters_is_never_part_of_a_message_i83(key: str) -> None:
    names = ("ALPACA_KEY", "ALPACA_PAPER", "LIVE_DISABLE_NETWORK")
    assume(not any(key in name for name in names))  # a message does say the name
    environ = dict.fromkeys(names, key)

    errors = errors_of(Path("/nowhere/.env"), environ)

    assert len(errors) >= 2
    assert [error for error in errors if key in error] == []


@given(st.from_regex(r"[A-Za-z0-9+/=_.-]{8,512}", fullmatch=True))
def test_a_key_of_ordinary_characters_comes_through_from_both_places(
    tmp_path_factory: pytest.TempPathFactory, key: str
) -> None:
    file = env_file(tmp_path_factory.getbasetemp(), f"ALPACA_KEY={key}\n")

    assert load_secrets(file, NOTHING).values() == (key,)
    assert load_secrets(Path("/nowhere/.env"), {"ALPACA_KEY": key}).values() == (key,)


@pytest.mark.parametrize(
    ("environment", "file", "counts"),
    [
        ("close_only", "halt_all", "halt_all"),
        ("halt_all", "close_only", "halt_all"),
        ("close_only", "stop please", "stop please"),
        ("close_only", "close_only", "close_only"),
    ],
)
def test_of_two_kill_switches_the_worse_one_counts_i07(
    environment: str, file: str, counts: str, tmp_path: Path
) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text(f"HYDRA_KILL_SWITCH='{file}'\n")
    env_file.chmod(0o600)

    found = load_secrets(env_file, {"HYDRA_KILL_SWITCH": environment})

    assert found.kill_switch == counts
