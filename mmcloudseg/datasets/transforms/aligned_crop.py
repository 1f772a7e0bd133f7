"""Crops whose borders lie on pixel borders of every grid."""

from __future__ import annotations

import random
from abc import abstractmethod

from mmcv.transforms import BaseTransform
from mmseg.registry import TRANSFORMS

from mmcloudseg.rasters.grids import is_whole, scaled_shape
from mmcloudseg.rasters.reading import raster_session, read_header
from mmcloudseg.utils.errors import DataError


class AlignedCrop(BaseTransform):
    """Base of the crops: finds the image's size, checks, and cuts or leaves the cut to the loader.

    Placed before :class:`LoadRasters` it sets ``crop_window`` and only that part of each file is
    read; placed after it, it cuts what was read.

    Required Keys:

    - img_path, img (only after loading), label_scale (optional)

    Modified or Added Keys:

    - crop_window (before loading)
    - img, every key of seg_fields, img_shape, ori_shape (after loading)

    Args:
        crop_size: Rows and columns of the crop in optical pixels, or one number for both.
        step: Offsets are multiples of this many optical pixels: the grid that the optical image,
            SAR and label share. For 3 m and 10 m it is 10 (3 label pixels).
    """

    def __init__(self, crop_size: int | tuple[int, int] = 160, step: int = 10) -> None:
        super().__init__()
        height, width = (crop_size, crop_size) if isinstance(crop_size, int) else crop_size
        if height < 1 or width < 1 or step < 1:
            raise ValueError(f"crop_size and step must be positive, got {crop_size} and {step}")
        self.crop_size = (height, width)
        self.step = step

    @abstractmethod
    def offset(self, steps: int) -> int:
        """Choose by how many steps, 0 to ``steps``, the crop moves along an axis."""

    def transform(self, results: dict) -> dict:
        """Crop.

        Raises:
            DataError: If the image is smaller than the crop.
            ValueError: If the crop does not fit the label grid.
        """
        label_scale = results.get("label_scale", 1.0)
        self._check_alignment(label_scale)
        height, width = self.crop_size
        loaded = "img" in results
        top, left, *shape = (0, 0, *results["img"].shape[:2]) if loaded else self._window(results)
        if shape[0] < height or shape[1] < width:
            raise DataError(
                f"{results.get('img_path', 'the image')}: {shape[0]} x {shape[1]} pixels are too "
                f"few for a crop of {height} x {width}. Take the sample off the list, or lower "
                "crop_size in the pipeline."
            )
        # Row before column: with one seed, the crops are those of the paper's code.
        top += self.offset((shape[0] - height) // self.step) * self.step
        left += self.offset((shape[1] - width) // self.step) * self.step
        if not loaded:
            results["crop_window"] = (top, left, height, width)
            return results
        for key in ("img", *results.get("seg_fields", [])):
            results[key] = results[key][top : top + height, left : left + width]
        results["img_shape"] = self.crop_size
        results["ori_shape"] = scaled_shape(self.crop_size, label_scale)
        return results

    def _check_alignment(self, label_scale: float) -> None:
        height, width = self.crop_size
        for name, pixels in (("step", self.step), ("crop_size", height), ("crop_size", width)):
            if not is_whole(pixels * label_scale):
                raise ValueError(
                    f"{type(self).__name__}: {name}={pixels} optical pixels are "
                    f"{pixels * label_scale:g} label pixels (label_scale={label_scale:g}); choose "
                    "a number that gives whole label pixels."
                )

    @staticmethod
    def _window(results: dict) -> tuple[int, int, int, int]:
        if "crop_window" in results:
            return results["crop_window"]
        with raster_session():
            return 0, 0, *read_header(results["img_path"]).shape

    def __repr__(self) -> str:
        return f"{type(self).__name__}(crop_size={self.crop_size}, step={self.step})"


@TRANSFORMS.register_module()
class AlignedRandomCrop(AlignedCrop):
    """Crop at a random place on the shared grid; see :class:`AlignedCrop`.

    It draws from Python's ``random``, which MMEngine's seed governs in every worker.
    """

    def offset(self, steps: int) -> int:
        """Any step is as likely as any other."""
        return random.randint(0, steps)


@TRANSFORMS.register_module()
class AlignedCenterCrop(AlignedCrop):
    """Crop at the centre, rounded down to the shared grid; see :class:`AlignedCrop`."""

    def offset(self, steps: int) -> int:
        """The middle step."""
        return steps // 2
