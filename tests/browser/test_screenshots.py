"""A picture of a page of each kind at each width, light and dark, is kept to be looked at."""

import pytest
from PIL import Image, ImageStat
from screenshots import KINDS, WIDTHS_PX, shoot

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", KINDS)
def test_screenshots(context, address, name):
    paths = shoot(context, address, name)
    assert len(paths) == 2 * len(WIDTHS_PX)
    for light, dark in zip(paths[::2], paths[1::2], strict=True):
        with Image.open(light) as day, Image.open(dark) as night:
            assert day.width in WIDTHS_PX
            assert brightness(day) > 200
            assert brightness(night) < 60


def brightness(picture):
    """Of most of the page, from 0 to 255."""
    return ImageStat.Stat(picture.convert("L")).median[0]
