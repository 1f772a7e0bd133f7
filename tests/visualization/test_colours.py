"""Stretch, false colour and class colours."""

import numpy as np
import pytest

from mmcloudseg.visualization.colours import (
    IGNORED_GREY,
    Stretch,
    colour_classes,
    colour_sar,
    pick_bands,
    rgb_bands,
)


def test_stretch_leaves_room_for_clouds():
    stretch = Stretch(np.zeros(3), np.full(3, 0.2))
    values = np.array([-1.0, 0.0, 0.1, 0.2, 0.4, 99.0, np.inf, np.nan])
    shown = stretch.apply(np.tile(values, (3, 1, 1)))
    assert shown.shape == (1, 8, 3) and shown.dtype == np.uint8
    cloud = round(255 * (1 - 0.2 * np.exp(-1)))
    assert shown[0, :, 0].tolist() == [0, 0, 102, 204, cloud, 255, 255, 0]


def test_stretch_goes_by_band_and_chosen_pixels():
    bands = np.linspace(0, 1, 101).reshape(1, 1, 101) * np.array([1, 2, 3]).reshape(3, 1, 1)
    stretch = Stretch.of(bands)
    np.testing.assert_allclose(stretch.low, [0.01, 0.02, 0.03])
    np.testing.assert_allclose(stretch.high, [0.99, 1.98, 2.97])
    chosen = bands[0] <= 0.5
    np.testing.assert_allclose(Stretch.of(bands, chosen).high, [0.495, 0.99, 1.485])
    np.testing.assert_allclose(Stretch.of(bands, np.zeros_like(chosen)).high, stretch.high)


def test_stretch_of_flat_and_empty_images():
    flat = Stretch.of(np.full((3, 2, 2), 0.3))
    assert (flat.high - flat.low == 1).all()
    nothing = Stretch.of(np.full((3, 2, 2), np.nan))
    assert nothing.apply(np.full((3, 2, 2), np.nan)).max() == 0


def test_bands_to_rgb():
    image = np.arange(4).reshape(4, 1, 1)
    assert pick_bands(image, (2, 1, 0)).ravel().tolist() == [2, 1, 0]
    assert pick_bands(image[:1], (2, 1, 0)).ravel().tolist() == [0, 0, 0]


def test_sar_colours():
    vv = np.linspace(0, 1, 100, dtype=np.float32).reshape(10, 10)
    grey = colour_sar(vv[None])
    assert (grey[..., 0] == grey[..., 2]).all() and grey[0, 0, 0] < grey[-1, -1, 0]
    false_colour = colour_sar(np.stack([vv, vv**2]))
    assert (false_colour[..., 0] == grey[..., 0]).all()
    # VV - VH is largest in the middle.
    assert false_colour[4, 9, 2] > max(false_colour[0, 0, 2], false_colour[-1, -1, 2])


@pytest.mark.parametrize("dtype", [np.uint8, np.int64])
def test_class_colours(dtype):
    palette = [[0, 0, 255], [0, 255, 0]]
    painted = colour_classes(np.array([[0, 1, 2, 255]], dtype=dtype), palette)
    assert painted.tolist() == [[*palette, list(IGNORED_GREY), list(IGNORED_GREY)]]


def test_negative_labels_are_no_class():
    painted = colour_classes(np.array([[-2, -1, 0]]), [[0, 0, 255], [0, 255, 0]])
    assert painted.tolist() == [[list(IGNORED_GREY), list(IGNORED_GREY), [0, 0, 255]]]


def test_infinity_does_not_widen_the_stretch():
    bands = np.tile(np.linspace(0, 1, 101), (3, 1, 1))
    bands[:, 0, [0, -1]] = -np.inf, np.inf
    stretch = Stretch.of(bands)
    assert (stretch.low > 0).all() and (stretch.high < 1).all()


def test_colours_are_rounded():
    shown = Stretch(np.zeros(3), np.ones(3)).apply(np.full((3, 1, 1), 0.5 + 0.7 / 204))
    assert shown.ravel().tolist() == [103] * 3


def test_two_bands_are_shown_as_the_first():
    image = np.arange(2).reshape(2, 1, 1)
    assert pick_bands(image, (2, 1, 0)).ravel().tolist() == [0, 0, 0]


def test_bands_by_name():
    assert rgb_bands(["blue", "green", "red", "nir"], 4) == [2, 1, 0]
    assert rgb_bands(["Red", "Green", "Blue", "NIR"], 4) == [0, 1, 2]
    assert rgb_bands(["B01", "B02", "B03", "B04"], 4) == [3, 2, 1]
    assert rgb_bands(["band 1", "band 2", "band 3"], 3) == [2, 1, 0]
    assert rgb_bands(["pan"], 1) == [0, 0, 0]
