"""A picture of a page of each kind at each width, light and dark, is kept to be looked at."""

import pytest
from PIL import Image
from screenshots import KINDS, WIDTHS_PX, shoot

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", KINDS)
def test_screenshots(context, address, name):
    paths = shoot(context, address, name)
    assert len(paths) == 2 * len(WIDTHS_PX)
    for light, dark in zip(paths[::2], paths[1::2], strict=True):
        with Image.open(light) as day, Image.open(dark) as night:
            assert day.width in WIDTHS_PX
            corner = (day.width // 2, day.height - 3)
            assert sum(day.convert("RGB").getpixel(corner)) > 600
            assert sum(night.convert("RGB").getpixel(corner)) < 250
