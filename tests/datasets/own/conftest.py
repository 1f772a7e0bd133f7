"""Folders such as users have, small, and made of random values of stated units."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from own_files import CORNER, write

SIDE = 128


@pytest.fixture
def make(tmp_path) -> Callable[..., Path]:
    """``make(names, optical="optical/{}.tif", …)``: writes a file of each kind for each name.

    Kinds that are None are left out; ``step_m`` is how far samples lie apart to the east, and
    ``draw`` maps kinds to functions of a random generator that draw their pixels.
    """

    def make(
        names=tuple(f"place_{i}" for i in range(8)),
        step_m=10_000,
        optical="optical/{}.tif",
        sar="sar/{}.tif",
        label="labels/{}.tif",
        clear=None,
        mask=None,
        draw=None,
    ) -> Path:
        rng = np.random.default_rng(0)
        templates = dict(optical=optical, sar=sar, label=label, clear=clear, mask=mask)
        for index, name in enumerate(names):
            corner = (CORNER[0] + index * step_m, CORNER[1])
            for kind, template in templates.items():
                if template:
                    pixels = {**DRAWN, **(draw or {})}[kind](rng)
                    write(tmp_path / "data" / template.format(name), pixels, corner=corner)
        return tmp_path / "data"

    return make


def codes(*choice: int) -> Callable:
    return lambda rng: rng.choice(choice, (SIDE, SIDE)).astype(np.uint8)


DRAWN = dict(
    optical=lambda rng: rng.integers(200, 4000, (4, SIDE, SIDE)).astype(np.uint16),
    clear=lambda rng: rng.integers(200, 4000, (4, SIDE, SIDE)).astype(np.uint16),
    sar=lambda rng: rng.normal([[[-9]], [[-16]]], 2, (2, SIDE, SIDE)).astype(np.float32),
    label=codes(1, 2, 5),
    mask=codes(0, 1),
)
