"""A conversion in tests, and what it has written."""

import csv

import rasterio

from mmcloudseg.datasets.conversion import ConversionSettings, convert
from mmcloudseg.rasters.reading import raster_session

SPLITS = dict(
    train=("NH49E003015", "NH50E005001"),
    val=("NH49E001013", "NH49E002014"),
    test=("NH49E010020", "NI49E021011"),
)
CLOUDS = ("cloudy", "cloud_opacity", "cloud_mask")
FOLDERS = dict(optical="optical", sar="sar", label="lbl")
SIZE = 64
TILES = 4 * 5


def run(root, out, **kwargs):
    settings = dict(tile_sizes=(SIZE,), subset=True, jobs=1)
    return convert(root, out, ConversionSettings(**{**settings, **kwargs}))


def read(path):
    with raster_session(), rasterio.open(path) as source:
        assert source.crs is None and source.compression.value == "DEFLATE"
        return source.read()


def rows_of(folder):
    with open(folder / "manifest.csv", newline="") as file:
        return list(csv.DictReader(file))


def names_of(folder, split):
    return (folder / f"{split}.txt").read_text().split()


def files_below(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
