"""The offset of 1000 that Sentinel-2 products carry since processing baseline 04.00."""

from __future__ import annotations

import re

from mmcloudseg.rasters.images import BandReader

_FIRST_BASELINE = 400
_FIRST_DAY = 20220125
"""From this day on all products are of that baseline."""
# S2A_MSIL2A_20230610T103629_N0509_R008_T32UNE_20230610T165900; some archives leave N0509 out.
_PRODUCT = re.compile(r"S2[A-D]_MSIL[12][AC]_(\d{8})T\d{6}_(?:N(\d{2})(\d{2})_)?R\d{3}")


def unsaid_offset(reader: BandReader) -> str | None:
    """Say that a file is of such a product, if nothing tells whether the offset is still in it.

    By the product's name in the path, or by the tag ``PROCESSING_BASELINE``; by the date if a name
    has no baseline. Nothing is said of files whose GDAL tags state an offset, or that do not hold
    integers.
    """
    source = reader.source
    integers = str(source.dtypes[0]).startswith(("uint", "int"))
    if not integers or any(reader.conversion.offset):
        return None
    tags = {key.upper(): value for key, value in source.tags().items()}
    baseline = tags.get("PROCESSING_BASELINE") or _baseline_of(reader.path)
    digits = re.sub(r"\D", "", baseline).ljust(4, "0") if baseline else ""
    if not digits or int(digits[:4]) < _FIRST_BASELINE:
        return None
    return (
        f"{reader.path}: is of a Sentinel-2 product of processing baseline {baseline}, which adds "
        "1000 to all values, but nothing says whether the offset has been taken away. State "
        "radiometry=dict(optical=dict(offset=-1000)), or offset=0 if it has; of a scene, "
        "--offset -1000 or --offset 0."
    )


def _baseline_of(path: str) -> str:
    match = _PRODUCT.search(path)
    if match is None:
        return ""
    if match[2]:
        return f"{match[2]}.{match[3]}"
    return "04.00" if int(match[1]) >= _FIRST_DAY else ""
