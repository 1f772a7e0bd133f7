"""Values in the model's unit, and values that are not."""

import numpy as np
import pytest

from mmcloudseg.rasters.sampling import ValueSample
from mmcloudseg.rasters.value_checks import check_values

RNG = np.random.default_rng(0)
DB = [RNG.uniform(-22, -3, 5000), RNG.uniform(-30, -8, 5000)]
REFLECTANCE = list(RNG.integers(300, 4000, (4, 5000)).astype(np.float64))


def check(bands, modality):
    sample = ValueSample(tuple(np.float32(band) for band in bands), np.zeros(len(bands)))
    low = [-25, -32.5] if modality == "sar" else [0] * 4
    return check_values(sample, low, [0 if modality == "sar" else 10000] * len(bands), modality)


@pytest.mark.parametrize(("bands", "modality"), [(DB, "sar"), (REFLECTANCE, "optical")])
def test_right_units(bands, modality):
    assert check(bands, modality) == []


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        (lambda db: 10 ** (db / 10), "linear"),
        (lambda db: 1000 * 10 ** (db / 20), "amplitude"),
        (lambda db: 100 * db, "dB x 100"),
        (lambda db: np.round(128 + 4 * db), "8-bit"),
    ],
)
def test_sar_in_another_unit(change, cause):
    (finding,) = [f for f in check([change(band) for band in DB], "sar") if f.fatal]
    assert cause in finding.text and "--sar-unit" in finding.text


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        (lambda x: x / 10000, "from 0 to 1"),
        (lambda x: x / 100, "percent"),
        (lambda x: np.round(x / 4000 * 255), "8-bit"),
        (lambda x: x + 20000, "another unit"),
    ],
)
def test_optical_in_another_unit(change, cause):
    (finding,) = [f for f in check([change(b) for b in REFLECTANCE], "optical") if f.fatal]
    assert cause in finding.text and "--optical-unit" in finding.text


def test_a_dim_image_is_warned_of():
    (finding,) = check([band / 10 for band in REFLECTANCE], "optical")
    assert not finding.fatal and "4.0%" in finding.text and "--optical-unit" in finding.text


def test_one_band_out_of_range_is_warned_of():
    (finding,) = check([DB[0], DB[1] + 200], "sar")
    assert not finding.fatal and "band 2" in finding.text


@pytest.mark.parametrize("value", [-9999, 65535, -3.4e38])
def test_an_undeclared_fill_value(value):
    bands = [band.copy() for band in (REFLECTANCE if value > 0 else DB)]
    for band in bands:
        band[:1000] = value
    (finding,) = check(bands, "optical" if value > 0 else "sar")
    assert not finding.fatal and f"{value:g} (20.0%)" in finding.text
    assert "gdal_edit -a_nodata" in finding.text


def test_offset_of_sentinel_2():
    (finding,) = check([band + 1000 for band in REFLECTANCE], "optical")
    assert not finding.fatal and "--offset -1000" in finding.text
