"""Names of a scene's files, and what is recorded in them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from mmcloudseg.scenes.network import TileNetwork
from mmcloudseg.scenes.products import Product
from mmcloudseg.version import __version__


def output_files(out: Path, wanted: Sequence[Product], quicklook: bool) -> dict[str, Path]:
    """The final name of each product, of the map's style and of the picture.

    Raises:
        ValueError: ``out`` is no name of a GeoTIFF.
    """
    if out.suffix.lower() not in (".tif", ".tiff"):
        raise ValueError(f"{out}: the map is a GeoTIFF, so its name ends in .tif or .tiff")
    files = {
        product.name: out
        if product.name == "map"
        else out.with_name(f"{out.stem}_{product.name}{out.suffix}")
        for product in wanted
    }
    files["style"] = out.with_suffix(".qml")
    if quicklook:
        files["quicklook"] = out.with_suffix(".png")
    return files


def check_output(
    files: Mapping[str, Path], sources: Sequence[str | None], overwrite: bool, resume: bool
) -> None:
    """Refuse to replace what must not be replaced.

    The map comes last. A run that was stopped just before it has named the others already, and may
    name them again when it is resumed.

    Raises:
        ValueError: An output is an input, or is there already and ``overwrite`` is not given.
    """
    inputs = {os.path.realpath(source) for source in sources if source}
    for name, path in files.items():
        if os.path.realpath(path) in inputs:
            raise ValueError(f"{path}: is an input; choose another name for the output")
        if path.exists() and not overwrite and (name == "map" or not resume):
            raise ValueError(f"{path}: is there already; choose another name, or --overwrite")


def identity(path: str) -> dict[str, Any]:
    """What tells that a file is another one than before."""
    if not os.path.exists(path):  # a remote one
        return dict(path=path)
    stat = os.stat(path)
    return dict(path=os.path.realpath(path), bytes=stat.st_size, changed_ns=stat.st_mtime_ns)


def provenance(network: TileNetwork, optical: str, sar: str | None) -> dict[str, str]:
    """Tags that say by what and of what a raster was made."""
    now = datetime.now(timezone.utc)
    return dict(
        TIFFTAG_SOFTWARE=f"mmcloudseg {__version__}",
        TIFFTAG_DATETIME=f"{now:%Y:%m:%d %H:%M:%S}",
        model_config=Path(network.config).name,
        checkpoint=Path(network.checkpoint).name,
        checkpoint_sha256=network.sha256,
        optical=_name(optical),
        sar=_name(sar) if sar else "none",
    )


def _name(path: str) -> str:
    return path.rstrip("/").rsplit("/", 1)[-1]
