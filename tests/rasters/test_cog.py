"""Cloud-optimised GeoTIFFs, made from strips."""

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.crs import CRS

from mmcloudseg.rasters import cog
from mmcloudseg.rasters.cog import CogContent, move_raster, write_cog
from mmcloudseg.rasters.geotiff import write_geotiff
from mmcloudseg.rasters.grids import RasterGrid
from mmcloudseg.rasters.qgis import write_style

GRID = RasterGrid(CRS.from_epsg(32632), Affine(10, 0, 500, 0, -10, 900), 700, 600)
CLASSES = CogContent(
    "map",
    "uint8",
    255,
    ("land cover",),
    resampling="MODE",
    palette=((0, 0, 255), (0, 128, 0)),
    categories=("water", "land"),
)


@pytest.fixture
def strips(tmp_path):
    """Pixels, and the strips that they are cut into."""
    pixels = np.random.default_rng(0).integers(0, 2, GRID.shape).astype(np.uint8)
    pixels[:100] = 255
    rows = [(0, 300), (300, 301), (301, 700)]
    files = [tmp_path / f"{begin}.tif" for begin, _ in rows]
    for file, (begin, end) in zip(files, rows, strict=True):
        write_geotiff(file, pixels[begin:end])
    return pixels, [(file, *ends) for file, ends in zip(files, rows, strict=True)]


def test_strips_become_one_raster(tmp_path, strips):
    pixels, files = strips
    path = write_cog(tmp_path, CLASSES, GRID, files, dict(model="m"))
    with rasterio.open(path) as raster:
        np.testing.assert_array_equal(raster.read(1), pixels)
        assert RasterGrid.of(raster) == GRID and raster.nodata == 255
        assert raster.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert raster.overviews(1) == [2] and raster.block_shapes == [(512, 512)]
        assert raster.colormap(1)[1] == (0, 128, 0, 255)
        assert raster.descriptions == ("land cover",) and raster.tags()["model"] == "m"
    assert "<Category>land</Category>" in path.with_name(f"{path.name}.aux.xml").read_text()


def test_scale_of_stored_values(tmp_path):
    content = CogContent("p", "uint16", 65535, ("a", "b"), scale=0.0001)
    steps = np.full((2, *GRID.shape), 5000, np.uint16)
    write_geotiff(tmp_path / "s.tif", steps)
    path = write_cog(tmp_path, content, GRID, [(tmp_path / "s.tif", 0, 700)], {})
    with rasterio.open(path) as raster:
        assert raster.scales == (0.0001, 0.0001) and raster.descriptions == ("a", "b")
        assert (raster.read() == 5000).all()


def test_it_appears_only_when_it_could_be_read_again(tmp_path, strips, monkeypatch):
    def damaged(*_):
        raise OSError("No space left on device")

    monkeypatch.setattr(cog, "_read_whole", damaged)
    with pytest.raises(OSError, match="No space left"):
        write_cog(tmp_path, CLASSES, GRID, strips[1], {})
    assert not [file for file in tmp_path.iterdir() if "cog" in file.name]


def test_moved_with_its_sidecar(tmp_path):
    old, new = tmp_path / "a.tif", tmp_path / "b.tif"
    sidecars = tmp_path / "a.tif.aux.xml", tmp_path / "b.tif.aux.xml"
    for file in (old, new, *sidecars):
        file.write_text(file.name)
    move_raster(old, new)
    assert new.read_text() == "a.tif" and sidecars[1].read_text() == "a.tif.aux.xml"
    assert not old.exists() and not sidecars[0].exists()
    old.write_text("without")
    move_raster(old, new)
    assert [file.name for file in tmp_path.iterdir()] == ["b.tif"]


def test_style_of_qgis_lists_the_classes(tmp_path):
    write_style(tmp_path / "map.qml", CLASSES.categories, CLASSES.palette)
    text = (tmp_path / "map.qml").read_text()
    assert text.count("<paletteEntry") == 2
    assert 'value="1" label="land" color="#008000"' in text
