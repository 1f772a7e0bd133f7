"""Land-cover maps of whole scenes, from files to files."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rasterio

from mmcloudseg.rasters.cog import move_raster, write_cog
from mmcloudseg.rasters.grids import RasterGrid
from mmcloudseg.rasters.qgis import write_style
from mmcloudseg.rasters.reading import raster_session
from mmcloudseg.rasters.scene_raster import SceneRaster
from mmcloudseg.scenes.inputs import open_pair
from mmcloudseg.scenes.layout import SceneLayout
from mmcloudseg.scenes.mapping import SceneMapping
from mmcloudseg.scenes.network import TileNetwork
from mmcloudseg.scenes.outputs import check_output, identity, output_files, provenance
from mmcloudseg.scenes.products import Product, products
from mmcloudseg.scenes.quicklook import write_quicklook
from mmcloudseg.scenes.settings import SceneSettings
from mmcloudseg.scenes.strips import StripFolder, output_errors, unwritable
from mmcloudseg.utils.locks import folder_lock
from mmcloudseg.version import __version__

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
        network, optical = self.network, str(optical)
        sar = str(sar) if sar is not None and "sar" in network.about.modalities else None
        if sar is None and "sar" in network.about.counts and not network.can_miss:
            raise ValueError(
                f"{network.config}: its data preprocessor does not say what stands for missing "
                "SAR (CloudSegDataPreprocessor(missing_val=…) does): give --sar"
            )
        wanted = self._products(chosen)
        files = output_files(out, wanted, chosen.quicklook)
        check_output(files, [optical, sar], overwrite, resume)
        with contextlib.ExitStack() as stack:
            stack.enter_context(raster_session())
            stack.enter_context(rasterio.Env(GDAL_CACHEMAX=_CACHE_MB))
            pair = open_pair(stack, optical, sar, network.about, chosen)
            layout = self._layout(pair[0], chosen)
            folder = StripFolder(out, self._state(optical, sar, chosen, layout))
            stack.enter_context(_kept(folder, keep=resume))
            # Again: another run may have ended while this one waited for the folder.
            check_output(files, [optical, sar], overwrite, resume)
            folder.begin(resume)
            mapping = SceneMapping(network, pair, layout, wanted, folder, chosen.batch_size)
            mapped = mapping.run(progress)
            tags = provenance(network, optical, sar)
            with output_errors(folder.path):
                made = {product.name: _whole(product, layout, folder, tags) for product in wanted}
                made["style"] = folder.path / "map.qml"
                write_style(made["style"], wanted[0].categories, wanted[0].palette)
            if chosen.quicklook:
                made["quicklook"] = folder.path / "quicklook.png"
                about = network.about
                names = about.optical_names, about.classes, about.palette
                write_quicklook(made, *pair, *names, out.stem)
            for name in sorted(made, key=lambda name: name == "map"):
                with output_errors(files[name]):
                    move_raster(made[name], files[name])
        return SceneReport(
            files,
            layout.optical.width * layout.optical.height / 1e6,
            time.perf_counter() - start,
            network.seconds - before,
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

    def _layout(self, optical: SceneRaster, settings: SceneSettings) -> SceneLayout:
        tile, overlap = self.network.tiling
        if settings.tile_size is not None:
            # The same share of a tile that the model's own windows share.
            overlap = overlap * settings.tile_size // tile
            tile = settings.tile_size
        if settings.overlap is not None:
            overlap = settings.overlap
        scale = self.network.about.label_scale if settings.resolution == "label" else 1.0
        return SceneLayout(RasterGrid.of(optical.source), scale, tile, overlap)

    def _state(
        self, optical: str, sar: str | None, settings: SceneSettings, layout: SceneLayout
    ) -> dict[str, Any]:
        """What decides the pixels."""
        return dict(
            version=__version__,
            optical=identity(optical),
            sar=sar and identity(sar),
            config=self.network.config_sha256,
            checkpoint=self.network.sha256,
            device=self.network.device.type,
            amp=self.network.amp,
            tile=layout.rows.tile,
            tile_overlap=layout.rows.overlap,
            map_pixels_per_optical_pixel=layout.scale,
            **dataclasses.asdict(dataclasses.replace(settings, quicklook=False)),
        )


def _whole(
    product: Product, layout: SceneLayout, folder: StripFolder, tags: Mapping[str, str]
) -> Path:
    """One raster of a product's strips."""
    parts = [
        (folder.file(product, index), *rows)
        for index, rows in enumerate(layout.strips(product))
        if rows[0] < rows[1]
    ]
    legend = {f"class_{index}": name for index, name in enumerate(product.categories)}
    return write_cog(folder.path, product, layout.grid(product), parts, {**tags, **legend})


@contextlib.contextmanager
def _kept(folder: StripFolder, keep: bool) -> Iterator[None]:
    """Hold the folder, and remove it at the end; after an error only if it is not to be kept."""
    above = [path for path in folder.path.parents if not path.exists()]
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(folder_lock(folder.path))
        except OSError as error:
            raise unwritable(folder.path.parent, error) from error
        try:
            yield
        except Exception:
            if not keep:
                folder.remove()
                for path in above:  # from the innermost on, as far as nobody else uses them
                    with contextlib.suppress(OSError):
                        path.rmdir()
            raise
        folder.remove()
