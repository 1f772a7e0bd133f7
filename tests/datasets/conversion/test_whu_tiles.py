import numpy as np
import pytest

from mmcloudseg.datasets.conversion.whu_tiles import (
    FOLDERS,
    PublishedScene,
    cut_tiles,
    tile_name,
    tile_origins,
)
from mmcloudseg.rasters.reading import raster_session
from mmcloudseg.utils.errors import DataError


@pytest.mark.parametrize(
    ("length", "size", "origins"),
    [
        (5556, 512, [0, 512, 1024, 1536, 2048, 2560, 3072, 3584, 4096, 4608, 5044]),
        (3704, 512, [0, 512, 1024, 1536, 2048, 2560, 3072, 3192]),
        (1024, 512, [0, 512]),
        (513, 512, [0, 1]),
        (512, 512, [0]),
    ],
)
def test_origins(length, size, origins):
    assert tile_origins(length, size) == origins


def test_origins_cover_every_pixel_once_but_for_the_last_tile():
    for length in range(1, 40):
        for size in range(1, length + 1):
            origins = tile_origins(length, size)
            covered = np.zeros(length, int)
            for origin in origins:
                assert origin >= 0 and origin + size <= length
                covered[origin : origin + size] += 1
            assert covered.min() >= 1 and len(origins) == -(-length // size)
            assert (covered[: length // size * size - size] == 1).all()
            assert origins == sorted(set(origins))


@pytest.mark.parametrize("size", [0, -32, 301])
def test_tiles_that_do_not_fit(size):
    with pytest.raises(ValueError, match=f"tiles of {size} .* 300"):
        tile_origins(300, size)


def test_names_sort_like_places():
    assert tile_name("NH49E001013", 0, 512) == "NH49E001013_r0000_c0512"
    assert tile_name("NH49E001013", 3192, 5044) == "NH49E001013_r3192_c5044"


@pytest.fixture(autouse=True)
def session():
    with raster_session():
        yield


def scene_of(root, name, write, optical, sar, label):
    for modality, pixels in dict(optical=optical, sar=sar, label=label).items():
        write(root / FOLDERS[modality] / f"{name}.tif", pixels)
    files = {modality: f"{root}/{folder}/{name}.tif" for modality, folder in FOLDERS.items()}
    return PublishedScene(name, "train", files)


@pytest.mark.parametrize("narrower", [0, 1])
def test_tiles_are_the_scene_and_a_narrow_label_ends_in_background(
    tmp_path, write_scene_file, narrower
):
    rng = np.random.default_rng(0)
    optical = rng.integers(0, 256, (4, 50, 75), np.uint8)
    sar = rng.integers(0, 256, (1, 50, 75), np.uint8)
    label = rng.choice([10, 70], (1, 50, 75 - narrower)).astype(np.uint8)
    scene = scene_of(tmp_path, "NH49E001013", write_scene_file, optical, sar, label)
    label = np.pad(label, ((0, 0), (0, 0), (0, narrower)))
    whole = dict(optical=optical, sar=sar, label=label)
    seen = 0
    for top in tile_origins(50, 20):
        for name, tile in cut_tiles(scene, top, 20):
            left = int(name[-4:])
            assert name == tile_name(scene.name, top, left)
            for modality, pixels in whole.items():
                expected = pixels[:, top : top + 20, left : left + 20]
                np.testing.assert_array_equal(tile[modality], expected)
                assert tile[modality].dtype == np.uint8
            seen += 1
    assert seen == 3 * 4
    assert (tile["label"][0, :, -1] == 0).all() == bool(narrower)


def test_a_damaged_file_is_named(tmp_path, write_scene_file):
    pixels = np.ones((1, 50, 75), np.uint8)
    scene = scene_of(tmp_path, "NH49E001013", write_scene_file, pixels, pixels, pixels)
    with open(scene.files["sar"], "r+b") as file:
        file.truncate(1000)
    with pytest.raises(DataError, match=r"sar/NH49E001013\.tif: .*1000 bytes.*copy or download"):
        list(cut_tiles(scene, 30, 20))
