"""What was in force is kept, put back whole, and not made looser by a restart without a word."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from hydra.cli import app
from hydra.main import main
from hydra.ops.config import history as module
from hydra.ops.config.history import About, Content, keep, put_back, read_files, versions
from hydra.ops.config.loosening import (
    Acceptance,
    Unaccepted,
    acceptance,
    require_accepted,
    write_acceptance,
)
from hydra.ops.exit_codes import ExitCode
from hydra.settings import VenueName, load_settings
from tests.ops.sessions import HOME, json_of

CONFIG = HOME / "config"
SHIPPED = read_files(CONFIG)


def about(digest: str = "d", how: str = "start") -> About:
    return About(digest=digest, venue="embedded", at=1, how=how)


def variant(number: int) -> Content:
    engine, bots = SHIPPED
    return engine + f"# {number}\n".encode(), bots


def edited(old: str, new: str) -> Content:
    engine, bots = SHIPPED
    assert old.encode() in engine
    return engine.replace(old.encode(), new.encode(), 1), bots


def place(folder: Path, content: Content = SHIPPED) -> Path:
    """A folder of settings with this content."""
    config = folder / "config"
    config.mkdir(exist_ok=True)
    for name, text in zip(module.FILES, content, strict=True):
        (config / name).write_bytes(text)
    return config


def test_each_is_kept_once_in_its_order_and_the_oldest_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "KEPT", 3)
    for number in (1, 2, 2, 3, 4):
        keep(tmp_path / "kept", variant(number), about(str(number)))

    found = versions(tmp_path / "kept")

    assert [each.content for each in found] == [variant(number) for number in (2, 3, 4)]
    assert [each.about.digest for each in found] == ["2", "3", "4"]


def test_one_that_was_cut_short_is_not_there_and_is_in_nobodys_way(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    keep(kept, variant(1), about("1"))
    (kept / ".000002").mkdir()
    (kept / ".000002" / "settings.yaml").write_text("half")
    (kept / "000009").mkdir()

    assert len(versions(kept)) == 1
    keep(kept, variant(2), about("2"))
    assert [each.content for each in versions(kept)] == [variant(1), variant(2)]


def test_put_back_replaces_each_file_whole_and_keeps_what_was_there(tmp_path: Path) -> None:
    config = place(tmp_path, (b"broken", b"too"))
    (config / "settings.yaml").chmod(0o640)
    kept = put_back(SHIPPED, config, tmp_path / "kept", "now")

    assert read_files(config) == SHIPPED
    assert read_files(kept) == (b"broken", b"too")
    assert (config / "settings.yaml").stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in config.iterdir()) == ["bots.yaml", "settings.yaml"]


def rolled(folder: Path, *words: str) -> tuple[int, str, str]:
    """`hydra-trader config` on the files in this folder."""
    where = ["--config", str(folder / "config"), "--state-dir", str(folder / "state")]
    answer = CliRunner().invoke(app, ["config", *words, *where], env={"COLUMNS": "100"})
    return answer.exit_code, answer.stdout, answer.stderr


def test_rollback_puts_the_last_known_good_back_over_a_broken_file(tmp_path: Path) -> None:
    config, kept = place(tmp_path), tmp_path / "state" / "configurations"
    keep(kept, edited("max_orders_per_minute: 10", "max_orders_per_minute: 5"), about("old"))
    keep(kept, SHIPPED, about(load_settings(CONFIG).digest))
    (config / "settings.yaml").write_text("rsik:\n")

    code, out, _ = rolled(tmp_path, "rollback", "--reason", "typo", "--json")

    assert code == ExitCode.CLEAN
    assert read_files(config) == SHIPPED
    told = json_of((code, out, ""))
    assert (told["number"], told["changes"]) == (2, None)
    assert (Path(told["replaced"]) / "settings.yaml").read_text() == "rsik:\n"
    assert (Path(told["replaced"]) / "reason.txt").read_text().startswith("typo\n")


def test_a_second_rollback_goes_back_to_the_one_before(tmp_path: Path) -> None:
    config, kept = place(tmp_path), tmp_path / "state" / "configurations"
    tighter = edited("max_orders_per_minute: 10", "max_orders_per_minute: 5")
    keep(kept, tighter, about("old"))
    keep(kept, SHIPPED, about("new"))

    code, out, _ = rolled(tmp_path, "rollback", "--reason", "too bold", "--json")

    assert code == ExitCode.CLEAN
    assert read_files(config) == tighter
    assert json_of((code, out, ""))["changes"] == ["risk.max_orders_per_minute: 10 -> 5 (tighter)"]


def test_what_is_not_fit_any_more_is_not_put_back(tmp_path: Path) -> None:
    config, kept = place(tmp_path), tmp_path / "state" / "configurations"
    keep(kept, (b"of: another Hydra\n", SHIPPED[1]), about("old"))

    code, _, err = rolled(tmp_path, "rollback", "--reason", "typo")

    assert code == ExitCode.CONFIGURATION_REFUSED
    assert "nothing was changed" in err
    assert read_files(config) == SHIPPED


def test_without_a_history_there_is_nothing_to_go_back_to(tmp_path: Path) -> None:
    place(tmp_path)

    code, _, err = rolled(tmp_path, "rollback", "--reason", "typo")

    assert code == ExitCode.CONFIGURATION_REFUSED
    assert "found no configuration to go back to" in err


def test_history_and_what_is_pending_are_shown(tmp_path: Path) -> None:
    kept = tmp_path / "state" / "configurations"
    keep(kept, SHIPPED, about(load_settings(CONFIG).digest))
    place(tmp_path, edited("max_orders_per_minute: 10", "max_orders_per_minute: 50"))

    code, out, _ = rolled(tmp_path, "history", "--json")
    assert code == ExitCode.CLEAN
    assert json_of((code, out, ""))["versions"] == [
        {
            "number": 1,
            "at": "1970-01-01 00:00:00",
            "how": "start",
            "digest": load_settings(CONFIG).digest,
            "is_now": False,
        }
    ]

    code, out, _ = rolled(tmp_path, "diff", "--pending", "--json")
    assert code == ExitCode.CLEAN
    told = json_of((code, out, ""))
    assert [change["effect"] for change in told["changes"]] == ["looser"]
    assert not told["reload"]["taken"]


def test_a_looser_start_on_an_account_needs_a_reason_for_these_very_settings_i41_k12(
    tmp_path: Path,
) -> None:
    history = tmp_path / "kept"
    keep(history, SHIPPED, about("last"))
    looser = load_settings(
        place(tmp_path, edited("max_orders_per_minute: 10", "max_orders_per_minute: 11")),
        venue=VenueName.PAPER,
    )

    with pytest.raises(Unaccepted, match=r"max_orders_per_minute: 10 -> 11 \(looser\)"):
        require_accepted(history, looser)
    write_acceptance(history, Acceptance(digest="another", reason="a test", by="ada", at=1))
    with pytest.raises(Unaccepted):
        require_accepted(history, looser)
    word = Acceptance(digest=looser.digest, reason="a test", by="ada", at=1)
    write_acceptance(history, word)
    assert require_accepted(history, looser) == acceptance(history) == word


def test_what_is_as_it_was_or_tighter_or_embedded_needs_none_k12(tmp_path: Path) -> None:
    history = tmp_path / "kept"
    same = load_settings(place(tmp_path), venue=VenueName.PAPER)
    assert require_accepted(history, same) is None
    keep(history, SHIPPED, about("last"))
    tighter = place(tmp_path, edited("max_orders_per_minute: 10", "max_orders_per_minute: 9"))
    assert require_accepted(history, load_settings(tighter, venue=VenueName.PAPER)) is None
    looser = place(tmp_path, edited("max_orders_per_minute: 10", "max_orders_per_minute: 11"))
    assert require_accepted(history, load_settings(looser)) is None


def test_settings_that_cannot_be_compared_any_more_count_as_looser_k12(tmp_path: Path) -> None:
    history = tmp_path / "kept"
    keep(history, (b"of: another Hydra\n", SHIPPED[1]), about("last"))

    with pytest.raises(Unaccepted):
        require_accepted(history, load_settings(place(tmp_path), venue=VenueName.PAPER))


def test_accept_keeps_the_word_for_the_files_as_they_are(tmp_path: Path) -> None:
    config = place(tmp_path)

    code, _, _ = rolled(tmp_path, "accept", "--reason", "more orders are fine")

    assert code == ExitCode.CLEAN
    word = acceptance(tmp_path / "state" / "configurations")
    assert word is not None
    assert (word.digest, word.reason) == (load_settings(config).digest, "more orders are fine")


def test_a_looser_start_on_paper_ends_before_anything_is_connected_to_k12(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    keep(tmp_path / "state" / "configurations", SHIPPED, about("last"))
    config = place(tmp_path, edited("max_orders_per_minute: 10", "max_orders_per_minute: 11"))
    for name, value in {
        "ALPACA_KEY": "PKTESTTESTTESTTEST",
        "ALPACA_SECRET": "testtesttesttesttest",
        "ALPACA_PAPER": "true",
        "LIVE_DISABLE_NETWORK": "0",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)

    where = ["--state-dir", str(tmp_path / "state"), "--log-dir", str(tmp_path / "logs")]
    code = main(["--config", str(config), "--venue", "paper", *where])

    assert code == ExitCode.CONFIGURATION_REFUSED
    assert "max_orders_per_minute: 10 -> 11 (looser)" in capsys.readouterr().err
    assert not (tmp_path / "state" / "trading_state.db").exists()
