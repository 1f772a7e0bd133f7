"""Lists and checksums of tiles: two folders with the same tiles have the same manifest."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from mmcloudseg.utils.files import write_text

SPLITS = ("train", "val", "test")
MODALITIES = ("optical", "sar", "label", "cloudy", "cloud_opacity", "cloud_mask")
COLUMNS = ("split", "name", *MODALITIES)
MANIFEST = "manifest.csv"
CHECKSUM_BYTES = 16

Row = Mapping[str, str]
"""One tile: its split, its name, and the checksum of each modality's pixels ('' for none)."""


def pixel_checksum(pixels: np.ndarray) -> str:
    """BLAKE2b of an image's type, shape and pixels, whatever the compression of its file.

    Args:
        pixels: Bands x H x W.

    Returns:
        32 hexadecimal digits.
    """
    digest = hashlib.blake2b(digest_size=CHECKSUM_BYTES)
    digest.update(f"{pixels.dtype.name} {'x'.join(map(str, pixels.shape))}\n".encode())
    # The same bytes on machines of either byte order.
    digest.update(np.ascontiguousarray(pixels, pixels.dtype.newbyteorder("<")).data)
    return digest.hexdigest()


def write_manifest(folder: Path, rows: Iterable[Row]) -> None:
    """Write ``train.txt``, ``val.txt``, ``test.txt`` and, last, ``manifest.csv``, all sorted."""
    rows = sorted(rows, key=lambda row: (SPLITS.index(row["split"]), row["name"]))
    for split in SPLITS:
        names = [row["name"] for row in rows if row["split"] == split]
        write_text(folder / f"{split}.txt", "".join(f"{name}\n" for name in names))
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(folder / MANIFEST, text.getvalue())


def read_manifest(folder: Path) -> list[Row]:
    """The rows of a folder's manifest."""
    with open(folder / MANIFEST, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def manifest_digest(folder: Path) -> str:
    """One checksum of the whole manifest, by which two copies can be compared."""
    content = (folder / MANIFEST).read_bytes()
    return hashlib.blake2b(content, digest_size=CHECKSUM_BYTES).hexdigest()
