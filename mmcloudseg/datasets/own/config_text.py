"""The text of a base config that describes a user's data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from mmcloudseg.datasets.own.images import Images
from mmcloudseg.datasets.own.survey import OwnData
from mmcloudseg.datasets.own.units import Unit
from mmcloudseg.rasters.band_names import canonical_names
from mmcloudseg.rasters.sensors import BAND_UM, SENTINEL2_UM

CHANGE = "# CHANGE:"
_SENTINEL2 = ("B1", "B2", "B3", "B4", "B5", "B6", "B7", "B8", "B8A", "B9", "B10", "B11", "B12")
_USUAL = {
    ("optical", 3): ("red", "green", "blue"),
    ("optical", 4): ("blue", "green", "red", "nir"),
    ("optical", 13): _SENTINEL2,
    ("sar", 1): ("VV",),
    ("sar", 2): ("VV", "VH"),
}
_METRES_PER_DEGREE = 111_320
_TEMPLATE = """# {name}: written by tools/new_dataset.py; lines with CHANGE need your word.
data_root = "{root}"

# What these data ask of CloudSeg's networks.
network = dict(
    data_preprocessor=dict(
        type="CloudSegDataPreprocessor",
        # Optical: {optical_text}.{optical_doubt}
        optical=dict({optical_range}),
        # SAR: {sar_text}.{sar_doubt}
        sar=dict({sar_range}),
    ),
    backbone=dict(bands=dict(optical={optical_count}, sar={sar_count})),
    decode_head=dict(num_classes={num_classes}),
    test_cfg=dict(crop_size=({crop}, {crop}), stride=({stride}, {stride})),
)

dataset = dict(
    type="OpticalSARDataset",
    data_root=data_root,
    metainfo=dict(
{metainfo}
    ),
    data_prefix=dict({folders}),
{settings}
)

load = [
    dict(type="LoadRasters", modalities={modalities}),
    dict(type="PackCloudSegInputs"),
]
train_pipeline = {train_pipeline}

# {rule}.
train_dataloader = dict(
    batch_size={batch},
    num_workers={workers},
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type="{sampler}", shuffle=True),
    dataset=dict(dataset, ann_file="{train}", pipeline=train_pipeline),
)
val_dataloader = dict(
    batch_size=1,
    num_workers={workers},
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(dataset, ann_file="{val}", pipeline=load),{val_note}
)
test_dataloader = dict(
    batch_size=1,
    num_workers={workers},
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(dataset, ann_file="{test}", pipeline=load),{test_note}
)

val_evaluator = [dict(type="CloudIoUMetric")]
land_cover_metrics = [dict(type="CloudIoUMetric"), dict(type="CalibrationMetric")]
cloud_removal_metrics = [*land_cover_metrics, dict(type="CloudRemovalMetric")]
test_evaluator = dict(type="CloudSegEvaluator", metrics=land_cover_metrics)
"""


def dataset_text(data: OwnData, lists: Mapping[str, Path], crop_size: int, small: bool) -> str:
    """Write the base config.

    Args:
        data: What was found.
        lists: Split -> its list; a split without samples has none.
        crop_size: Longest side of training crops in optical pixels.
        small: For a training of 400 iterations on a CPU.
    """
    crop, step = data.grids.crop(crop_size)
    whole = all(header.shape == (crop, crop) for header in data.grids.headers.values())
    cut = f'dict(type="AlignedRandomCrop", crop_size={crop}, step={step})'
    modalities = ["optical", "sar", *(["cloud_free"] if data.cloud_free else [])]
    missing = "the training samples, as no others were set aside"
    text = _TEMPLATE.format(
        name=lists["train"].stem.removesuffix("_train"),
        root=data.root,
        optical_text=data.optical.unit.text,
        optical_doubt=_doubt(data.optical.unit),
        optical_range=_range(data.optical.unit),
        sar_text=data.sar.unit.text,
        sar_doubt=_doubt(data.sar.unit),
        sar_range=_range(data.sar.unit),
        optical_count=data.optical.count,
        sar_count=data.sar.count,
        num_classes=len(data.legend.classes),
        crop=crop,
        stride=max(crop // 2, 1),
        metainfo=_indented(_metainfo(data), 8),
        folders=", ".join(f'{key}="{folder}"' for key, folder in data.folders.items()),
        settings=_indented(_settings(data), 4),
        modalities=_listed(modalities),
        train_pipeline="load" if whole else f"[{cut}, *load]",
        rule=data.rule[0].upper() + data.rule[1:],
        batch=min(4 if small else 8, len(data.splits["train"])),
        workers=1 if small else 4,
        sampler="InfiniteSampler" if small else "DefaultSampler",
        train=lists["train"],
        val=lists.get("val", lists["train"]),
        val_note="" if "val" in lists else f"  # {missing}",
        test=lists.get("test", lists["train"]),
        test_note="" if "test" in lists else f"  # {missing}",
    )
    return text + _simulated_clouds(data)


def _metainfo(data: OwnData) -> list[str]:
    legend = data.legend
    doubt = f"  {CHANGE} {legend.doubt}" if legend.doubt else ""
    lines = [
        f"classes={_listed(legend.classes)},{doubt}",
        f"palette={[list(colour) for colour in legend.palette]},",
    ]
    named, unnamed = [], []
    for modality, images in (("optical", data.optical), ("sar", data.sar)):
        if images.names:
            named.append(f"{modality}={_listed(images.names)}")
        else:
            usual = _USUAL.get((modality, images.count))
            unnamed.append(f"{modality}={_listed(usual) if usual else '[…]'}")
    if unnamed:
        lines.append(f"{CHANGE} the files do not name these bands; if these are they, state")
        lines.append(f"# bands=dict({', '.join([*named, *unnamed])}),")
    if named:
        lines.append(f"bands=dict({', '.join(named)}),")
    return lines


def _settings(data: OwnData) -> list[str]:
    lines = [f'{key.replace("_path", "_suffix")}="{end}",' for key, end in data.suffixes.items()]
    units = [
        f"{modality}=dict({stated})"
        for modality, images in (("optical", data.optical), ("sar", data.sar))
        if (stated := _radiometry(images))
    ]
    if units:
        lines.append(f"radiometry=dict({', '.join(units)}),")
    lines.append(f"label_codes={dict(data.legend.codes)},")
    if data.grids.warp:
        lines.append('align="warp",  # the grids differ')
    for name, scale in data.grids.scales.items():
        number = f"{scale.numerator} / {scale.denominator}" if _recurring(scale) else float(scale)
        lines.append(f"{name}={number},  # pixels per optical pixel")
    doubt = f"  {CHANGE} {data.mask_doubt}" if data.mask_doubt else ""
    for name, value in data.mask_settings.items():
        text = f'"{value}"' if isinstance(value, str) else _dict_text(value)
        lines.append(f"{name}={text},{doubt}")
    return lines


def _radiometry(images: Images) -> str:
    stated = [f'unit="{images.unit.name}"'] if images.unit.name else []
    if images.offset is not None:
        stated.append(f"offset={images.offset:g}")
    return ", ".join(stated)


def _simulated_clouds(data: OwnData) -> str:
    """What ``tools/robustness.py`` needs, if bands and pixel size are known."""
    names = canonical_names(data.optical.names)
    centres = [BAND_UM.get(name) for name in names]
    if len(names) == len(SENTINEL2_UM) and "cirrus" in names:
        centres = list(SENTINEL2_UM)
    header = next(iter(data.grids.headers.values()))
    if not names or not all(centres) or header.transform is None or header.crs is None:
        return ""
    metres = abs(header.transform.a) * (_METRES_PER_DEGREE if header.crs.is_geographic else 1)
    return (
        "\n# Clouds as this sensor sees them, for tools/robustness.py.\n"
        f'simulated_clouds = dict(type="SimulateClouds", gsd_m={metres:.4g}, '
        f"wavelengths_um={centres}, scale={data.optical.unit.high[0]:g})\n"
    )


def _doubt(unit: Unit) -> str:
    return f"\n        {CHANGE} {unit.doubt}." if unit.doubt else ""


def _range(unit: Unit) -> str:
    texts = []
    for name, values in (("low", unit.low), ("high", unit.high)):
        numbers = [int(v) if float(v).is_integer() else v for v in values]
        alike = len(numbers) > 4 and len(set(numbers)) == 1
        texts.append(f"{name}=[{numbers[0]}] * {len(numbers)}" if alike else f"{name}={numbers}")
    return ", ".join(texts)


def _recurring(scale: Fraction) -> bool:
    return scale.denominator % 3 == 0 or scale.denominator % 7 == 0 or scale.denominator > 20


def _listed(names: Sequence[str]) -> str:
    return "[" + ", ".join(f'"{name}"' for name in names) + "]"


def _dict_text(value: Any) -> str:
    if not isinstance(value, Mapping):
        return repr(value)
    return "dict(" + ", ".join(f"{key}={item!r}" for key, item in value.items()) + ")"


def _indented(lines: Sequence[str], spaces: int) -> str:
    return "\n".join(" " * spaces + line for line in lines)
