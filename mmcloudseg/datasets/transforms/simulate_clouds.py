"""Clouds drawn over the optical image of a sample."""

from __future__ import annotations

import dataclasses
import random
from pathlib import Path
from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform
from mmseg.registry import TRANSFORMS

from mmcloudseg.clouds import CloudSettings, simulate_clouds
from mmcloudseg.clouds.octaves import uniform
from mmcloudseg.clouds.simulation import generator
from mmcloudseg.rasters.grids import resample
from mmcloudseg.rasters.reading import raster_session
from mmcloudseg.rasters.values import open_map
from mmcloudseg.utils.errors import DataError


@TRANSFORMS.register_module()
class SimulateClouds(BaseTransform):
    """Put clouds over the optical bands of a clear sample; see ``simulate_clouds``.

    The optical bands become cloudy; the cloud-free bands, if loaded, and SAR stay as they are.
    Where the dataset says ``optical='cloud_free'``, as for a teacher, no cloud is drawn.

    A sample's clouds depend on its name and the seed alone: every visit, every worker and every
    machine sees the same. With ``redraw`` each visit draws anew, from Python's ``random``, which
    MMEngine seeds in every worker as it does for random crops.

    Required Keys:

    - img, band_layout, sample_name
    - crop_window, optical, seg_fields (optional)

    Modified or Added Keys:

    - img (its optical bands)
    - gt_cloud_mask (uint8, H x W, 1 cloud, 0 clear), named in seg_fields
    - cloud_kind (the kind's name, 'none' where no cloud was drawn)

    Args:
        clear_fraction: Fraction of samples that get no clouds at all.
        mask_dir: Folder of real masks (``.npy`` or ``.tif``, non-zero is cloud). Each sample takes
            the place and shape of one of them, resampled to its size.
        seed: Seed of the whole set.
        redraw: Draw other clouds at each visit, for training.
        settings: The fields of ``CloudSettings``, of which ``gsd_m`` and ``wavelengths_um`` are
            required.

    Raises:
        TypeError: If an argument is unknown or a required one missing.
        ValueError: If an argument is outside its range.
    """

    def __init__(
        self,
        clear_fraction: float = 0.0,
        mask_dir: str | None = None,
        seed: int = 0,
        redraw: bool = False,
        **settings: Any,
    ) -> None:
        super().__init__()
        known = [field.name for field in dataclasses.fields(CloudSettings)]
        unknown = [key for key in settings if key not in known]
        if unknown:
            own = ("clear_fraction", "mask_dir", "seed", "redraw")
            raise TypeError(
                f"SimulateClouds: unknown argument {', '.join(unknown)}. Remove it from the "
                f"config, or correct it to one of {', '.join([*known, *own])}."
            )
        self.settings = CloudSettings(**settings)
        if not 0 <= clear_fraction <= 1:
            raise ValueError(f"clear_fraction: expected 0 to 1, found {clear_fraction}")
        self.clear_fraction = clear_fraction
        self.mask_paths = _mask_paths(mask_dir) if mask_dir is not None else []
        self.seed = seed
        self.redraw = redraw
        # What is wrong with the settings shows when the pipeline is built, not in a worker.
        bands = len(self.settings.wavelengths_um)
        simulate_clouds(np.zeros((bands, 4, 4)), self.settings, name="")

    def transform(self, results: dict) -> dict:
        """Draw clouds.

        Raises:
            ValueError: If there are no optical bands, or not as many as wavelengths.
        """
        start, stop = self._optical_bands(results)
        shape = results["img"].shape[:2]
        mask, kind = np.zeros(shape, np.uint8), "none"
        name = self._name(results)
        choices = generator(self.seed, f"choices of {name}")
        clear = uniform(choices, 0, 1) < self.clear_fraction
        if results.get("optical") != "cloud_free" and not clear:
            image = np.ascontiguousarray(results["img"][..., start:stop].transpose(2, 0, 1))
            real = self._real_mask(choices, shape)
            drawn = simulate_clouds(image, self.settings, name=name, seed=self.seed, mask=real)
            results["img"] = results["img"].copy()
            results["img"][..., start:stop] = drawn.image.transpose(1, 2, 0)
            mask, kind = drawn.mask.astype(np.uint8), drawn.kind
        results.update(gt_cloud_mask=mask, cloud_kind=kind)
        fields = list(results.get("seg_fields", []))
        results["seg_fields"] = [*fields, *({"gt_cloud_mask"} - set(fields))]
        return results

    def _optical_bands(self, results: dict) -> tuple[int, int]:
        layout = results["band_layout"]
        wanted = len(self.settings.wavelengths_um)
        start, stop = layout.get("optical", (0, 0))
        if stop - start != wanted:
            raise ValueError(
                f"SimulateClouds: {results.get('img_path', 'the sample')} has {stop - start} "
                f"optical bands, but wavelengths_um names {wanted}. Load the optical image "
                "before, and give one wavelength per band."
            )
        return start, stop

    def _name(self, results: dict) -> str:
        name = str(results.get("sample_name") or results["img_path"])
        if results.get("crop_window") is not None:
            name += f" {tuple(results['crop_window'])}"
        return f"{name} {random.getrandbits(64)}" if self.redraw else name

    def _real_mask(
        self, choices: np.random.Generator, shape: tuple[int, int]
    ) -> np.ndarray | None:
        if not self.mask_paths:
            return None
        path = self.mask_paths[int(uniform(choices, 0, len(self.mask_paths)))]
        with raster_session(), open_map(path) as source:
            mask, missing = source.read(nodata=source.nodata)
        return resample((mask != 0) & ~missing, shape)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.settings}, seed={self.seed}, redraw={self.redraw})"


def _mask_paths(folder: str) -> list[str]:
    paths = sorted(str(p) for p in Path(folder).rglob("*") if p.suffix in (".npy", ".tif"))
    if not paths:
        raise DataError(
            f"mask_dir {folder!r}: holds no cloud mask. Name a folder with .npy or .tif masks, or "
            "leave mask_dir out to draw clouds' shapes too."
        )
    return paths
