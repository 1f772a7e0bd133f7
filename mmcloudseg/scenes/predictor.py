"""Land-cover maps of whole scenes, from files to files."""

from __future__ import annotations

import dataclasses
import os
import time
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmengine.dist import all_gather_object, get_dist_info

from mmcloudseg.rasters.grids import RasterGrid
from mmcloudseg.scenes.inputs import open_scene
from mmcloudseg.scenes.lists import ScenePair, process_group
from mmcloudseg.scenes.mapping import SceneMapping
from mmcloudseg.scenes.network import TileNetwork
from mmcloudseg.scenes.outputs import SceneOutput
from mmcloudseg.scenes.products import list_products
from mmcloudseg.scenes.quicklook import write_quicklook
from mmcloudseg.scenes.settings import SceneOptions, SceneSettings
from mmcloudseg.scenes.tiles import SceneLayout
from mmcloudseg.utils.errors import DataError

if TYPE_CHECKING:
    from typing_extensions import Unpack


@dataclasses.dataclass(frozen=True)
class SceneReport:
    """What was made of a scene.

    Attributes:
        files: The files written: ``map``, ``style`` and the optional ones.
        megapixels: Size of the optical image.
        seconds: Total time.
        network_seconds: Time in the network.
        tiles: Number of tiles of the scene.
        mapped_tiles: Tiles that hold data and were mapped in this run.
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
    """Maps scenes with a trained model.

    >>> predictor = ScenePredictor("configs/cloudseg_m3mcr.py", "best.pth")
    >>> predictor.predict("optical.tif", "sar.tif", "map.tif", confidence=True)

    Arguments and errors are those of :class:`TileNetwork`.
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

    def predict_list(
        self,
        pairs: Sequence[ScenePair],
        settings: SceneSettings | None = None,
        *,
        resume: bool = False,
        overwrite: bool = False,
    ) -> list[SceneReport]:
        """Map a list of scenes, or this process's share of it.

        Of n processes that ``torchrun`` started, on one machine or several, each maps every n-th
        scene. A scene that cannot be mapped does not stop the others.

        Args:
            pairs: The scenes.
            settings: How to map them.
            resume: Skip scenes whose map exists, and resume those that were interrupted.
            overwrite: Replace existing files.

        Raises:
            DataError: Scenes could not be mapped; raised in every process when all have finished.
        """
        reports: list[SceneReport] = []
        problems: list[str] = []
        with process_group(), warnings.catch_warnings():
            warnings.simplefilter("always", UserWarning)  # for each scene that it is about
            rank, world = get_dist_info()
            for pair in pairs[rank::world]:
                if resume and not overwrite and os.path.exists(pair.out):
                    print(f"{pair.out}: already exists, skipped", flush=True)
                    continue
                try:
                    report = self.predict(
                        *pair, settings, resume=resume, overwrite=overwrite, progress=rank == 0
                    )
                except (OSError, ValueError) as error:
                    problems.append(str(error))
                else:
                    reports.append(report)
                    print(report, flush=True)
            problems = [line for lines in all_gather_object(problems) for line in lines]
        if problems and len(pairs) == 1:
            raise DataError(problems[0])
        if problems:
            raise DataError.from_problems(f"of {len(pairs)} scenes, some not mapped", problems)
        return reports

    def predict(
        self,
        optical: str | Path,
        sar: str | Path | None,
        out: str | Path,
        settings: SceneSettings | None = None,
        *,
        resume: bool = False,
        overwrite: bool = False,
        progress: bool = True,
        **changes: Unpack[SceneOptions],
    ) -> SceneReport:
        """Map a scene.

        The map covers the optical image. SAR may have another reference system, resolution and
        extent, and is warped when it is read. Files get their final names when they are complete,
        the map last.

        Args:
            optical: A GeoTIFF or anything else that GDAL opens, such as ``https://…``.
            sar: Likewise; None if there is none, which the model treats as missing.
            out: The map, a cloud-optimised GeoTIFF, next to which optional files are written:
                ``NAME_cloud_free.tif``, ``NAME_confidence.tif``, ``NAME_probabilities.tif``,
                ``NAME.png``.
            settings: How to map the scene and which files to write.
            resume: Resume an interrupted run, and keep what is finished if this one fails.
            overwrite: Replace existing files.
            progress: Show a progress bar.
            changes: Fields of :class:`SceneSettings` that replace those of ``settings``.

        Returns:
            What was made and how long it took.

        Raises:
            DataError: A raster cannot be used, or the output cannot be written.
            ValueError: The model cannot do what is asked for.
        """
        start, before = time.perf_counter(), self.network.seconds
        chosen = dataclasses.replace(settings or SceneSettings(), **changes)
        network, description = self.network, self.network.description
        optical = str(optical)
        sar = str(sar) if sar is not None and "sar" in description.counts else None
        self._check(sar, chosen)
        wanted, sources = list_products(description, chosen), dict(optical=optical, sar=sar)
        output = SceneOutput(Path(out), sources, wanted, chosen.quicklook, resume, overwrite)
        output.check()
        with open_scene(optical, sar, description, chosen) as images:
            layout = self._layout(images.grid, chosen)
            with output.open(self._state(chosen, layout)):
                mapping = SceneMapping(network, images, layout, output, chosen.batch_size)
                mapped = mapping.run(progress)
                made = output.join_strips(layout, self._tags())
                if chosen.quicklook:
                    made["quicklook"] = write_quicklook(made, images, Path(out).stem)
                output.publish(made)
        megapixels = layout.optical.width * layout.optical.height / 1e6
        seconds, in_network = time.perf_counter() - start, network.seconds - before
        tiles = len(layout.rows) * len(layout.columns)
        return SceneReport(output.files, megapixels, seconds, in_network, tiles, mapped)

    def _check(self, sar: str | None, settings: SceneSettings) -> None:
        if sar is None and not self.network.accepts_missing_sar:
            raise ValueError(
                f"{self.network.config}: its data preprocessor does not define what replaces "
                "missing SAR (CloudSegDataPreprocessor(missing_val=…) does): give a SAR image "
                "with --sar"
            )
        if settings.cloud_free and not self.network.can_restore:
            raise ValueError(
                f"{self.network.config}: its model makes no cloud-free image (a CloudSeg or "
                "TwoStep with test_cfg.cloud_free=True does): leave out --cloud-free"
            )

    def _layout(self, grid: RasterGrid, settings: SceneSettings) -> SceneLayout:
        tile, overlap = self.network.tiling
        if settings.tile_size is not None:
            # The same share of a tile as the overlap of the model's own windows.
            overlap, tile = overlap * settings.tile_size // tile, settings.tile_size
        if settings.overlap is not None:
            overlap = settings.overlap
        scale = self.network.description.label_scale if settings.resolution == "label" else 1.0
        return SceneLayout(grid, scale, tile, overlap)

    def _state(self, settings: SceneSettings, layout: SceneLayout) -> dict[str, Any]:
        """What determines the pixels, besides the images."""
        network = self.network
        return dict(
            config=network.config_sha256,
            checkpoint=network.checkpoint_sha256,
            device=network.device.type,
            amp=network.amp,
            tile=layout.rows.tile,
            tile_overlap=layout.rows.overlap,
            map_pixels_per_optical_pixel=layout.scale,
            **dataclasses.asdict(dataclasses.replace(settings, quicklook=False)),
        )

    def _tags(self) -> dict[str, str]:
        network = self.network
        return dict(
            model_config=Path(network.config).name,
            checkpoint=Path(network.checkpoint).name,
            checkpoint_sha256=network.checkpoint_sha256,
        )
