"""The benchmark of scene inference: scenes of several sizes, and seams."""

from __future__ import annotations

import shlex
import sys
import tempfile
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import rasterio
import torch
from rasterio.windows import Window

from mmcloudseg.benchmark.environment import machine
from mmcloudseg.benchmark.scene_cost import measure
from mmcloudseg.benchmark.seams import seam_ratio
from mmcloudseg.procedural.mini_scene import draw_scene, write_scene
from mmcloudseg.scenes.network import TileNetwork
from mmcloudseg.scenes.settings import SceneSettings
from mmcloudseg.scenes.tiles import TileAxis
from mmcloudseg.utils.files import atomic_write

_PATTERN = 600  # optical pixels of the scene that larger ones repeat
_SEAM_SCENE = 1200
_ROWS_AT_A_TIME = 600


def benchmark_scenes(
    config: str,
    checkpoint: str,
    sizes: Sequence[tuple[int, int]],
    batch_size: int = 8,
    seams: bool = True,
    out: str | None = None,
) -> str:
    """Measure, each scene in a process of its own.

    Args:
        config: The config file.
        checkpoint: Its checkpoint.
        sizes: Rows and columns of the scenes, multiples of 10.
        batch_size: Tiles per forward pass.
        seams: Whether to look for seams.
        out: A Markdown file for the table, if wanted.

    Returns:
        The table, as Markdown.

    Raises:
        ValueError: Config or checkpoint cannot be used, or a size is no multiple of 10.
        RuntimeError: A scene could not be mapped.
    """
    network = TileNetwork(config, checkpoint)  # before anything is drawn: does it fit at all?
    odd = [text for text in sizes if text[0] % 10 or text[1] % 10]
    if odd:
        raise ValueError(f"sizes are multiples of 10 pixels, found {odd[0][0]} x {odd[0][1]}")
    lines = [
        "| scene | megapixels | seconds | megapixels per s | in the network | peak memory beyond "
        "the model (MB) |",
        "| :--- | ---: | ---: | ---: | ---: | ---: |",
    ]
    with tempfile.TemporaryDirectory() as folder:
        pattern = write_scene(Path(folder) / "pattern", draw_scene(_PATTERN))
        for rows, columns in sizes:
            files = {
                name: _repeat(pattern[name], Path(folder) / f"{name}.tif", rows, columns)
                for name in ("optical", "sar")
            }
            settings = SceneSettings(batch_size=batch_size)
            found = measure(config, checkpoint, files, Path(folder) / "map.tif", settings)
            held = found["model_mb"]
            lines.append(
                f"| {rows} x {columns} | {found['megapixels']:.1f} | {found['seconds']:.1f} | "
                f"{found['megapixels'] / found['seconds']:.3f} | "
                f"{found['network_seconds'] / found['seconds']:.1%} | {found['peak_mb']:.0f} |"
            )
        lines += ["", f"The process with its model holds {held:.0f} MB."]
        if seams:
            lines += ["", _seams(network, config, checkpoint, Path(folder))]
    table = "\n".join(lines)
    if out is not None:
        with atomic_write(out) as temporary:
            temporary.write_text(f"{_heading(network)}\n{table}\n", "utf-8")
    return table


def _heading(network: TileNetwork) -> str:
    tile, overlap = network.tiling
    parameters = sum(p.numel() for p in network.model.parameters()) / 1e6
    return "\n".join(
        [
            "# Scene inference",
            "",
            f"{Path(network.config).name}, {parameters:.1f} million parameters, tiles of {tile} "
            f"pixels that overlap by {overlap}. {datetime.now(timezone.utc):%Y-%m-%d}; "
            f"{machine(torch.get_num_threads())}.",
            "",
            "```bash",
            shlex.join(["python", *sys.argv]),
            "```",
            "",
        ]
    )


def _seams(network: TileNetwork, config: str, checkpoint: str, folder: Path) -> str:
    files = write_scene(folder / "seams", draw_scene(_SEAM_SCENE))
    tile, overlap = network.tiling
    ratios = []
    for shared in (overlap, 0):
        out = folder / "seams.tif"
        settings = SceneSettings(resolution="optical", overlap=shared)
        measure(config, checkpoint, files, out, settings)
        axis = TileAxis(_SEAM_SCENE, tile, shared)
        edges = sorted({*axis.starts, *(start + tile for start in axis.starts)})
        with rasterio.open(out) as source:
            ratios.append(seam_ratio(source.read(1), edges, edges))
    return (
        "Class changes across tiles' edges, over those elsewhere: "
        f"{ratios[0]:.3f} with an overlap of {overlap} pixels, {ratios[1]:.3f} without "
        f"({_SEAM_SCENE} x {_SEAM_SCENE} pixels, optical grid)."
    )


def _repeat(pattern: Path, path: Path, rows: int, columns: int) -> Path:
    """Mirror a raster side by side to a scene of so many optical pixels, a strip at a time."""
    with rasterio.open(pattern) as source:
        bands = source.read()
        profile = source.profile
    bands = np.concatenate([bands, bands[:, ::-1]], axis=1)
    bands = np.concatenate([bands, bands[:, :, ::-1]], axis=2)
    share = bands.shape[1] / (2 * _PATTERN)
    height, width = round(rows * share), round(columns * share)
    profile.update(height=height, width=width)
    across = np.arange(width) % bands.shape[2]
    with rasterio.open(path, "w", **profile) as raster:
        for first in range(0, height, _ROWS_AT_A_TIME):
            count = min(_ROWS_AT_A_TIME, height - first)
            down = np.arange(first, first + count) % bands.shape[1]
            raster.write(bands[:, down[:, None], across], window=Window(0, first, width, count))
    return path
