"""The benchmark of scene inference: time and memory for scenes of several sizes, and seams."""

from __future__ import annotations

import contextlib
import dataclasses
import shlex
import sys
import tempfile
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import rasterio
from rasterio.windows import Window

from mmcloudseg.benchmark.environment import machine
from mmcloudseg.benchmark.memory import call_in_new_process, forget_peak, peak_mb
from mmcloudseg.procedural.mini_scene import draw_scene, write_scene
from mmcloudseg.scenes.network import TileNetwork
from mmcloudseg.scenes.predictor import ScenePredictor, SceneReport
from mmcloudseg.scenes.settings import SceneSettings
from mmcloudseg.scenes.tiles import TileAxis
from mmcloudseg.utils.files import write_text
from mmcloudseg.utils.text import markdown_table
from scene_speed.seams import seam_ratio

_PATTERN = 600  # optical pixels of the scene that larger ones repeat
_SEAM_SCENE = 1200
_ROWS_AT_A_TIME = 600
_COLUMNS = (
    "scene",
    "megapixels",
    "seconds",
    "megapixels per s",
    "in the network",
    "peak memory beyond the model (MB)",
)


def benchmark_scenes(
    config: str,
    checkpoint: str,
    sizes: Sequence[tuple[int, int]],
    batch_size: int = 8,
    seams: bool = True,
    out: str | None = None,
) -> str:
    """Measure scene inference, each scene in a process of its own.

    Args:
        config: The config file.
        checkpoint: Its checkpoint.
        sizes: Rows and columns of the scenes, multiples of 10.
        batch_size: Tiles per forward pass.
        seams: Whether to look for seams.
        out: A Markdown file for the table; None for none.

    Returns:
        The table, as Markdown.

    Raises:
        ValueError: The config or checkpoint cannot be used, or a size is not a multiple of 10.
    """
    network = TileNetwork(config, checkpoint)  # fails early if they do not fit
    odd = [size for size in sizes if size[0] % 10 or size[1] % 10]
    if odd:
        raise ValueError(f"sizes must be multiples of 10 pixels, found {odd[0][0]} x {odd[0][1]}")
    with tempfile.TemporaryDirectory() as folder:
        pattern = write_scene(Path(folder) / "pattern", draw_scene(_PATTERN))
        rows = []
        for height, width in sizes:
            files = {
                name: _repeat(pattern[name], Path(folder) / f"{name}.tif", height, width)
                for name in ("optical", "sar")
            }
            target, settings = Path(folder) / "map.tif", SceneSettings(batch_size=batch_size)
            asked = (config, checkpoint, files, target, settings)
            found, held, peak = call_in_new_process(map_scene, *asked)
            rows.append([f"{height} x {width}", *_cells(found, peak)])
        table = markdown_table(_COLUMNS, rows)
        table += f"\n\nThe process with the loaded model holds {held:.0f} MB."
        if seams:
            table += f"\n\n{_seams(network, config, checkpoint, Path(folder))}"
    if out is not None:
        write_text(out, f"{_heading(network)}\n\n{table}\n")
    return table


def _cells(found: SceneReport, peak: float) -> list[str]:
    speed, share = found.megapixels / found.seconds, found.network_seconds / found.seconds
    texts = f"{found.megapixels:.1f}", f"{found.seconds:.1f}", f"{speed:.3f}", f"{share:.1%}"
    return [*texts, f"{peak:.0f}"]


def map_scene(
    config: str, checkpoint: str, files: Mapping[str, Path], out: Path, settings: SceneSettings
) -> tuple[SceneReport, float, float]:
    """Map a scene in this process, which should have measured nothing before.

    Args:
        config: The config file.
        checkpoint: Its checkpoint.
        files: ``optical`` and ``sar``.
        out: The map; an existing one is replaced.
        settings: How the scene is mapped.

    Returns:
        What was made, the megabytes of the process with its model, and its growth beyond that.
    """
    with contextlib.redirect_stdout(sys.stderr):
        predictor = ScenePredictor(config, checkpoint)
        forget_peak()
        before = peak_mb()
        changes = dataclasses.asdict(settings)
        found = predictor.predict(files["optical"], files["sar"], out, overwrite=True, **changes)
    return found, before, peak_mb() - before


def _heading(network: TileNetwork) -> str:
    tile, overlap = network.tiling
    parameters = sum(p.numel() for p in network.model.parameters()) / 1e6
    return (
        "# Scene inference\n\n"
        "This page shows how much time and memory scene inference needs, and whether seams are "
        f"visible between tiles. It was measured with {Path(network.config).name}: "
        f"{parameters:.1f} million parameters, tiles of {tile} pixels that overlap by {overlap}. "
        f"{datetime.now(timezone.utc):%Y-%m-%d}; {machine()}.\n\n"
        f"```bash\n{shlex.join(['python', *sys.argv])}\n```"
    )


def _seams(network: TileNetwork, config: str, checkpoint: str, folder: Path) -> str:
    files = write_scene(folder / "seams", draw_scene(_SEAM_SCENE))
    tile, overlap = network.tiling
    ratios = []
    for shared in (overlap, 0):
        out = folder / "seams.tif"
        settings = SceneSettings(resolution="optical", overlap=shared)
        call_in_new_process(map_scene, config, checkpoint, files, out, settings)
        axis = TileAxis(_SEAM_SCENE, tile, shared)
        edges = sorted({*axis.starts, *(start + tile for start in axis.starts)})
        with rasterio.open(out) as source:
            ratios.append(seam_ratio(source.read(1), edges, edges))
    return (
        f"Class changes at the edges of tiles, relative to those elsewhere: {ratios[0]:.3f} with "
        f"an overlap of {overlap} pixels, {ratios[1]:.3f} without overlap "
        f"({_SEAM_SCENE} x {_SEAM_SCENE} pixels, optical grid)."
    )


def _repeat(pattern: Path, path: Path, rows: int, columns: int) -> Path:
    """Repeat a raster in mirror images to a scene of this many optical pixels, strip by strip."""
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
