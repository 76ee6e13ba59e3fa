"""The page in a real browser: what it shows, that names are text in it, and that it can halt."""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import orjson
import pytest
from websockets.sync.client import ClientConnection, connect

from hydra.trading.trading_state import TradingState
from tests.ops.control.command_line import places
from tests.ops.control.engines import controlled
from tests.ops.control.lives import lived
from tests.ops.dashboard.test_command import Dashboard, served
from tests.ops.test_health import make_well
from tests.waiting import eventually

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
FOUND = next(filter(None, map(shutil.which, BROWSERS)), None)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(120),
    pytest.mark.skipif(FOUND is None, reason=f"needs one of {', '.join(BROWSERS)}"),
]


class Tab:
    """One page of a browser, spoken to by the browser's own debugging protocol."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._numbers = count(1)

    def _call(self, method: str, **params: Any) -> Any:
        number = next(self._numbers)
        call = {"id": number, "method": method, "params": params}
        self._connection.send(orjson.dumps(call).decode())  # it takes text alone
        while True:
            answer = orjson.loads(self._connection.recv(timeout=30))
            if answer.get("id") == number:
                assert "error" not in answer, answer
                return answer["result"]

    def tells(self, expression: str) -> Any:
        """The value of an expression in the page."""
        found = self._call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def text(self, selector: str) -> str:
        """What stands there for people."""
        return str(self.tells(f"document.querySelector({selector!r})?.innerText"))

    def go(self, address: str) -> None:
        self._call("Page.navigate", url=address)

    def tells_as_look(self, change: str) -> None:
        """From now on each look is told changed by this statement about `look`."""
        self.tells(
            "{ const real = JSON.parse; JSON.parse = (text) => {"
            f" const look = real(text); {change}; return look; }}; null }}"
        )


@contextmanager
def tab(folder: Path, address: str) -> Iterator[Tab]:
    """A browser of its own, with the page open."""
    assert FOUND is not None
    profile = folder / "profile"
    browser = subprocess.Popen(
        [
            FOUND, "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}",
            "--remote-debugging-port=0", "--window-size=1400,1800", "about:blank",
        ],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert browser.stderr is not None
    try:
        listening = next(line for line in browser.stderr if "DevTools listening on" in line)
        port = listening.split("127.0.0.1:")[1].split("/")[0]
        with urlopen(f"http://127.0.0.1:{port}/json/list", timeout=10) as answer:
            pages = orjson.loads(answer.read())
        with connect(pages[0]["webSocketDebuggerUrl"], max_size=None) as connection:
            page = Tab(connection)
            page.go(address)
            yield page
    finally:
        browser.kill()
        browser.wait()
        browser.stderr.close()


def shows(page: Tab, selector: str, text: str) -> bool:
    """Whether it comes to stand there."""
    return eventually(lambda: text in page.text(selector), 20)


def test_an_engine_is_seen_and_halted_from_the_page(tmp_path: Path) -> None:
    with controlled(tmp_path, bots=("mom_AAPL",)) as engine, served(tmp_path) as dashboard:
        make_well(engine)
        with tab(tmp_path, dashboard.link.whole) as page:
            assert shows(page, "#state", "ACTIVE")
            assert shows(page, "#tree", "risk_guardian")
            assert "not real money" in page.text("#facts")
            assert "mom_AAPL" in page.text("#bots")
            assert "FAIL" not in page.text("#health")
            assert dashboard.link.key not in page.tells("location.href")

            page.tells("document.querySelector('#ask-halt').click()")
            page.tells("document.querySelector('#reason').value = 'a drill'")
            page.tells("document.querySelector('#do-halt').click()")

            assert shows(page, "#outcome", "HALTED: no order passes")
            assert shows(page, "#state", "HALTED")
            assert "a drill" in page.text("#causes")
        assert engine.gate.state is TradingState.HALTED


def test_what_the_page_is_told_is_text_in_it_i86(tmp_path: Path) -> None:
    evil = "<img src=x onerror=document.title='taken'><script>document.title='taken'</script>"
    with controlled(tmp_path, bots=("mom_AAPL",)) as engine, served(tmp_path) as dashboard:
        make_well(engine)
        with tab(tmp_path, dashboard.link.whole) as page:
            assert shows(page, "#state", "ACTIVE")
            status, _ = dashboard.ask("POST", "/api/halt", {"reason": evil})
            assert status == 200

            assert shows(page, "#causes", "<img src=x onerror=")
            assert page.tells("document.querySelectorAll('img').length") == 0
            assert page.tells("document.querySelectorAll('main script').length") == 0
            assert page.tells("document.title") == "HALTED · Hydra embedded"


def test_an_engine_that_is_gone_and_a_dashboard_that_is_are_not_taken_for_one_that_is_well(
    tmp_path: Path,
) -> None:
    lived(tmp_path)
    with served(tmp_path) as dashboard, tab(tmp_path, dashboard.link.whole) as page:
        assert shows(page, "#state", "NO ENGINE")
        assert shows(page, "#health", "none runs")

        assert dashboard.stop() == 0

        assert shows(page, "#state", "NOT SEEN")
        assert "does not answer" in page.text("#notice")
        assert "old" in page.tells("document.querySelector('main').className")


def test_without_its_link_the_page_says_what_it_needs(tmp_path: Path) -> None:
    lived(tmp_path)
    with served(tmp_path) as dashboard, tab(tmp_path, dashboard.link.address) as page:
        assert shows(page, "#notice", "hydra-trader dashboard --link")
        assert page.tells("document.querySelector('main').hidden") is True


def test_a_tab_of_an_earlier_start_needs_the_new_link_i86(tmp_path: Path) -> None:
    lived(tmp_path)
    with served(tmp_path) as first:
        old = first.link
    again = Dashboard(tmp_path, "--port", str(old.port))
    try:
        assert eventually(lambda: "dashboard: http" in again.said, 20), again.said
        with tab(tmp_path, old.whole) as page:
            assert shows(page, "#notice", "hydra-trader dashboard --link")

            page.go(again.link.whole)  # put into the same tab: nothing is loaded anew

            assert shows(page, "#state", "NO ENGINE")
            assert page.text("#notice") == ""
            assert again.link.key not in page.tells("location.href")
    finally:
        again.process.kill()
        again.process.wait()


def test_a_dashboard_that_hangs_is_not_taken_for_an_engine_that_is_as_before(
    tmp_path: Path,
) -> None:
    with controlled(tmp_path, bots=("mom_AAPL",)) as engine, served(tmp_path) as dashboard:
        make_well(engine)
        with tab(tmp_path, dashboard.link.whole) as page:
            assert shows(page, "#state", "ACTIVE")
            dashboard.process.send_signal(signal.SIGSTOP)

            assert shows(page, "#state", "NOT SEEN")

            page.tells("document.querySelector('#ask-halt').click()")
            page.tells("document.querySelector('#do-halt').click()")
            assert shows(page, "#outcome", "no answer yet")
            assert f"hydra-trader halt {' '.join(places(tmp_path))}" in page.text("#outcome")

            dashboard.process.send_signal(signal.SIGCONT)
            assert shows(page, "#outcome", "HALTED: no order passes")
            assert shows(page, "#state", "HALTED")
            assert page.text("#notice") == ""


def test_what_was_written_by_an_engine_that_is_gone_is_said_to_be_of_before(
    tmp_path: Path,
) -> None:
    with served(tmp_path) as dashboard, tab(tmp_path, dashboard.link.whole) as page:
        with controlled(tmp_path, bots=("mom_AAPL",)) as engine:
            make_well(engine)
            assert shows(page, "#state", "ACTIVE")
            assert page.tells("document.querySelectorAll('.stale').length") == 0
            assert "fresh" in page.text("#surfaces")

        assert shows(page, "#state", "N")  # no engine, or none that answers
        assert eventually(lambda: "ACTIVE" not in page.text("#state"), 10)
        assert "fresh" not in page.text("#surfaces")
        assert "What is protected is not known" in page.text("#positions")
        stale = "[...document.querySelectorAll('.stale')].map((each) => each.id).join()"
        assert page.tells(stale) == "worth,positions"


def test_of_an_engine_of_another_version_the_page_shows_what_it_understands(
    tmp_path: Path,
) -> None:
    with controlled(tmp_path, bots=("mom_AAPL",)) as engine, served(tmp_path) as dashboard:
        make_well(engine)
        with tab(tmp_path, dashboard.link.whole) as page:
            assert shows(page, "#state", "ACTIVE")

            page.tells_as_look(
                "delete look.told.orders; delete look.told.causes; look.told.bots = 7;"
                " delete look.told.venue; look.told.trading_state = 'RESTING'"
            )

            assert shows(page, "#causes", "This cannot be shown")
            assert "RESTING" in page.text("#state")
            assert "whether orders pass is not known" in page.text("#state")
            assert "This cannot be shown" in page.text("#bots")
            assert "risk_guardian" in page.text("#tree")
            assert page.text("#notice") == ""


def test_what_has_not_changed_is_left_as_it_is_and_many_causes_leave_room(tmp_path: Path) -> None:
    with controlled(tmp_path, bots=("mom_AAPL",)) as engine, served(tmp_path) as dashboard:
        make_well(engine)
        with tab(tmp_path, dashboard.link.whole) as page:
            assert shows(page, "#state", "ACTIVE")
            page.tells_as_look(
                "look.told.causes = Array.from({length: 300}, (_, n) => ({code: `c${n}`}));"
                " look.told.at = String(Math.random()); look.surfaces.nav.age_s = Math.random()"
            )
            assert shows(page, "#causes", "c299")
            assert page.tells("document.querySelector('#causes').offsetHeight") < 600

            marks = "document.querySelectorAll('#causes tr, #worth dl, #positions p')"
            page.tells(f"{marks}.forEach((each) => each.className = 'marked')")
            before = page.text("#facts")
            assert eventually(lambda: page.text("#facts") != before, 10)  # another look was shown

            assert page.tells("document.querySelectorAll('#causes .marked').length") == 301
            assert page.tells("document.querySelectorAll('#worth .marked').length") == 1


def test_no_script_can_make_markup_in_the_page_i86(tmp_path: Path) -> None:
    lived(tmp_path)
    with served(tmp_path) as dashboard, tab(tmp_path, dashboard.link.whole) as page:
        assert shows(page, "#state", "NO ENGINE")

        made = "try { document.body.innerHTML = '<b>x</b>'; 'made' } catch { 'refused' }"

        assert page.tells(made) == "refused"
