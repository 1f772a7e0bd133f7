"""Changes of the values of optical and SAR bands, each in its own unit."""

from __future__ import annotations

import random
from abc import abstractmethod
from collections.abc import Mapping

import numpy as np
from mmcv.transforms import BaseTransform
from mmseg.registry import TRANSFORMS

from mmcloudseg.rasters.grids import resample, scaled_shape
from mmcloudseg.utils.errors import DataError

HIGHEST_DB = 60.0
"""No backscatter of land or sea is as bright: corner reflectors of calibration come near."""


class RadiometricTransform(BaseTransform):
    """Base of the transforms that change values: draws, and leaves the other bands as they are.

    Placed after :class:`LoadRasters` and :class:`SimulateClouds`, best before any geometric
    transform. NaN stays NaN. It draws from Python's ``random`` and NumPy's generator, which
    MMEngine's seed governs in every worker.

    Required Keys:

    - img, band_layout
    - sar_scale (optional)

    Modified Keys:

    - img (float32)

    Args:
        prob: Probability that a sample is changed.
    """

    def __init__(self, prob: float) -> None:
        super().__init__()
        if not 0 <= prob <= 1:
            raise ValueError(f"{type(self).__name__}: prob must be from 0 to 1, found {prob}")
        self.prob = prob

    @abstractmethod
    def change(self, img: np.ndarray, results: dict) -> None:
        """Change the bands of a float32 copy of the image, H x W x bands, in place."""

    def transform(self, results: dict) -> dict:
        """Draw, and change the image.

        Raises:
            ValueError: If a modality was not loaded.
        """
        if random.random() < self.prob:
            # A copy, because the loader may hand out the same array again.
            img = np.array(results["img"], dtype=np.float32)
            self.change(img, results)
            results["img"] = img
        return results

    def _bands(self, img: np.ndarray, results: dict, modality: str) -> np.ndarray:
        """The bands of a modality: a view, H x W x its bands."""
        layout = results["band_layout"]
        if modality not in layout:
            raise ValueError(
                f"{type(self).__name__}: '{modality}' was not loaded (only {list(layout)}). Add "
                "it to LoadRasters(modalities=…), or take the transform out of the pipeline."
            )
        return img[..., slice(*layout[modality])]

    def __repr__(self) -> str:
        settings = ", ".join(f"{key}={value!r}" for key, value in vars(self).items())
        return f"{type(self).__name__}({settings})"


@TRANSFORMS.register_module()
class OpticalJitter(RadiometricTransform):
    """Change illumination, calibration, contrast and haze of the optical image.

    A band x becomes ``gain * (m + contrast * (x - m)) + offset`` with the band's mean m over the
    optical image. The cloud-free image, if loaded, goes through the same function with the same
    numbers: it stays what the optical image would be without clouds, so that neither cloud removal
    nor distillation learns to undo the jitter. SAR, label and cloud mask stay as they are.

    Nothing is clipped: reflectance may leave 0 to 1, as measured reflectance does, until
    ``CloudSegDataPreprocessor`` clips it.

    Args:
        prob: Probability that a sample is changed.
        gain: All bands are multiplied by one factor from 1 - gain to 1 + gain.
        band_gain: Each band is multiplied by a factor of its own besides, likewise.
        contrast: The contrast is multiplied by a factor from 1 - contrast to 1 + contrast.
        offset: All bands are shifted by up to this much reflectance, up or down.
        scale: Value of a reflectance of 1 in the image, as in :class:`SimulateClouds`: 10 000 for
            Sentinel-2 and PlanetScope, 255 for 8-bit images.
    """

    def __init__(
        self,
        prob: float = 0.5,
        gain: float = 0.1,
        band_gain: float = 0.03,
        contrast: float = 0.1,
        offset: float = 0.01,
        scale: float = 10000.0,
    ) -> None:
        super().__init__(prob)
        spreads = dict(gain=gain, band_gain=band_gain, contrast=contrast)
        wrong = {name: value for name, value in spreads.items() if not 0 <= value < 1}
        if wrong or offset < 0 or scale <= 0:
            raise ValueError(
                "OpticalJitter: gain, band_gain and contrast are from 0 to below 1, offset is at "
                f"least 0 and scale above 0; found {wrong or dict(offset=offset, scale=scale)}"
            )
        self.gain, self.band_gain, self.contrast = gain, band_gain, contrast
        self.offset, self.scale = offset, scale

    def change(self, img: np.ndarray, results: dict) -> None:
        """Apply one function to the optical and the cloud-free bands."""
        optical = self._bands(img, results, "optical")
        count = optical.shape[2]
        gain = random.uniform(1 - self.gain, 1 + self.gain)
        gain = gain * np.random.uniform(1 - self.band_gain, 1 + self.band_gain, count)
        contrast = random.uniform(1 - self.contrast, 1 + self.contrast)
        offset = random.uniform(-self.offset, self.offset) * self.scale
        known = np.isfinite(optical)
        total = optical.sum((0, 1), dtype=np.float64, where=known)
        mean = total / known.sum((0, 1)).clip(min=1)
        slope, shift = gain * contrast, gain * (1 - contrast) * mean + offset
        for modality in ("optical", "cloud_free"):
            if modality not in results["band_layout"]:
                continue
            bands = self._bands(img, results, modality)
            if bands.shape[2] != count:
                raise ValueError(
                    f"OpticalJitter: the cloud-free image has {bands.shape[2]} bands and the "
                    f"optical image {count}. Load the same bands of both."
                )
            bands[:] = slope * bands + shift


@TRANSFORMS.register_module()
class GaussianNoise(RadiometricTransform):
    """Add noise to the inputs, independent in each pixel and band.

    The cloud-free image, a target, stays as it is. SAR of a coarser grid gets its noise there.

    Args:
        std: Modality -> largest standard deviation, in the image's unit: 20 is 0.002 of
            reflectance x 10 000, and SAR is in dB. Each sample's is drawn from 0 up to it.
        prob: Probability that a sample is changed.
    """

    def __init__(self, std: Mapping[str, float] | None = None, prob: float = 0.5) -> None:
        super().__init__(prob)
        self.std = dict(optical=20.0) if std is None else dict(std)
        if set(self.std) - {"optical", "sar"} or any(value < 0 for value in self.std.values()):
            raise ValueError(
                "GaussianNoise: std has a number of at least 0 for 'optical', 'sar' or both; "
                f"found {self.std}. The cloud-free image is a target and takes no noise."
            )

    def change(self, img: np.ndarray, results: dict) -> None:
        """Add noise."""
        for modality, largest in self.std.items():
            bands = self._bands(img, results, modality)
            shape = _own_grid(bands, results, modality)
            noise = np.random.normal(0, random.uniform(0, largest), shape)
            bands += resample(noise, bands.shape[:2])


@TRANSFORMS.register_module()
class SARSpeckle(RadiometricTransform):
    """Multiply SAR by speckle, as if fewer looks had been averaged.

    Speckle is multiplicative in linear units, where that of L looks follows a gamma distribution
    of mean 1 and variance 1 / L (Oliver and Quegan, Understanding Synthetic Aperture Radar Images,
    2004, section 4.3). SAR is in dB, to which multiplying by g adds ``10 log10(g)``: the mean of
    the backscatter stays the same in linear units. Polarizations get independent speckle.

    The image has speckle of its own, to which this one comes: 4.4 looks of Sentinel-1 GRD IW under
    another 8 are worth 2.6. SAR of a coarser grid gets its speckle there, so that the pixels that
    one SAR pixel fills stay alike.

    Args:
        looks: Lowest and highest number of looks, of which each sample draws one, or one number.
        prob: Probability that a sample is changed.

    Raises:
        DataError: While it is used, if values cannot be dB, such as those of 8-bit images.
    """

    def __init__(
        self, looks: float | tuple[float, float] = (8.0, 32.0), prob: float = 0.5
    ) -> None:
        super().__init__(prob)
        low, high = (looks, looks) if isinstance(looks, (int, float)) else looks
        if not 1 <= low <= high:
            raise ValueError(f"SARSpeckle: looks are from 1, lowest first; found {looks}")
        self.looks = (low, high)

    def change(self, img: np.ndarray, results: dict) -> None:
        """Add the speckle's dB."""
        bands = self._bands(img, results, "sar")
        highest = bands.max(initial=-np.inf, where=np.isfinite(bands))
        if highest > HIGHEST_DB:
            raise DataError(
                f"{results.get('sar_path', 'the sample')}: SARSpeckle expects decibels, found "
                f"values up to {highest:g}. State the files' unit by the dataset's radiometry "
                "(sar=dict(unit='amplitude')), or take SARSpeckle out of the pipeline."
            )
        looks = random.uniform(*self.looks)
        speckle = np.random.gamma(looks, 1 / looks, _own_grid(bands, results, "sar"))
        bands += resample(10 * np.log10(speckle), bands.shape[:2])


def _own_grid(bands: np.ndarray, results: dict, modality: str) -> tuple[int, int, int]:
    """Rows, columns and bands of a modality's own pixels, if they are larger than the optical."""
    scale = (results.get("sar_scale") or 1.0) if modality == "sar" else 1.0
    return (*scaled_shape(bands.shape[:2], min(scale, 1.0)), bands.shape[2])
