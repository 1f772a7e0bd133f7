"""What was found in a user's folder, in words."""

from __future__ import annotations

from collections.abc import Iterator

from mmcloudseg.datasets.own.folders import described
from mmcloudseg.datasets.own.images import Images
from mmcloudseg.datasets.own.survey import OwnData


def report(data: OwnData) -> Iterator[str]:
    """Lines on modalities, samples, classes, grids and splits; what is odd comes last."""
    first = next(iter(data.samples.values()))
    yield f"{data.root}: {len(data.samples)} samples, such as {', '.join(first.values())}"
    for key, folder in data.folders.items():
        place = f"{folder}/" if folder else ""
        yield f"  {described(key)}s: {data.counts[key]} files {place}*{data.suffixes[key]}"
        yield f"    {data.grids.described[key]}"
        if key in ("img_path", "sar_path"):
            yield from _images(data.optical if key == "img_path" else data.sar)
        elif key == "seg_map_path":
            yield f"    codes: {data.codes.shares()}"
            for index, name in enumerate(data.legend.classes):
                codes = [f"{c:g}" for c, i in data.legend.codes.items() if i == index]
                yield f"      {index} {name}: {', '.join(codes)}"
        elif key == "cloud_mask_path" and data.mask_codes:
            found = data.mask_codes
            few = len(found.found) <= 12
            yield f"    values: {found.shares() if few else f'{len(found.found)} different ones'}"
            settings = ", ".join(f"{k}={v!r}" for k, v in data.mask_settings.items())
            yield f"    taken as: {settings or '0 clear, 1 cloud'}"
    if not data.cloud_free:
        yield "  no cloud-free images: no cloud removal and no teacher"
    if "cloud_mask_path" not in data.folders:
        yield "  no cloud masks: scores do not tell cloudy pixels from others"
    scales = [f"{name} {scale}" for name, scale in data.grids.scales.items()]
    fit = "warped to the optical grid" if data.grids.warp else "the files of a sample fit"
    yield f"  grids: {', '.join([fit, *scales])}"
    counts = ", ".join(f"{name} {len(names)}" for name, names in data.splits.items())
    yield f"  splits: {counts}; {data.rule}"
    doubts = [data.optical.unit.doubt, data.sar.unit.doubt, data.legend.doubt, data.mask_doubt]
    yield from (f"  to confirm: {doubt}" for doubt in doubts if doubt)
    yield from (f"  note: {note}" for note in data.notes)


def _images(images: Images) -> Iterator[str]:
    names = f" ({', '.join(images.names)})" if images.names else ", not named"
    yield f"    {images.count} band(s){names}: {images.unit.text}"
    if images.tagged:
        yield f"    GDAL scale {images.tagged[0]:g} and offset {images.tagged[1]:g}"
    if images.offset is not None:
        yield f"    Sentinel-2's offset: {images.offset:g} is added"
