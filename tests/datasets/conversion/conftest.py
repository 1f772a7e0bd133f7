"""A small published tree of WHU-OPT-SAR, of random pixels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
import rasterio

from mmcloudseg.rasters.reading import raster_session

CODES = (0, 10, 20, 30, 40, 50, 60, 70)
# The first two are on one sheet of the 1:100 000 map.
TRAIN = ("NH49E001013", "NH49E002014", "NH49E003015", "NH50E005001")
TEST = ("NH49E010020", "NI49E021011")


@pytest.fixture
def make_scenes() -> Callable:
    """``make_scenes(root, train=…, test=…, shape=(200, 300), narrow=…)`` returns root.

    Labels of the scenes in ``narrow`` are one column narrower.
    """
    return _make_scenes


@pytest.fixture
def write_scene_file() -> Callable:
    """``write_scene_file(path, pixels)`` writes bands x H x W as published, without a CRS."""
    return _write


@pytest.fixture(scope="module")
def scenes(tmp_path_factory) -> Path:
    """A sound tree; not to be changed."""
    return _make_scenes(tmp_path_factory.mktemp("published"))


def _make_scenes(
    root: Path,
    train: Sequence[str] = TRAIN,
    test: Sequence[str] = TEST,
    shape: tuple[int, int] = (200, 300),
    narrow: Sequence[str] = (TRAIN[1], TEST[0]),
    seed: int = 0,
) -> Path:
    rng = np.random.default_rng(seed)
    for name in (*train, *test):
        for folder, pixels in _draw(rng, shape, name in narrow).items():
            _write(root / folder / f"{name}.tif", pixels)
    (root / "train_list.txt").write_text("".join(f"{name}.tif\n" for name in train))
    (root / "test_list.txt").write_text("".join(f"{name}\n" for name in test))
    return root


def _draw(
    rng: np.random.Generator, shape: tuple[int, int], narrow: bool
) -> Mapping[str, np.ndarray]:
    label = rng.choice(CODES, shape).astype(np.uint8)
    return dict(
        optical=rng.integers(1, 255, (4, *shape), np.uint8),
        sar=rng.integers(0, 256, (1, *shape), np.uint8),
        lbl=(label[:, :-1] if narrow else label)[None],
    )


def _write(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    count, height, width = pixels.shape
    profile = dict(count=count, height=height, width=width, dtype=pixels.dtype)
    with raster_session(), rasterio.open(path, "w", driver="GTiff", **profile) as target:
        target.write(pixels)
