"""GeoTIFFs as they are written."""

import errno
import os
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine

from mmcloudseg.rasters.geotiff import GeoTiffProfile, write_geotiff

BANDS = np.arange(24, dtype=np.uint16).reshape(2, 3, 4)


def test_pixels_and_place(tmp_path):
    path = tmp_path / "folder" / "a.tif"
    place = GeoTiffProfile(crs="EPSG:32650", transform=Affine(10, 0, 500, 0, -10, 900), nodata=0)
    write_geotiff(path, BANDS, place)
    with rasterio.open(path) as raster:
        np.testing.assert_array_equal(raster.read(), BANDS)
        assert raster.dtypes == ("uint16", "uint16") and raster.crs.to_epsg() == 32650
        assert raster.bounds == (500, 870, 540, 900) and raster.nodata == 0
        assert raster.profile["interleave"] == "pixel" and not raster.compression  # by default
    assert [file.name for file in path.parent.iterdir()] == ["a.tif"]


def test_storage(tmp_path):
    path = tmp_path / "a.tif"
    large = np.arange(300 * 280, dtype=np.uint16).reshape(1, 300, 280).repeat(2, axis=0)
    settings = dict(compress="deflate", interleave="band", tiled=True)
    write_geotiff(path, large, GeoTiffProfile(predictor=2, **settings))
    small = path.stat().st_size
    with rasterio.open(path) as raster:
        np.testing.assert_array_equal(raster.read(), large)
        assert raster.block_shapes == [(256, 256)] * 2
        assert raster.profile["interleave"] == "band"
        assert raster.profile["compress"] == "deflate"
    write_geotiff(path, large, GeoTiffProfile(**settings))
    assert path.stat().st_size > 2 * small


def test_map_with_colours_and_names(tmp_path):
    profile = GeoTiffProfile(palette=[(1, 2, 3), (4, 5, 6)], band_tags=dict(class_0="water"))
    write_geotiff(tmp_path / "a.tif", np.eye(3, dtype=np.uint8), profile)
    with rasterio.open(tmp_path / "a.tif") as raster:
        assert raster.count == 1 and (raster.read(1) == np.eye(3)).all()
        assert raster.colormap(1)[1] == (4, 5, 6, 255)
        assert raster.tags(1) == dict(class_0="water")


def test_it_never_has_its_name_before_its_content(tmp_path, monkeypatch):
    moves = []
    replace = os.replace
    monkeypatch.setattr(os, "replace", lambda a, b: (moves.append((a, b)), replace(a, b)))
    write_geotiff(tmp_path / "x.tif", BANDS)
    ((source, target),) = moves
    assert Path(source).parent == Path(target).parent and Path(source).name.startswith(".x.tif")


def test_a_full_disk_leaves_the_old_file_and_is_named(tmp_path, monkeypatch):
    path = tmp_path / "a.tif"
    write_geotiff(path, BANDS)
    before = path.read_bytes()

    def full(self, content):
        with open(self, "wb") as file:
            file.write(content[:10])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(type(path), "write_bytes", full)
    with pytest.raises(OSError, match=r"No space left.*a\.tif"):
        write_geotiff(path, BANDS + 1)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["a.tif"]
