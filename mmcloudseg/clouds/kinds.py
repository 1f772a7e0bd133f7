"""Kinds of clouds: their depth, size and edges, their colour and their shadows."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mmcloudseg.clouds.octaves import uniform


@dataclass(frozen=True)
class CloudKind:
    """What clouds of a kind have in common.

    Attributes:
        thick_depth: Optical depth in the cores of the thick layer, 0 for none. Its droplets
            scatter all bands alike.
        thin_depth: Optical depth of the thin layer at 0.55 micrometres, 0 for none.
        angstrom: How the thin layer's depth falls with wavelength, as wavelength ** -angstrom: 0
            for droplets, 1 and more for haze.
        thick_edge_m: Distance over which the thick layer reaches its depth.
        thin_edge_m: The same for the thin layer.
        core_m: Distance from the cloud's edge at which the thick layer begins.
        size_m: Smallest and largest size of the largest features.
        roughness: Of the field's octaves; see ``octave_noise``.
        texture: How much the depth varies inside, 0 to 1.
        shadow_m: Smallest and largest distance on the ground between cloud and shadow; (0, 0) for
            clouds without shadows.
    """

    thick_depth: float = 0.0
    thin_depth: float = 0.0
    angstrom: float = 0.5
    thick_edge_m: float = 800.0
    thin_edge_m: float = 450.0
    core_m: float = 0.0
    size_m: tuple[float, float] = (220.0, 700.0)
    roughness: float = 1.15
    texture: float = 0.2
    shadow_m: tuple[float, float] = (60.0, 260.0)


# Depths, edges, sizes and roughness are those that come closest to the real clouds of M3M-CR, as
# measured by projects/cloud_realism/compare_clouds.py.
CLOUD_KINDS = {
    # Banks of cumulus and stratocumulus that hide the ground.
    "thick": CloudKind(thick_depth=7.0, size_m=(220, 600)),
    # Cirrus and altostratus veils, bluish and far from their shadows.
    "thin": CloudKind(thin_depth=0.8, shadow_m=(150, 400)),
    # A smooth bank on the ground, which casts no shadow.
    "fog": CloudKind(
        thin_depth=1.1,
        angstrom=0.1,
        thin_edge_m=700,
        size_m=(400, 1600),
        roughness=1.6,
        texture=0.12,
        shadow_m=(0, 0),
    ),
    # Single small cumulus with firm edges.
    "local": CloudKind(thick_depth=5.0, thick_edge_m=250, size_m=(80, 160), roughness=1.2),
    # Thick cores in a veil that reaches beyond them.
    "mixed": CloudKind(
        thick_depth=5.5, thin_depth=0.5, thick_edge_m=600, thin_edge_m=550, core_m=40
    ),
}
# How often each kind is drawn by default.
KIND_ODDS = {"thick": 0.25, "thin": 0.25, "fog": 0.1, "local": 0.1, "mixed": 0.3}


def choose_kind(rng: np.random.Generator, kind: str | Mapping[str, float]) -> str:
    """Draw the name of a kind by its odds; a name stands for itself.

    Raises:
        ValueError: If a name is unknown, or odds are negative or all zero.
    """
    odds = {kind: 1.0} if isinstance(kind, str) else dict(kind)
    unknown = sorted(set(odds) - set(CLOUD_KINDS))
    if unknown or not odds:
        raise ValueError(f"kind: expected some of {sorted(CLOUD_KINDS)}, found {unknown or kind}")
    total = sum(odds.values())
    if min(odds.values()) < 0 or total <= 0:
        raise ValueError(f"kind: expected odds from 0 that are not all 0, found {odds}")
    place = uniform(rng, 0, total)
    for name, share in odds.items():
        if place < share:
            return name
        place -= share
    return name
