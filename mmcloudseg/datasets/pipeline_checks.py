"""Which transforms of MMSegmentation and MMCV a pipeline of many bands may have, and where."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mmseg.registry import DATASETS

from mmcloudseg.datasets.wrappers import inner_datasets
from mmcloudseg.utils.config_types import type_class, type_name

_COLOURS = "it takes the bands for the colours of an 8-bit image"
_READS = "it knows neither bands and nodata nor the dataset's label codes"
_OPTICAL = "OpticalJitter, GaussianNoise or SARSpeckle"
_RANGES = "the ranges of CloudSegDataPreprocessor in the config's `network`"

# Name -> (why not, what instead). A name with "mmcv." stands for MMCV's class alone.
REFUSED: dict[str, tuple[str, str]] = {
    "PhotoMetricDistortion": (_COLOURS, _OPTICAL),
    "CLAHE": (_COLOURS, _OPTICAL),
    "AdjustGamma": (_COLOURS, _OPTICAL),
    "Albu": (
        "it takes the bands for colours and leaves the cloud mask as it is",
        f"Geometric for geometry and {_OPTICAL} for values",
    ),
    "RGB2Gray": (_COLOURS, "LoadRasters(bands=…), which chooses bands"),
    "RandomGrayscale": (_COLOURS, "RandomErase or RandomModalityDropout, which remove bands"),
    "Rerange": ("it scales reflectance and backscatter by one range", _RANGES),
    "Normalize": ("the model scales each band itself", _RANGES),
    "SegRescale": ("it changes the label's grid alone", "the dataset's label_scale"),
    "CenterCrop": ("it leaves the cloud mask as it is", "AlignedCenterCrop"),
    "mmcv.RandomFlip": ("it leaves the cloud mask as it is", "mmseg.RandomFlip"),
    "mmcv.Resize": ("it leaves the cloud mask as it is", "mmseg.Resize"),
    "Pad": ("it fills with values and leaves the cloud mask as it is", "PadNoData"),
    "RandomCutOut": ("it fills holes with values that bands may have", "RandomErase"),
    "PackSegInputs": ("it packs the cloud-free target with the inputs", "PackCloudSegInputs"),
    **dict.fromkeys(
        ("BioMedicalGaussianNoise", "BioMedicalGaussianBlur", "BioMedicalRandomGamma"),
        ("it expects a volume of bands first and changes the target as well", _OPTICAL),
    ),
    **dict.fromkeys(
        ("BioMedical3DPad", "BioMedical3DRandomCrop", "BioMedical3DRandomFlip"),
        ("it expects a volume of bands first", "AlignedRandomCrop, RandomFlip or PadNoData"),
    ),
    **dict.fromkeys(
        (
            "LoadImageFromFile", "LoadImageFromNDArray", "LoadSingleRSImageFromFile",
            "LoadMultipleRSImageFromFile", "LoadBiomedicalImageFromFile", "LoadBiomedicalData",
            "LoadAnnotations", "LoadBiomedicalAnnotation", "LoadDepthAnnotation",
            "LoadOneDLAnnotations",
        ),
        (_READS, "LoadRasters"),
    ),
}  # fmt: skip

FILLING = ("RandomRotate", "RandomRotFlip", "RandomMosaic")
"""Fill with 0 or another number what comes from outside the image."""

INTERPOLATING = (
    "Resize", "RandomResize", "RandomChoiceResize", "ResizeToMultiple", "ResizeShortestEdge",
)  # fmt: skip
LEAVE_NO_DATA = ("Geometric", "PadNoData", "RandomErase")


def check_pipeline(steps: Sequence[Any], inside: bool = False) -> None:
    """Refuse transforms that would spoil bands, masks or labels without an error.

    Args:
        steps: Configs of transforms, or transforms, in their order.
        inside: They are those of a ``Geometric``, which may fill and interpolate.

    Raises:
        ValueError: There is one, or one comes too late. The message names it and what to use.
    """
    no_data_since, packed = "", False
    for name, sheltered in _names(steps, inside):
        reason = remedy = ""
        if name in REFUSED:
            reason, remedy = REFUSED[name]
        elif name in FILLING and not sheltered:
            reason = "it fills with values that bands may have (0 dB is the brightest SAR)"
            remedy = f"dict(type='Geometric', transforms=[dict(type='{name}', …)])"
        elif name in INTERPOLATING and not sheltered and no_data_since:
            reason = f"it would spread the NaN of {no_data_since}, which comes before"
            remedy = f"dict(type='Geometric', transforms=[dict(type='{name}', …)])"
        elif name == "RandomErase" and sheltered:
            reason = "it would spread the NaN of its holes"
            remedy = "RandomErase behind Geometric"
        elif name == "SimulateClouds" and no_data_since:
            reason = f"it draws a new cloud mask, in which the no data of {no_data_since} is lost"
            remedy = f"SimulateClouds before {no_data_since}"
        elif name == "LoadRasters" and packed:
            reason, remedy = "there is nothing left to pack after PackCloudSegInputs", "it before"
        packed = packed or name == "PackCloudSegInputs"
        if reason:
            raise ValueError(
                f"{name} does not fit here in a pipeline of optical and SAR bands: {reason}. Use "
                f"{remedy} instead; docs/augmentation.md has a pipeline."
            )
        if name in LEAVE_NO_DATA:
            no_data_since = name


def check_datasets(config: Mapping[str, Any]) -> None:
    """Check the pipelines of a dataset's config before anything is built.

    A dataset of ours checks its own pipeline, but does not know that of a wrapper around it, such
    as ``MultiImageMixDataset``. Datasets of others may have any pipeline.

    Raises:
        ValueError: As :func:`check_pipeline`.
    """
    for leaf in inner_datasets(config):
        # By a method of theirs, because the datasets import this module.
        if hasattr(type_class(leaf, DATASETS), "list_samples"):
            own = () if leaf is config else config.get("pipeline", ())
            check_pipeline([*leaf.get("pipeline", ()), *own])
    inner = config.get("datasets", config.get("dataset"))
    for child in inner if isinstance(inner, (list, tuple)) else [inner]:
        if child is not None:
            check_datasets(child)


def _names(steps: Sequence[Any], sheltered: bool) -> Iterator[tuple[str, bool]]:
    """Names of the steps, and of those within them, and whether a ``Geometric`` runs them."""
    for step in steps:
        if isinstance(step, (list, tuple)):
            yield from _names(step, sheltered)
            continue
        name = _stock_name(step)
        is_config = isinstance(step, Mapping)
        children = step.get("transforms") if is_config else getattr(step, "transforms", None)
        if children is not None:
            children = children if isinstance(children, (list, tuple)) else [children]
            yield from _names(children, sheltered or name == "Geometric")
        yield name, sheltered


def _stock_name(step: Any) -> str:
    """The name that the lists above use; empty for a transform of another project."""
    config = step if isinstance(step, Mapping) else dict(type=type(step))
    name, made = type_name(config), config.get("type", "")
    package = made.rpartition(".")[0] if isinstance(made, str) else made.__module__.split(".")[0]
    if package not in ("", "mmcv", "mmseg", "mmcloudseg"):
        return ""
    return f"mmcv.{name}" if package == "mmcv" and f"mmcv.{name}" in REFUSED else name
