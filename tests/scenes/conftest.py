"""Fixtures of scenes."""

from __future__ import annotations

import functools

import pytest
from scene_files import make_model, optical_bands, sar_bands, write


@pytest.fixture
def pixel_model(tmp_path):
    """Makes config and checkpoint of the network: call it with the label scale."""
    return functools.partial(make_model, tmp_path)


@pytest.fixture
def pair(tmp_path):
    """An optical and a SAR image on one grid of 130 x 170 pixels of 3 m."""
    optical = write(tmp_path / "optical.tif", optical_bands(), nodata=0)
    return optical, write(tmp_path / "sar.tif", sar_bands(), nodata=float("nan"))
