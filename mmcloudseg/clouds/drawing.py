"""Clouds over an image: where they are, how deep they are, and their shadows."""

import math

import numpy as np

from mmcloudseg.clouds.kinds import CLOUD_KINDS, CloudKind
from mmcloudseg.clouds.layers import (
    DEPTH_STEPS,
    LARGEST_DEPTH,
    MASK_THRESHOLD,
    Clouds,
    Layer,
    Mask,
    opacity,
    row_blocks,
)
from mmcloudseg.clouds.octaves import octave_noise, uniform
from mmcloudseg.clouds.shapes import Canvas, distance_to_edge, height_above_level

_FRINGE = 0.3  # width of the faint veil outside the mask's edge, in widths of the edge
# A field of several octaves rises faster than the distance from its contour.
_FIELD_STEEPNESS = 2.2
# No depth lies this close to the threshold's, so that rounding moves no pixel across.
_GAP = 0.02
_RELIEF_M = 12.0  # over which a cloud's slope towards the sun is taken


def draw_clouds(
    rng: np.random.Generator,
    shape: tuple[int, int],
    gsd_m: float,
    cover: float | Mask,
    kind: CloudKind | str = "mixed",
    sun_azimuth_deg: float = 145.0,
    threshold: float = MASK_THRESHOLD,
    octaves: int = 8,
) -> Clouds:
    """Draw clouds that cover a given share of an image, or a given mask.

    Args:
        rng: Source of the randomness, by its bit generator's raw bits.
        shape: Height and width in pixels.
        gsd_m: Side of a pixel in metres.
        cover: Share of pixels above the threshold, from 0 to 1, which is met to the pixel where
            values differ, or an H x W mask whose place and shape the clouds take. At exactly 0,
            and for an empty mask, nothing is drawn.
        kind: Depths, edges and sizes, or the name of one of ``CLOUD_KINDS``.
        sun_azimuth_deg: Direction of the sun, clockwise from north (up in the image).
        threshold: Opacity above which a pixel counts as cloudy.
        octaves: Number of octaves of the cloud field.

    Raises:
        ValueError: If an argument is outside its range.
    """
    kind = _checked(shape, cover, kind, threshold)
    nothing = np.zeros(shape, np.float32)
    if not np.any(cover):
        return Clouds(nothing, nothing, nothing, 1 + nothing, nothing, kind.angstrom, threshold)
    azimuth = math.radians(sun_azimuth_deg)
    # Rows and columns per unit of length, without the last bits, which vary between machines.
    down, right = -round(math.cos(azimuth), 9), round(math.sin(azimuth), 9)
    shadow_m = uniform(rng, *kind.shadow_m)
    shift = round(down * shadow_m / gsd_m), round(right * shadow_m / gsd_m)
    relief_px = max(_RELIEF_M / gsd_m, 1.5)
    relief = round(down * relief_px), round(right * relief_px)
    canvas = Canvas(shape, (max(shift[0], relief[0], key=abs), max(shift[1], relief[1], key=abs)))

    size_m = kind.size_m[0] * (kind.size_m[1] / kind.size_m[0]) ** uniform(rng, 0, 1)
    size_px = max(round(size_m / gsd_m, 6), 2.0)
    field = octave_noise(rng, canvas.shape, size_px, octaves, kind.roughness)
    texture = octave_noise(rng, canvas.shape, max(0.4 * size_px, 2.0), octaves, 0.8)
    if isinstance(cover, np.ndarray):
        inwards_m = distance_to_edge(field, canvas, cover) * np.float32(_FIELD_STEEPNESS * gsd_m)
    else:
        inwards_m = height_above_level(field, canvas, cover) * np.float32(size_px * gsd_m)

    thick, thin, lost = (np.empty(canvas.shape, np.float32) for _ in range(3))
    for rows in row_blocks(canvas.shape):
        thick[rows], thin[rows] = _depths(inwards_m[rows], texture[rows], kind, threshold)
        lost[rows] = opacity(thick[rows], thin[rows])
    return Clouds(
        thick=canvas.image(thick),
        thin=canvas.image(thin),
        opacity=np.ascontiguousarray(canvas.image(lost)),
        shading=_shading(canvas, thick, thin, relief),
        shadow=canvas.image(lost, shift) if shadow_m else nothing,
        angstrom=kind.angstrom,
        threshold=threshold,
    )


def _checked(
    shape: tuple[int, int], cover: float | Mask, kind: CloudKind | str, threshold: float
) -> CloudKind:
    if isinstance(cover, np.ndarray):
        if cover.shape != tuple(shape) or cover.dtype != bool:
            raise ValueError(
                f"mask: expected booleans of {tuple(shape)}, found {cover.dtype} of {cover.shape}"
            )
    elif not 0 <= cover <= 1:
        raise ValueError(f"cover: expected a share from 0 to 1, found {cover}")
    if not 0.05 <= threshold <= 0.9:
        raise ValueError(f"threshold: expected an opacity from 0.05 to 0.9, found {threshold}")
    if isinstance(kind, CloudKind):
        return kind
    if kind not in CLOUD_KINDS:
        raise ValueError(f"kind: expected one of {sorted(CLOUD_KINDS)}, found {kind!r}")
    return CLOUD_KINDS[kind]


def _depths(
    inwards_m: Layer, texture: Layer, kind: CloudKind, threshold: float
) -> tuple[Layer, Layer]:
    """Optical depth of both layers, in whole steps."""
    edge_depth = -math.log1p(-threshold)
    # Bends off smoothly: a clipped texture would leave level patches.
    factor = 1 + np.float32(kind.texture) * (texture / (1 + np.float32(0.4) * np.abs(texture)))
    core_m = inwards_m - np.float32(kind.core_m)
    thick = np.float32(kind.thick_depth) * _ramp(core_m / np.float32(kind.thick_edge_m)) * factor
    thin = np.float32(kind.thin_depth) * _ramp(inwards_m / np.float32(kind.thin_edge_m)) * factor
    fringe_m = _FRINGE * (kind.thin_edge_m if kind.thin_depth else kind.thick_edge_m)
    fringe = np.float32((1 - _GAP) * edge_depth) * _ramp(1 + inwards_m / np.float32(fringe_m))
    veil = np.where(inwards_m > 0, np.float32((1 + _GAP) * edge_depth), fringe)
    edge = thin if kind.thin_depth else thick  # the layer that the kind consists of
    edge += veil
    return _whole_steps(thick), _whole_steps(thin)


def _whole_steps(depth: Layer) -> Layer:
    steps = np.rint(np.minimum(depth, LARGEST_DEPTH) * np.float32(DEPTH_STEPS))
    return steps * np.float32(1 / DEPTH_STEPS)


def _ramp(x: Layer) -> Layer:
    """Smooth step from exactly 0 below 0 to exactly 1 above 1."""
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)


def _shading(canvas: Canvas, thick: Layer, thin: Layer, relief: tuple[int, int]) -> Layer:
    """Brighter where a cloud's top falls towards the sun, as its depth does; 1 on level cloud."""
    shading = np.empty(canvas.image_shape, np.float32)
    here = canvas.image(thick), canvas.image(thin)
    sunward = canvas.image(thick, relief), canvas.image(thin, relief)
    for rows in row_blocks(shading.shape):
        depth, sunward_depth = (a[rows] + b[rows] for a, b in (here, sunward))
        slope = np.float32(0.05) * (depth - sunward_depth)
        shading[rows] = 1 + np.clip(slope, -0.12, 0.12)
    return shading
