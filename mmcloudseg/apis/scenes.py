"""Land-cover maps of whole scenes, from files to files."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import rasterio
from tqdm import tqdm

from mmcloudseg.datasets.conversion.folder_lock import locked
from mmcloudseg.datasets.rasters import raster_session
from mmcloudseg.scenes.blending import RowBlender
from mmcloudseg.scenes.checks import check_values, sar_cover
from mmcloudseg.scenes.cog import publish, write_cog
from mmcloudseg.scenes.grid import SceneGrid
from mmcloudseg.scenes.layout import SceneLayout
from mmcloudseg.scenes.network import TileNetwork
from mmcloudseg.scenes.prefetch import Background, prefetch
from mmcloudseg.scenes.products import Product, from_image, from_logits, products
from mmcloudseg.scenes.reader import TileReader
from mmcloudseg.scenes.settings import SceneSettings
from mmcloudseg.scenes.sources import SceneRaster, opened
from mmcloudseg.scenes.strips import StripFolder, unwritable
from mmcloudseg.version import __version__
from mmcloudseg.visualization.scene_quicklook import write_quicklook

_CACHE_MB = 128
"""GDAL's block cache: enough for a row of tiles, and no more with larger scenes."""


@dataclass(frozen=True)
class SceneReport:
    """What was made of a scene.

    Attributes:
        files: By product: ``map``, and what else was asked for.
        megapixels: Of the optical image.
        seconds: All in all.
        network_seconds: Of these in the network.
        tiles: That were there.
        mapped_tiles: That held data, and were mapped in this run.
    """

    files: dict[str, Path]
    megapixels: float
    seconds: float
    network_seconds: float
    tiles: int
    mapped_tiles: int

    def __str__(self) -> str:
        share = self.network_seconds / self.seconds if self.seconds else 0
        return (
            f"{self.files['map']}: {self.megapixels:.1f} megapixels in {self.seconds:.1f} s "
            f"({share:.0%} of it in the network), {self.mapped_tiles} of {self.tiles} tiles mapped"
        )


class ScenePredictor:
    """Maps scenes with one trained model.

    >>> predictor = ScenePredictor("configs/cloudseg_m3mcr.py", "best.pth")
    >>> predictor.predict("optical.tif", "sar.tif", "map.tif", confidence=True)

    Args:
        config: The config file; of a distillation, the student maps.
        checkpoint: Its checkpoint.
        device: ``'cpu'``, ``'cuda:1'``, …; None takes a GPU if there is one.
        options: Dotted keys of the (student's) config and their values.
        amp: Half precision.

    Raises:
        FileNotFoundError: The config or checkpoint does not exist.
        ValueError: The checkpoint does not fit the config.
    """

    def __init__(
        self,
        config: str,
        checkpoint: str,
        device: str | None = None,
        options: Mapping[str, Any] | None = None,
        amp: bool = False,
    ) -> None:
        self.network = TileNetwork(config, checkpoint, device, options, amp)

    def predict(
        self,
        optical: str | Path,
        sar: str | Path | None,
        out: str | Path,
        *,
        resume: bool = False,
        overwrite: bool = False,
        progress: bool = True,
        **settings: Any,
    ) -> SceneReport:
        """Map a scene.

        The optical image's grid is the scene's. SAR may have another reference system,
        resolution and extent: it is warped as it is read. Files appear under their final names
        when they are complete: the map last.

        Args:
            optical: GeoTIFF or anything that GDAL opens, also ``/vsicurl/…`` and ``https://…``.
            sar: The same; None if there is none, which the model takes as missing.
            out: The map, a cloud-optimised GeoTIFF. What else is asked for lies beside it:
                ``NAME_cloud_free.tif``, ``NAME_confidence.tif``, ``NAME_probabilities.tif``,
                ``NAME.png``.
            resume: Go on from what a stopped run has finished, and keep what is finished if this
                one fails.
            overwrite: Replace files that are there.
            progress: Show a bar.
            settings: As in :class:`SceneSettings`.

        Returns:
            What was made and how long it took.

        Raises:
            DataError: A raster cannot be used, or the output not be written.
            ValueError: The model cannot do what is asked for.
        """
        start, before = time.perf_counter(), self.network.seconds
        chosen, out = SceneSettings(**settings), Path(out)
        sar = str(sar) if sar is not None and "sar" in self.network.about.modalities else None
        wanted = self._products(chosen)
        files = _files(out, wanted, chosen.quicklook)
        _check_output(files, [str(optical), sar], overwrite)
        with contextlib.ExitStack() as stack:
            stack.enter_context(raster_session())
            stack.enter_context(rasterio.Env(GDAL_CACHEMAX=_CACHE_MB))
            pair = self._open(stack, str(optical), sar, chosen)
            layout = self._layout(pair[0], chosen)
            folder = StripFolder(out, self._state(str(optical), sar, chosen))
            stack.enter_context(_kept(folder, keep=resume))
            folder.begin(resume)
            mapped = self._map(pair, layout, wanted, folder, chosen, progress)
            made = {}
            tags = self._tags(str(optical), sar)
            for product in wanted:
                strips = layout.strips(product)
                parts = [
                    (folder.file(product, index), *rows)
                    for index, rows in enumerate(strips)
                    if rows[0] < rows[1]
                ]
                legend = {f"class_{i}": name for i, name in enumerate(product.categories)}
                made[product.name] = write_cog(
                    folder.path, product, layout.grid(product), parts, {**tags, **legend}
                )
            if chosen.quicklook:
                made["quicklook"] = folder.path / "quicklook.png"
                about = self.network.about
                write_quicklook(
                    made, *pair, about.optical_names, about.classes, about.palette, out.stem
                )
            for name in sorted(made, key=lambda name: name == "map"):
                publish(made[name], files[name])
        return SceneReport(
            files,
            layout.optical.width * layout.optical.height / 1e6,
            time.perf_counter() - start,
            self.network.seconds - before,
            len(layout.rows) * len(layout.columns),
            mapped,
        )

    def _products(self, settings: SceneSettings) -> list[Product]:
        about = self.network.about
        if settings.cloud_free and not self.network.can_restore:
            raise ValueError(
                f"{self.network.config}: its model makes no cloud-free image (that takes a "
                "CloudSeg or TwoStep with test_cfg.cloud_free=True): leave out --cloud-free"
            )
        return products(
            about.classes,
            about.palette,
            about.optical_names,
            settings.confidence,
            settings.probabilities,
            settings.cloud_free,
        )

    def _open(
        self,
        stack: contextlib.ExitStack,
        optical: str,
        sar: str | None,
        settings: SceneSettings,
    ) -> tuple[SceneRaster, SceneRaster | None]:
        about = self.network.about
        first = stack.enter_context(
            opened(
                optical,
                settings.optical_bands or about.bands.get("optical"),
                about.counts.get("optical", 0) or None,
                "optical",
                settings.nodata,
            )
        )
        second = None
        if sar is not None:
            grid = SceneGrid.of(first.source)
            bands = settings.sar_bands or about.bands.get("sar")
            sar_cover(grid, sar)
            second = stack.enter_context(
                opened(
                    sar,
                    bands,
                    about.counts["sar"],
                    "SAR",
                    settings.sar_nodata,
                    grid,
                    settings.sar_resampling,
                )
            )
        if settings.check_values:
            for name, raster, what in (("sar", second, "SAR"), ("optical", first, "optical")):
                if raster is not None and name in about.low:
                    check_values(raster, about.low[name], about.high[name], what)
        return first, second

    def _layout(self, optical: SceneRaster, settings: SceneSettings) -> SceneLayout:
        tile, overlap = self.network.tiling
        if settings.tile_size is not None:
            # The same share of a tile that the model's own windows share.
            overlap = overlap * settings.tile_size // tile
            tile = settings.tile_size
        if settings.overlap is not None:
            overlap = settings.overlap
        scale = self.network.about.label_scale if settings.resolution == "label" else 1.0
        return SceneLayout(SceneGrid.of(optical.source), scale, tile, overlap)

    def _state(self, optical: str, sar: str | None, settings: SceneSettings) -> dict[str, Any]:
        return dict(
            version=__version__,
            optical=_identity(optical),
            sar=sar and _identity(sar),
            config=self.network.config,
            options={key: str(value) for key, value in self.network.options.items()},
            checkpoint=self.network.sha256,
            device=self.network.device.type,
            amp=self.network.amp,
            settings=dataclasses.asdict(dataclasses.replace(settings, quicklook=False)),
        )

    def _tags(self, optical: str, sar: str | None) -> dict[str, str]:
        now = datetime.now(timezone.utc)
        return dict(
            TIFFTAG_SOFTWARE=f"mmcloudseg {__version__}",
            TIFFTAG_DATETIME=f"{now:%Y:%m:%d %H:%M:%S}",
            model_config=Path(self.network.config).name,
            checkpoint=Path(self.network.checkpoint).name,
            checkpoint_sha256=self.network.sha256,
            optical=_name(optical),
            sar=_name(sar) if sar else "none",
        )

    def _map(
        self,
        pair: tuple[SceneRaster, SceneRaster | None],
        layout: SceneLayout,
        wanted: list[Product],
        folder: StripFolder,
        settings: SceneSettings,
        progress: bool,
    ) -> int:
        """Map all tiles whose strips are not there yet; returns how many were mapped."""
        strips = {product.name: layout.strips(product) for product in wanted}
        missing = folder.first_missing(wanted, strips)
        if missing == len(layout.rows):
            return 0
        network, about = self.network, self.network.about
        first_row = layout.first_row_for(missing, wanted)
        reader = TileReader(
            *pair,
            about.modalities,
            about.counts,
            layout.rows,
            layout.columns,
            settings.batch_size,
        )
        channels = network.channels + settings.cloud_free * about.counts.get("optical", 0)
        blender = RowBlender(layout.rows, layout.columns, channels, network.device, first_row)
        resampler, mapped = layout.resampler(), 0
        with (
            Background() as writer,
            tqdm(
                total=len(layout.rows) * len(layout.columns),
                initial=first_row * len(layout.columns),
                desc=Path(pair[0].path).name,
                unit="tile",
                dynamic_ncols=True,
                disable=not progress,
            ) as bar,
        ):
            for chunk in prefetch(reader.read, reader.jobs(first_row)):
                blender.add_valid(chunk.start, chunk.valid)
                if len(chunk.columns):
                    maps = network(chunk.tiles, settings.cloud_free)
                    for column, tile in zip(chunk.columns, maps, strict=True):
                        blender.add(column, tile)
                mapped += len(chunk.columns)
                bar.update(chunk.count)
                if not chunk.last:
                    continue
                maps, valid = blender.finish_row()
                logits = maps[: network.channels]
                start = layout.rows.starts[chunk.row]
                fresh = chunk.row >= missing
                made = resampler.feed(chunk.row, start, logits, valid, fresh)
                arrays = {}
                if made is not None:
                    arrays = from_logits(*made, list(strips), network.threshold)
                if settings.cloud_free and fresh:
                    image = maps[network.channels :]
                    ends = about.low["optical"], about.high["optical"]
                    arrays["cloud_free"] = from_image(image, valid, *ends)
                for product in wanted:
                    if product.name in arrays:
                        writer.submit(
                            folder.write,
                            product,
                            chunk.row,
                            strips[product.name][chunk.row][0],
                            layout.grid(product),
                            arrays[product.name],
                        )
        return mapped


@contextlib.contextmanager
def _kept(folder: StripFolder, keep: bool) -> Iterator[None]:
    """Hold the folder, and remove it at the end; after an error only if it is not to be kept."""
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(locked(folder.path))
        except OSError as error:
            raise unwritable(folder.path.parent, error) from error
        try:
            yield
        except Exception:
            if not keep:
                folder.remove()
            raise
        folder.remove()


def _files(out: Path, wanted: list[Product], quicklook: bool) -> dict[str, Path]:
    if out.suffix.lower() not in (".tif", ".tiff"):
        raise ValueError(f"{out}: the map is a GeoTIFF, so its name ends in .tif or .tiff")
    files = {
        product.name: out
        if product.name == "map"
        else out.with_name(f"{out.stem}_{product.name}{out.suffix}")
        for product in wanted
    }
    if quicklook:
        files["quicklook"] = out.with_suffix(".png")
    return files


def _check_output(files: Mapping[str, Path], sources: list[str | None], overwrite: bool) -> None:
    inputs = {os.path.realpath(source) for source in sources if source}
    for path in files.values():
        if os.path.realpath(path) in inputs:
            raise ValueError(f"{path}: is an input; choose another name for the output")
        if path.exists() and not overwrite:
            raise ValueError(f"{path}: is there already; choose another name, or --overwrite")


def _identity(path: str) -> dict[str, Any]:
    """What tells that a file is another one."""
    if not os.path.exists(path):  # a remote one
        return dict(path=path)
    stat = os.stat(path)
    return dict(path=os.path.realpath(path), bytes=stat.st_size, changed_ns=stat.st_mtime_ns)


def _name(path: str) -> str:
    return path.rstrip("/").rsplit("/", 1)[-1]
