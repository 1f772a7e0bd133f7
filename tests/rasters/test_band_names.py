"""Bands by name."""

import numpy as np
import pytest
import rasterio

from mmcloudseg.rasters.band_names import (
    band_numbers,
    canonical_names,
    file_band_names,
    match_bands,
    unread_names,
)
from mmcloudseg.utils.errors import DataError

RGBN = ("blue", "green", "red", "nir")


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("Blue", "GREEN", "Red band", "Near Infrared"), list(RGBN)),
        (("B02", "B03", "B04", "B08"), list(RGBN)),
        (("B8A", "B11", "B12"), ["nir08", "swir1", "swir2"]),
        (("SR_B2", "SR_B5", "SR_B6"), ["blue", "nir", "swir1"]),
        (("SR_B1", "SR_B4", "SR_B7"), ["blue", "nir", "swir2"]),
        (("SR_B2", "SR_B3"), ["b2", "b3"]),
        (("B04_10m", "B8A_20m"), ["red", "nir08"]),
        (("red edge 1", "red", "rededge071"), ["rededge1", "red", "rededge1"]),
        (("Sigma0_VV_db", "Gamma0 VH"), ["vv", "vh"]),
        (("B1", "B2", "B3"), ["b1", "b2", "b3"]),
        (("b", "g", "r", "layer b"), ["blue", "green", "red", "layer b"]),
    ],
)
def test_one_spelling(names, expected):
    assert canonical_names(names) == expected


@pytest.mark.parametrize(
    ("found", "wanted", "expected"),
    [
        (("red", "green", "blue", "nir"), RGBN, [3, 2, 1, 4]),
        (("B1", "B02", "B3", "B4", "B8", "B8A"), RGBN, [2, 3, 4, 5]),
        (("VH", "VV"), ("VV", "VH"), [2, 1]),
        (("", "", "", ""), RGBN, None),
        (("Band 1", "Band 2", "Band 3", "Band 4"), RGBN, None),
        (("", "green", "red", ""), RGBN, None),
        (("VV",), ("backscatter",), None),
        (("a", "b2x"), ("b2x", "a"), [2, 1]),
        (("coastal_blue", "blue", "green_i", "green", "red", "nir"), RGBN, [2, 4, 5, 6]),
    ],
)
def test_matching(found, wanted, expected):
    assert match_bands(found, wanted, "x.tif") == expected


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        (("red", "green", "blue"), RGBN),
        (("VV", "VV", "VH"), ("VV", "VH")),
        (("", "red", "green", ""), RGBN),
        (("red", "green", "blue", "swir1"), RGBN),
    ],
)
def test_other_bands_are_refused(found, wanted):
    with pytest.raises(DataError, match=rf"x\.tif: .*{found[1]}.*{wanted[0]}.*metainfo"):
        match_bands(found, wanted, "x.tif")


def test_choice_by_name_or_number():
    names = ("coastal", "B02", "B03", "B04", "B8A", "B08")
    assert band_numbers(["B8", 1, "red", "b8a"], names, "here") == [6, 1, 4, 5]
    with pytest.raises(ValueError, match=r"here: .*'swir1'.*coastal.*metainfo"):
        band_numbers(["swir1"], names, "here")


def test_names_in_a_file(tmp_path):
    profile = dict(driver="GTiff", count=3, height=4, width=4, dtype="uint16")
    with rasterio.open(tmp_path / "a.tif", "w", **profile) as file:
        file.write(np.zeros((3, 4, 4), np.uint16))
        file.set_band_description(1, "blue")
        file.update_tags(2, common_name="green")
    with rasterio.open(tmp_path / "a.tif") as file:
        assert file_band_names(file) == ("blue", "green", "")


def test_names_that_tell_nothing_are_told():
    assert "blau" in unread_names(("blau", "gruen", "rot", "nah"), RGBN, "x.tif")
    for found in (("Band 1", "Band 2"), ("", ""), ("red", "x"), ("Layer_1", "Layer_2")):
        assert unread_names(found, RGBN, "x.tif") is None
