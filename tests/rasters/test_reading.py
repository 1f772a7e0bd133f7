import os
import pickle
import warnings

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.windows import Window

from mmcloudseg.rasters.reading import (
    load_array,
    open_raster,
    raster_session,
    read_bands,
    read_header,
)
from mmcloudseg.utils.errors import DataError


@pytest.fixture
def read(tmp_path, write_raster):
    """Write a raster and read it back, whole or a window of it."""

    def write_and_read(pixels, window=None, nodata=None, **kwargs):
        path = tmp_path / "image.tif"
        write_raster(path, pixels, nodata=nodata)
        window = window or Window(0, 0, pixels.shape[-1], pixels.shape[-2])
        with open_raster(str(path)) as source:
            return read_bands(source, window, range(1, source.count + 1), **kwargs)

    return write_and_read


@pytest.fixture
def backscatter():
    return np.arange(2 * 6 * 8, dtype=np.float64).reshape(2, 6, 8) / 7 - 20


def test_reads_float32(read, backscatter):
    values = read(backscatter)
    assert values.dtype == np.float32
    assert (values == backscatter.astype(np.float32)).all()


def test_nan_becomes_the_mean_of_its_own_band(read, backscatter):
    backscatter[1, 2, 3] = np.nan
    values = read(backscatter)
    expected = np.nanmean(backscatter[1].astype(np.float32), dtype=np.float64)
    assert values[1, 2, 3] == np.float32(expected)
    backscatter[1, 2, 3] = values[1, 2, 3]
    assert (values == backscatter.astype(np.float32)).all()


def test_a_window_is_filled_with_the_mean_of_the_whole_band(read, backscatter):
    backscatter[0, 0, 0] = np.nan
    whole = read(backscatter)
    part = read(backscatter, Window(0, 0, 3, 2))
    assert (part == whole[:, :2, :3]).all()
    assert whole[0, 0, 0] != np.nanmean(backscatter[0, :2, :3])


def test_declared_nodata_is_filled(read, backscatter):
    backscatter[0, 1, 1] = -9999
    values = read(backscatter, nodata=-9999)
    others = np.delete(backscatter[0].ravel(), 1 * 8 + 1)
    assert values[0, 1, 1] == pytest.approx(others.mean(), abs=1e-5)


def test_zero_of_an_optical_image_stays(read):
    pixels = np.full((1, 4, 4), 700, dtype=np.uint16)
    pixels[0, 1, 2] = 0
    assert read(pixels, nodata=0, keep_zero=True)[0, 1, 2] == 0
    assert read(pixels, nodata=0, keep_zero=False)[0, 1, 2] == 700


def test_other_nodata_of_an_optical_image_is_filled(read):
    pixels = np.full((1, 4, 4), 700, dtype=np.uint16)
    pixels[0, 1, 2] = 65535
    assert read(pixels, nodata=65535, keep_zero=True)[0, 1, 2] == 700


def test_infinite_values_do_not_spoil_the_mean(read, backscatter):
    backscatter[0, 0, 0], backscatter[0, 0, 1] = np.nan, -np.inf
    values = read(backscatter)
    assert np.isfinite(values[0, 0, 0]) and values[0, 0, 1] == -np.inf


def test_a_band_without_any_value_is_an_error(read, backscatter):
    backscatter[1] = np.nan
    with pytest.raises(DataError, match=r"image\.tif: band 2 has no valid pixel.*Replace"):
        read(backscatter)


def test_truncated_raster(tmp_path, write_raster, backscatter):
    path = tmp_path / "cut.tif"
    write_raster(path, backscatter)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(DataError, match=r"cut\.tif: cannot be read.*copy or download it again"):
        read_header(str(path), probe=True)
    with (
        pytest.raises(DataError, match=r"cut\.tif: cannot be read"),
        open_raster(str(path)) as source,
    ):
        read_bands(source, Window(0, 0, 8, 6), [1, 2])


@pytest.mark.parametrize("name", ["text.tif", "text.npy"])
def test_other_kinds_of_files(tmp_path, name):
    (tmp_path / name).write_text("not a raster")
    with pytest.raises(DataError, match=rf"{name}: cannot be read.*copy or download it again"):
        read_header(str(tmp_path / name))


@pytest.mark.parametrize("name", ["absent.tif", "absent.npy"])
def test_missing_file(tmp_path, name):
    with pytest.raises(DataError, match=rf"{name}: no such file\. Restore it"):
        read_header(str(tmp_path / name))


def test_truncated_array(tmp_path):
    path = tmp_path / "mask.npy"
    np.save(path, np.zeros((30, 30), dtype=bool))
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DataError, match=r"mask\.npy: cannot be read"):
        read_header(str(path))


def test_array_that_would_run_code_is_refused(tmp_path):
    class Payload:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "pickle_ran"),)

    np.save(tmp_path / "object.npy", np.array([[Payload()]], dtype=object), allow_pickle=True)
    (tmp_path / "plain.npy").write_bytes(pickle.dumps(Payload()))
    for name in ("object.npy", "plain.npy"):
        with pytest.raises(DataError, match=name):
            load_array(str(tmp_path / name))
    assert not (tmp_path / "pickle_ran").exists()


def test_array_that_is_no_map(tmp_path):
    np.save(tmp_path / "mask.npy", np.zeros((2, 3, 4), dtype=bool))
    with pytest.raises(
        DataError, match=r"mask\.npy: expected an array of rows x columns.*2, 3, 4"
    ):
        load_array(str(tmp_path / "mask.npy"))


def test_header(tmp_path, write_raster, backscatter):
    write_raster(tmp_path / "a.tif", backscatter)
    header = read_header(str(tmp_path / "a.tif"))
    assert (header.count, header.shape) == (2, (6, 8))
    assert header.crs.to_epsg() == 32646
    assert header.transform == Affine(3, 0, 760299, 0, -3, 1898412)


def test_no_warning_for_files_without_a_reference_system(tmp_path):
    layout = dict(driver="GTiff", count=1, height=4, width=4, dtype="uint8")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with rasterio.open(tmp_path / "a.tif", "w", **layout) as target:
            target.write(np.zeros((1, 4, 4), np.uint8))
        warnings.simplefilter("error")
        with raster_session():
            header = read_header(str(tmp_path / "a.tif"), probe=True)
    assert header.crs is None and header.transform is None
