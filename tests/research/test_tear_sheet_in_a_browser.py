"""The page as a browser shows it: nothing sticks out, and where a chart should be there is one."""

import shutil
import subprocess
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest
from numpy.typing import NDArray

from hydra.research.metrics import measured
from hydra.research.tear_sheet import tear_sheet
from tests.research.replays import two_weeks

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
FOUND = next(filter(None, map(shutil.which, BROWSERS)), None)
LINE, LINE_DARK = (0x1D, 0x5F, 0xA8), (0x6C, 0xB1, 0xF5)
"""The colour of the equity, light and dark."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(120),
    pytest.mark.skipif(FOUND is None, reason=f"needs one of {', '.join(BROWSERS)}"),
]
Picture: TypeAlias = NDArray[np.uint8]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sheet")
    (folder / "sheet.html").write_bytes(tear_sheet(measured(two_weeks())))
    # A window of a browser is never as narrow as a phone; a frame in it is.
    (folder / "phone.html").write_text(
        '<body style="margin:0;background:#f0f"><iframe src="sheet.html" width="390" height="2600"'
        ' style="border:0;display:block"></iframe></body>'
    )
    return folder


def shown(page: Path, name: str, width: int, height: int, *others: str) -> Picture:
    """The picture of a page: rows, columns, and red, green and blue."""
    from matplotlib.image import imread

    assert FOUND is not None
    picture = page / f"{name}-{width}{'-'.join(others)[-1:]}.png"
    subprocess.run(
        [
            FOUND, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
            f"--user-data-dir={page / 'profile'}", f"--window-size={width},{height}",
            f"--screenshot={picture}", *others, (page / name).as_uri(),
        ],
        check=True,
        capture_output=True,
        timeout=60,
    )  # fmt: skip
    seen: Picture = (imread(picture)[:, :, :3] * 255).round().astype(np.uint8)
    assert seen.shape == (height, width, 3)
    return seen


def of_colour(picture: Picture, colour: tuple[int, int, int]) -> NDArray[np.intp]:
    """Where it is: rows and columns."""
    near = np.abs(picture.astype(np.int16) - np.array(colour)).max(axis=2) < 24
    return np.argwhere(near)


def require_a_curve(picture: Picture, colour: tuple[int, int, int], width: int) -> None:
    """One line of equity goes from one side of the page to the other, and up and down."""
    places = of_colour(picture[: 1_100 if width > 700 else 1_000], colour)
    assert len(places) > width
    (top, left), (bottom, right) = places.min(axis=0), places.max(axis=0)
    assert right - left > 0.6 * width
    assert 80 < bottom - top < 0.8 * width


@pytest.mark.parametrize(
    ("scheme", "colour", "background"),
    [
        ("--blink-settings=preferredColorScheme=1", LINE, (255, 255, 255)),
        ("--blink-settings=preferredColorScheme=0", LINE_DARK, (0x12, 0x17, 0x1C)),
    ],
    ids=["light", "dark"],
)
def test_on_a_wide_screen_the_curve_is_seen_light_and_dark(
    page: Path, scheme: str, colour: tuple[int, int, int], background: tuple[int, int, int]
) -> None:
    picture = shown(page, "sheet.html", 1_280, 2_400, scheme)

    assert tuple(picture[2, 2]) == background
    require_a_curve(picture, colour, 1_280)
    # The sides stay empty: nothing sticks out of the page.
    assert (picture[:, :20] == background).all()
    assert (picture[:, -20:] == background).all()


def test_on_a_phone_the_page_is_as_wide_as_the_screen_and_the_curve_is_seen(page: Path) -> None:
    picture = shown(page, "phone.html", 500, 2_600, "--blink-settings=preferredColorScheme=1")

    assert (picture[:, 390:] == (255, 0, 255)).all()
    phone = picture[:, :390]
    require_a_curve(phone, LINE, 390)
    # Whatever is too wide scrolls in a place of its own: the margin on the right stays empty.
    assert (phone[:, -6:] == 255).all()
