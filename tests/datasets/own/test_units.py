import numpy as np
import pytest

from mmcloudseg.datasets.own.units import optical_unit, sar_unit

RNG = np.random.default_rng(0)
REFLECTANCE = [RNG.uniform(0.02, 0.6, 4000).astype(np.float32) for _ in range(3)]
DB = [RNG.normal(mean, 2, 4000).astype(np.float32) for mean in (-9, -16)]


@pytest.mark.parametrize(
    ("factor", "kind", "name", "high"),
    [
        (1, "float32", "reflectance", 10000),
        (100, "float32", "percent", 10000),
        (10_000, "uint16", "reflectance_x10000", 10000),
        (10_000, "float32", "reflectance_x10000", 10000),
        (255, "uint8", None, 255),
    ],
)
def test_units_of_optical_images(factor, kind, name, high):
    bands = [(band * factor).astype(kind) for band in REFLECTANCE]
    unit = optical_unit(bands, kind)
    assert (unit.name, unit.doubt) == (name, "")
    assert unit.low == (0,) * 3 and unit.high == (high,) * 3


def test_an_unknown_optical_unit_is_asked_for_and_takes_the_range_of_its_values():
    landsat = [((band + 0.2) / 0.0000275).astype(np.uint16) for band in REFLECTANCE]
    unit = optical_unit(landsat, "uint16")
    assert unit.name is None and "--optical-unit" in unit.doubt
    assert unit.low[0] == pytest.approx(np.percentile(landsat[0], 1), rel=0.05)
    assert unit.high[0] == pytest.approx(np.percentile(landsat[0], 99), rel=0.05)
    assert optical_unit(landsat, "uint16", "reflectance_x10000").name == "reflectance_x10000"


@pytest.mark.parametrize(
    ("convert", "name", "doubtful"),
    [
        (lambda db: db, "db", False),
        (lambda db: np.round(db * 100), "db_x100", False),
        (lambda db: 10 ** ((db - 3) / 10), "linear", False),
        (lambda db: 10 ** (db / 20), "linear", True),  # amplitude, which looks like bright power
    ],
)
def test_units_of_sar_images(convert, name, doubtful):
    unit = sar_unit([convert(band) for band in DB], "float32", ())
    assert unit.name == name and bool(unit.doubt) == doubtful
    assert "--sar-unit" in unit.doubt or not doubtful
    if not doubtful:
        assert (unit.low, unit.high) == ((-25, -32.5), (0, 0))


def test_the_cross_polarised_band_is_told_by_its_name_or_by_being_darker():
    assert sar_unit(DB[::-1], "float32", ()).low == (-32.5, -25)
    assert sar_unit(DB, "float32", ("VH", "VV")).low == (-32.5, -25)


def test_uncalibrated_amplitude_takes_the_range_of_its_decibels():
    amplitude = [np.round(300 * 10 ** (band / 20)).astype(np.uint16) for band in DB]
    unit = sar_unit(amplitude, "uint16", ())
    assert unit.name == "amplitude" and unit.doubt
    decibels = 20 * np.log10(amplitude[0].astype(float))
    assert unit.low[0] == pytest.approx(np.percentile(decibels, 1), rel=0.05)
    assert unit.high[0] == pytest.approx(np.percentile(decibels, 99), rel=0.05)


def test_eight_bit_backscatter_keeps_its_numbers():
    unit = sar_unit([RNG.integers(0, 256, 500).astype(np.uint8)], "uint8", ())
    assert (unit.name, unit.low, unit.high) == (None, (0,), (255,))
