import os
import pickle
import warnings
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine

from mmcloudseg.rasters.reading import load_array, open_raster, raster_session, read_header
from mmcloudseg.utils.errors import DataError


@pytest.fixture
def backscatter():
    return np.arange(2 * 6 * 8, dtype=np.float64).reshape(2, 6, 8) / 7 - 20


def test_truncated_raster(write_raster, backscatter):
    path = Path(write_raster("cut.tif", backscatter))
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(DataError, match=r"cut\.tif: cannot be read.*copy or download it again"):
        read_header(str(path), probe=True)
    with (
        pytest.raises(DataError, match=r"cut\.tif: .* bytes.*copy or download"),
        open_raster(str(path)) as source,
    ):
        source.read()


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
    with pytest.raises(DataError, match=r"mask\.npy: .* bytes.*copy or download"):
        read_header(str(path))


def test_array_that_would_run_code_is_refused(tmp_path):
    class Payload:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "pickle_ran"),)

    np.save(tmp_path / "object.npy", np.array([[Payload()]], dtype=object), allow_pickle=True)
    (tmp_path / "plain.npy").write_bytes(pickle.dumps(Payload()))
    for name in ("object.npy", "plain.npy"):
        with pytest.raises(DataError, match=rf"{name}: .* bytes.*copy or download"):
            load_array(str(tmp_path / name))
    assert not (tmp_path / "pickle_ran").exists()


def test_array_that_is_no_map(tmp_path):
    np.save(tmp_path / "mask.npy", np.zeros((2, 3, 4), dtype=bool))
    with pytest.raises(DataError, match=r"mask\.npy: .*rows x columns.*2, 3, 4.*2D"):
        load_array(str(tmp_path / "mask.npy"))


def test_remote_file(write_raster):
    with pytest.raises(DataError, match=r"/vsizip/a\.zip: cannot be read.*Check the address"):
        read_header("/vsizip/a.zip")


def test_header(write_raster, backscatter):
    path = write_raster("a.tif", backscatter)
    header = read_header(path)
    assert header.path == path and header.alpha == ()
    assert (header.count, header.shape) == (2, (6, 8))
    assert header.crs.to_epsg() == 32632
    assert header.transform == Affine(3, 0, 600_000, 0, -3, 5_400_000)


@pytest.mark.parametrize(("expected", "bands"), [(2, [1, 2]), (3, [1, 2, 3]), (None, [1, 2])])
def test_an_alpha_band_is_left_out_unless_it_is_expected(write_raster, expected, bands):
    pixels = np.ones((2, 4, 4), np.uint16)
    header = read_header(write_raster("a.tif", pixels, alpha=np.ones((4, 4), bool)))
    assert header.alpha == (3,) and header.image_bands(expected) == bands


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
