"""Bands by name: what files call their bands, and which of them are those of a model."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import rasterio

from mmcloudseg.utils.errors import DataError

# Common names of the STAC extension for electro-optical data, and other names for them.
COMMON_NAMES = {
    "coastal": ("coastal", "aerosol", "ultrablue"),
    "blue": ("blue", "b"),
    "green": ("green", "g"),
    "yellow": ("yellow",),
    "red": ("red", "r"),
    "rededge1": ("rededge1", "rededge071", "rededge", "re1"),
    "rededge2": ("rededge2", "rededge075", "re2"),
    "rededge3": ("rededge3", "rededge078", "re3"),
    "nir": ("nir", "nir1", "n"),
    "nir08": ("nir08", "nir2", "narrownir", "nirnarrow"),
    "nir09": ("nir09", "watervapour", "watervapor"),
    "cirrus": ("cirrus",),
    "swir1": ("swir1", "swir16"),
    "swir2": ("swir2", "swir22"),
    "pan": ("pan", "panchromatic"),
    **{polarisation: (polarisation,) for polarisation in ("vv", "vh", "hh", "hv")},
}
_KNOWN = {other: name for name, others in COMMON_NAMES.items() for other in others}
_SENTINEL2 = dict(
    zip(
        ("b1", "b2", "b3", "b4", "b5", "b6", "b7", "b8", "b8a", "b9", "b10", "b11", "b12"),
        ("coastal", "blue", "green", "red", "rededge1", "rededge2", "rededge3", "nir", "nir08",
         "nir09", "cirrus", "swir1", "swir2"),
        strict=True,
    )
)  # fmt: skip
_LANDSAT8 = dict(
    zip(
        ("b1", "b2", "b3", "b4", "b5", "b6", "b7"),
        ("coastal", "blue", "green", "red", "nir", "swir1", "swir2"),
        strict=True,
    )
)
_LANDSAT5 = dict(b1="blue", b2="green", b3="red", b4="nir", b5="swir1", b7="swir2")
_PHRASES = (
    (r"near[\s_-]*infra[\s_-]*red", "nir"),
    (r"short[\s_-]*wave[\s_-]*infra[\s_-]*red", "swir"),
    (r"(red[\s_-]*edge|swir|nir)[\s_-]*(\d+)", r"\1\2"),
    (r"red[\s_-]*edge", "rededge"),
    (r"water[\s_-]*vapou?r", "watervapour"),
    (r"coastal[\s_-]*aerosol", "coastal"),
)
_TAGS = ("common_name", "band_name", "bandname", "name", "description")


def file_band_names(source: rasterio.DatasetReader) -> tuple[str, ...]:
    """What a raster calls its bands; '' for bands without a name.

    By description, by a band's tags, or by colour, which GDAL makes up for 8-bit images only.
    """
    names, colours = [], source.dtypes[0] != "uint8"
    for band, description in zip(source.indexes, source.descriptions, strict=True):
        tags = {key.lower(): value for key, value in source.tags(band).items()}
        named = (tags[key] for key in _TAGS if tags.get(key))
        colour = source.colorinterp[band - 1].name if colours else ""
        names.append(description or next(named, colour if colour in COMMON_NAMES else ""))
    return tuple(names)


def canonical_names(names: Sequence[str]) -> list[str]:
    """One spelling for the names of an image's bands: a common name, or the name in lower case."""
    codes = [_code(name) for name in names]
    sensor = _sensor(names, codes)
    return [
        sensor.get(code) or _common(name) or code or name.strip().lower()
        for name, code in zip(names, codes, strict=True)
    ]


def match_bands(found: Sequence[str], wanted: Sequence[str], path: str) -> list[int] | None:
    """Find the bands of a file by name.

    Args:
        found: What the file calls its bands, '' for those without a name.
        wanted: Names of the bands wanted, in order.
        path: The file, for errors.

    Returns:
        The bands' numbers from 1, in the order wanted. None if names do not tell: the file has
        none, they are not names of spectral bands or polarisations, or they agree with the order.

    Raises:
        DataError: The file names other bands, or one of them twice.
    """
    plain = [name.strip().lower() for name in found]
    if wanted and all(plain.count(name.lower()) == 1 for name in wanted):
        return [plain.index(name.lower()) + 1 for name in wanted]
    there, here = canonical_names(found), canonical_names(wanted)
    if here and all(there.count(name) == 1 for name in here):
        return [there.index(name) + 1 for name in here]
    telling = [name for name in there if name in COMMON_NAMES]
    if not telling or not any(name in COMMON_NAMES for name in here):
        return None
    paired = len(there) == len(here) and all(
        a == b or a not in COMMON_NAMES for a, b in zip(there, here, strict=True)
    )
    if paired:
        return None
    raise DataError(
        f"{path}: names its bands {', '.join(name or '(none)' for name in found)}, but the bands "
        f"{', '.join(wanted)} are wanted, each once. Correct `bands` in the dataset's metainfo, "
        "or the names in the file (gdal_edit has no option for them: use rasterio's "
        "descriptions), or choose a file that holds these bands."
    )


def unread_names(found: Sequence[str], wanted: Sequence[str], path: str) -> str | None:
    """Say that a file's names of bands tell nothing, so that its own order counts; else None."""
    counted = all(re.fullmatch(r"\D*\d+|gr[ae]y|undefined|alpha|", name.lower()) for name in found)
    known = [name for name in canonical_names(found) if name in COMMON_NAMES]
    if counted or known or not any(name in COMMON_NAMES for name in canonical_names(wanted)):
        return None
    return (
        f"{path}: names its bands {', '.join(found)}, which is not understood: they are read in "
        f"this order as {', '.join(wanted)}. Check it, or rename them"
    )


def band_numbers(wanted: Iterable[int | str], names: Sequence[str], where: str) -> list[int]:
    """Turn a choice of bands, by number from 1 or by name, into numbers.

    Args:
        wanted: The choice.
        names: Names of all bands, in order; empty if they are not known.
        where: What an error calls the choice, such as ``LoadRasters(bands=…)``.

    Raises:
        ValueError: A name is not among ``names``.
    """
    known = canonical_names(names)
    numbers = []
    for band in wanted:
        if isinstance(band, str):
            (key,) = canonical_names([band]) if _code(band) == "" else [""]
            # A code such as B8 means what it means among the other names.
            literal = [i for i, name in enumerate(names) if _code(name) == _code(band) != ""]
            places = literal or [i for i, name in enumerate(known) if name == key]
            if len(places) != 1:
                listed = ", ".join(names) or "bands without names"
                raise ValueError(
                    f"{where}: no band {band!r} among {listed}. Name the bands of the files by "
                    "`bands` in the dataset's metainfo."
                )
            numbers.append(places[0] + 1)
        else:
            numbers.append(int(band))
    return numbers


def _code(name: str) -> str:
    """``b8a`` for ``B08A``, ``B8A``, ``SR_B8A``; '' for names that are no code."""
    match = re.fullmatch(r"(?:\w*_)?b(?:and)?[\s_-]?0*(\d{1,2}a?)(?:_\d+m)?", name.strip().lower())
    return f"b{match[1]}" if match else ""


def _sensor(names: Sequence[str], codes: Sequence[str]) -> dict[str, str]:
    """What the codes B1, B2, … of an image mean; empty if they may be those of any sensor."""
    found = set(codes)
    if any(name.lower().startswith("sr_b") for name in names):
        # Only one of the two families has the band 6; without 6 and 7, nothing tells them apart.
        return _LANDSAT8 if "b6" in found else _LANDSAT5 if "b7" in found else {}
    # Numbers without a gap may just count the bands of the file.
    counted = list(codes) == [f"b{number}" for number in range(1, len(codes) + 1)]
    sentinel = "b8a" in found or {"b4", "b8"} <= found
    return _SENTINEL2 if sentinel and not counted else {}


def _common(name: str) -> str:
    text = name.strip().lower()
    for pattern, replacement in _PHRASES:
        text = re.sub(pattern, replacement, text)
    whole = _KNOWN.get(re.sub(r"[^a-z0-9]", "", text), "")
    words = [word for word in re.split(r"[^a-z0-9]+", text) if len(word) > 1]
    tokens = [_KNOWN[word] for word in words if word in _KNOWN]
    return whole or (tokens[0] if len(set(tokens)) == 1 else "")
