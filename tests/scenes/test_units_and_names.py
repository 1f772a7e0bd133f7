"""Scenes in other units, with bands in another order, and in other longitudes than the model's."""

from __future__ import annotations

import numpy as np
import pytest
import rasterio
from scene_files import optical_bands, predict, read, sar_bands, write

from mmcloudseg.scenes.settings import SceneSettings
from mmcloudseg.utils.errors import DataError


def tag(path, **changes):
    """Set descriptions, scales or offsets of a raster."""
    with rasterio.open(path, "r+") as file:
        for name, value in changes.items():
            setattr(file, name, value)
    return path


@pytest.fixture
def mapped(pixel_model, tmp_path):
    """Label map of a scene, by the model's own grid."""

    def run(optical, sar, **settings):
        out = tmp_path / "m.tif"
        chosen = SceneSettings(resolution="optical", **settings)
        predict(pixel_model, optical, sar, out, settings=chosen, overwrite=True)
        return read(out)[0]

    return run


@pytest.fixture
def expected(mapped, pair):
    return mapped(*pair)


@pytest.mark.parametrize("modality", ["optical", "sar"])
def test_named_bands_are_put_in_order(mapped, pair, expected, tmp_path, modality):
    optical, sar = pair
    if modality == "optical":
        names = ("nir", "B04 red", "Green", "blue")
        optical = write(tmp_path / "o.tif", optical_bands()[::-1].copy(), nodata=0)
        tag(optical, descriptions=names)
    else:
        sar = write(tmp_path / "s.tif", sar_bands()[::-1].copy(), nodata=float("nan"))
        tag(sar, descriptions=("VH", "VV"))
    assert (mapped(optical, sar) == expected).all()


def test_other_named_bands_are_refused(mapped, pair):
    tag(pair[0], descriptions=("red", "green", "blue", "swir1"))
    with pytest.raises(DataError, match=r"optical\.tif: .*swir1.*blue, green, red, nir"):
        mapped(*pair)


@pytest.mark.parametrize(
    ("change", "tags", "settings"),
    [
        (lambda x: (x / 1e4).astype(np.float32), {}, dict(optical_unit="reflectance")),
        (lambda x: (x / 1e4).astype(np.float32), {}, dict(scale=1e4)),
        (lambda x: x + 1000, {}, dict(offset=-1000)),
        (lambda x: x + 1000, dict(scales=[1e-4] * 4, offsets=[-0.1] * 4), {}),
    ],
)
def test_optical_units(mapped, pair, expected, tmp_path, change, tags, settings):
    bands = optical_bands()
    optical = tag(write(tmp_path / "o.tif", change(bands)), **tags)
    known = (bands != 0).any(axis=0)
    labels = mapped(optical, pair[1], **settings)
    assert np.mean(labels[known] != expected[known]) < 1e-3  # but for rounding


@pytest.mark.parametrize(
    ("change", "unit"),
    [
        (lambda db: 10 ** (db / 10), "linear"),
        (lambda db: 10 ** (db / 20), "amplitude"),
        (lambda db: 100 * db, "db_x100"),
    ],
)
def test_sar_units(mapped, pair, expected, tmp_path, change, unit):
    sar = write(tmp_path / "s.tif", change(sar_bands()), nodata=float("nan"))
    assert np.mean(mapped(pair[0], sar, sar_unit=unit) != expected) < 1e-3
    with pytest.raises(DataError, match=r"s\.tif: .*--sar-unit"):
        mapped(pair[0], sar)


def test_tags_and_options_that_contradict_each_other(mapped, pair):
    tag(pair[0], scales=[1e-4] * 4, offsets=[-0.1] * 4)
    with pytest.raises(DataError, match=r"optical\.tif: .*-0\.1.*--offset"):
        mapped(*pair, offset=-500)


def test_a_sentinel_2_product_is_asked_about(mapped, pair, expected, tmp_path):
    folder = tmp_path / "S2B_MSIL2A_20240610T103629_N0510_R008_T32UNE_20240610T165900.SAFE"
    folder.mkdir()
    optical = write(folder / "o.tif", optical_bands(), nodata=0)
    with pytest.raises(DataError, match=r"o\.tif: .*05\.10.*--offset -1000 or --offset 0"):
        mapped(optical, pair[1])
    assert (mapped(optical, pair[1], offset=0) == expected).all()


def test_unknown_units(mapped, pair):
    with pytest.raises(ValueError, match=r"sar: .*linear.*'watt'"):
        mapped(*pair, sar_unit="watt")
