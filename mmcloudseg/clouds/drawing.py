"""Clouds over an image: their depth, their shadows, and the mask that they imply."""

import dataclasses
import functools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mmcloudseg.clouds.cover import cloud_cover
from mmcloudseg.clouds.kinds import CLOUD_KINDS, CloudKind
from mmcloudseg.clouds.octaves import octave_noise, uniform

REFERENCE_UM = 0.55
"""Wavelength at which optical depths and the mask's threshold are stated."""
MASK_THRESHOLD = 0.1
"""Opacity above which a pixel counts as cloudy: fainter veils are hard to see on the image."""
OPACITY_STEPS = 10_000
"""Opacity is a multiple of one part in this many, so that files hold it exactly."""

_DEPTH_STEPS = 1024  # optical depths are multiples of one part in this many
_LARGEST_DEPTH = 16.0
_FIELD_STEPS = 8192  # cloud fields are multiples of one part in this many standard deviations
_FIELD_REACH = 32768
_FRINGE = 0.3  # width of the faint veil outside the mask's edge, in widths of the edge
# A field's octaves make it rise faster than the distance from its contour does.
_FIELD_STEEPNESS = 2.2
# No depth lies this close to the threshold's, so that rounding moves no pixel across.
_GAP = 0.02
_BLOCK_PIXELS = 32_768
_RELIEF_M = 12.0  # over which a cloud's slope towards the sun is taken


@dataclass(frozen=True)
class Clouds:
    """One cloud field over an image.

    Attributes:
        thick: H x W optical depth of the thick layer.
        thin: H x W optical depth of the thin layer at ``REFERENCE_UM``.
        opacity: H x W share of the ground's light that is lost at ``REFERENCE_UM``, of both
            layers; a multiple of 1 / ``OPACITY_STEPS``.
        shading: H x W factor on the clouds' brightness, from their relief.
        shadow: H x W opacity of the cloud that stands between a pixel and the sun.
        angstrom: Exponent of the thin layer's fall with wavelength.
        threshold: Opacity above which a pixel counts as cloudy.
    """

    thick: NDArray[np.float32]
    thin: NDArray[np.float32]
    opacity: NDArray[np.float32]
    shading: NDArray[np.float32]
    shadow: NDArray[np.float32]
    angstrom: float = 1.0
    threshold: float = MASK_THRESHOLD

    @functools.cached_property
    def mask(self) -> NDArray[np.bool_]:
        """H x W, true where the opacity exceeds the threshold."""
        return self.opacity > self.threshold

    @property
    def cover(self) -> float:
        """Share of cloudy pixels."""
        return cloud_cover(self.mask)

    def rows(self, part: slice) -> "Clouds":
        """The same clouds over some rows of the image."""
        layers = ("thick", "thin", "opacity", "shading", "shadow")
        return dataclasses.replace(self, **{name: getattr(self, name)[part] for name in layers})

    def transmissions(self, wavelengths_um: Sequence[float]) -> list[NDArray[np.float32]]:
        """Share of the ground's light that passes, H x W for each band."""
        thick = transmission(self.thick)
        if not self.thin.any():
            return [thick] * len(wavelengths_um)
        ratios = [(um / REFERENCE_UM) ** -self.angstrom for um in wavelengths_um]
        return [thick * transmission(self.thin, ratio) for ratio in ratios]


def opacity(thick: NDArray[np.float32], thin: NDArray[np.float32]) -> NDArray[np.float32]:
    """Share of light that is lost in two layers, in whole steps of 1 / ``OPACITY_STEPS``."""
    lost = 1 - transmission(thick) * transmission(thin)
    return np.rint(lost * np.float32(OPACITY_STEPS)) / np.float32(OPACITY_STEPS)


def transmission(depth: NDArray[np.float32], ratio: float = 1.0) -> NDArray[np.float32]:
    """Share of light that passes an optical depth times a ratio.

    Looked up, because the last bit of a processor's ``exp`` is its own.
    """
    if not depth.any():
        return np.ones(depth.shape, np.float32)
    steps = (depth * np.float32(_DEPTH_STEPS) + np.float32(0.5)).astype(np.uint16)
    return np.take(_transmission_table(ratio), steps, mode="clip")


@functools.lru_cache(maxsize=64)
def _transmission_table(ratio: float) -> NDArray[np.float32]:
    depths = np.arange(int(_LARGEST_DEPTH * _DEPTH_STEPS) + 1) / _DEPTH_STEPS
    return np.exp(-ratio * depths).astype(np.float32)


def draw_clouds(
    rng: np.random.Generator,
    shape: tuple[int, int],
    gsd_m: float,
    cover: float,
    kind: CloudKind | str = "mixed",
    sun_azimuth_deg: float = 145.0,
    threshold: float = MASK_THRESHOLD,
    octaves: int = 8,
    mask: NDArray[np.bool_] | None = None,
) -> Clouds:
    """Draw clouds that cover a given share of an image.

    Args:
        rng: Source of the randomness, by its bit generator's raw bits.
        shape: Height and width in pixels.
        gsd_m: Side of a pixel in metres.
        cover: Share of pixels above the threshold, from 0 to 1. At exactly 0 nothing is drawn.
        kind: Depths, edges and sizes, or the name of one of ``CLOUD_KINDS``.
        sun_azimuth_deg: Direction of the sun, clockwise from north (up in the image).
        threshold: Opacity above which a pixel counts as cloudy.
        octaves: Of the cloud field.
        mask: H x W, a real mask whose place and shape the clouds take; ``cover`` is then unread.

    Returns:
        The clouds; their cover is that asked for, to the pixel where values differ.

    Raises:
        ValueError: If an argument is outside its range.
    """
    kind = _checked(shape, cover, kind, threshold, mask)
    if cover == 0 if mask is None else not mask.any():
        return _no_clouds(shape, kind.angstrom, threshold)
    towards_sun = _towards_sun(sun_azimuth_deg)
    shadow_m = uniform(rng, *kind.shadow_m)
    shift = tuple(round(part * shadow_m / gsd_m) for part in towards_sun)
    relief = tuple(round(part * max(_RELIEF_M / gsd_m, 1.5)) for part in towards_sun)
    # Clouds between the image and the sun throw shadows into it.
    border = tuple(_further(a, b) for a, b in zip(shift, relief, strict=True))
    canvas = tuple(side + abs(step) for side, step in zip(shape, border, strict=True))
    start = tuple(max(-step, 0) for step in border)

    def at(field: NDArray, step: tuple[int, int] = (0, 0)) -> NDArray:
        top, left = start[0] + step[0], start[1] + step[1]
        return field[top : top + shape[0], left : left + shape[1]]

    size_m = kind.size_m[0] * (kind.size_m[1] / kind.size_m[0]) ** uniform(rng, 0, 1)
    size_px = max(round(size_m / gsd_m, 6), 2.0)
    field = octave_noise(rng, canvas, size_px, octaves, kind.roughness)
    texture = octave_noise(rng, canvas, max(0.4 * size_px, 2.0), octaves, 0.8)
    if mask is None:
        inwards_m = _above_level(field, at, cover) * np.float32(size_px * gsd_m)
    else:
        inwards_m = _distance_to_edge(field, mask, border) * np.float32(_FIELD_STEEPNESS * gsd_m)
    thick, thin, lost = (np.empty(canvas, np.float32) for _ in range(3))
    for rows in row_blocks(canvas):
        thick[rows], thin[rows] = _depths(inwards_m[rows], texture[rows], kind, threshold)
        lost[rows] = opacity(thick[rows], thin[rows])
    shading = np.empty(shape, np.float32)
    layers, sunward = (at(thick), at(thin)), (at(thick, relief), at(thin, relief))
    for rows in row_blocks(shape):
        depth, sunward_depth = (a[rows] + b[rows] for a, b in (layers, sunward))
        shading[rows] = _shading(depth, sunward_depth)
    return Clouds(
        thick=layers[0],
        thin=layers[1],
        opacity=np.ascontiguousarray(at(lost)),
        shading=shading,
        shadow=at(lost, shift) if shadow_m else np.zeros(shape, np.float32),
        angstrom=kind.angstrom,
        threshold=threshold,
    )


def row_blocks(shape: tuple[int, int]) -> Iterator[slice]:
    """Rows to work on together: intermediate results of so few pixels stay in the cache."""
    step = max(_BLOCK_PIXELS // shape[1], 1)
    for start in range(0, shape[0], step):
        yield slice(start, start + step)


def _checked(
    shape: tuple[int, int],
    cover: float,
    kind: CloudKind | str,
    threshold: float,
    mask: NDArray[np.bool_] | None,
) -> CloudKind:
    if not 0 <= cover <= 1:
        raise ValueError(f"cover: expected a share from 0 to 1, found {cover}")
    if not 0.05 <= threshold <= 0.9:
        raise ValueError(f"threshold: expected an opacity from 0.05 to 0.9, found {threshold}")
    if mask is not None and (mask.shape != tuple(shape) or mask.dtype != bool):
        raise ValueError(
            f"mask: expected booleans of {tuple(shape)}, found {mask.dtype} of {mask.shape}"
        )
    if isinstance(kind, str):
        if kind not in CLOUD_KINDS:
            raise ValueError(f"kind: expected one of {sorted(CLOUD_KINDS)}, found {kind!r}")
        kind = CLOUD_KINDS[kind]
    return kind


def _no_clouds(shape: tuple[int, int], angstrom: float, threshold: float) -> Clouds:
    nothing = np.zeros(shape, np.float32)
    bright = np.ones(shape, np.float32)
    return Clouds(nothing, nothing, nothing, bright, nothing, angstrom, threshold)


def _towards_sun(azimuth_deg: float) -> tuple[float, float]:
    """Rows and columns per unit of length, without the last bits, which are the machine's own."""
    azimuth = math.radians(azimuth_deg)
    return -round(math.cos(azimuth), 9), round(math.sin(azimuth), 9)


def _further(a: int, b: int) -> int:
    return a if abs(a) >= abs(b) else b


def _above_level(
    field: NDArray[np.float32], at: Callable[[NDArray], NDArray], cover: float
) -> NDArray[np.float32]:
    """Height of the field above the level that leaves a share of the image above itself.

    The field rises by about one standard deviation over its features' size.
    """
    whole = np.empty(field.shape, np.uint16)
    for rows in row_blocks(field.shape):
        scaled = field[rows] * np.float32(_FIELD_STEPS) + np.float32(_FIELD_REACH)
        whole[rows] = np.clip(scaled, 0, 2 * _FIELD_REACH - 1)
    inside = at(whole)
    counts = np.zeros(2 * _FIELD_REACH, np.int64)
    for rows in row_blocks(inside.shape):
        counts += np.bincount(inside[rows].ravel(), minlength=len(counts))
    level = np.float32(_level(counts, cover))
    height = np.empty(field.shape, np.float32)
    for rows in row_blocks(field.shape):
        height[rows] = (whole[rows] - level) * np.float32(1 / _FIELD_STEPS)
    return height


def _level(counts: NDArray[np.int64], cover: float) -> int:
    """Value above which lies the share of pixels nearest to that wanted."""
    if cover == 1:
        return -1
    above = counts.sum() - np.cumsum(counts)
    # Partial cover has at least a cloudy and a clear pixel.
    wanted = min(max(cover * counts.sum(), 1), counts.sum() - 1)
    return int(np.argmin(np.abs(above - wanted)))


def _distance_to_edge(
    field: NDArray[np.float32], mask: NDArray[np.bool_], border: tuple[int, int]
) -> NDArray[np.float32]:
    """Pixels to a mask's edge, positive inside and negative outside, made uneven by a field."""
    width = [(max(-step, 0), max(step, 0)) for step in border]
    mask = np.pad(mask, width, mode="edge")
    if mask.all():
        return np.full(mask.shape, sum(mask.shape), np.float32)
    inside = ndimage.distance_transform_edt(mask).astype(np.float32)
    outside = ndimage.distance_transform_edt(~mask).astype(np.float32)
    return np.where(mask, inside * np.clip(1 + np.float32(0.35) * field, 0.25, 2), -outside)


def _depths(
    inwards_m: NDArray[np.float32],
    texture: NDArray[np.float32],
    kind: CloudKind,
    threshold: float,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
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
    # The edge itself belongs to the layer that the kind is made of.
    if kind.thin_depth:
        thin += veil
    else:
        thick += veil
    return _whole_steps(thick), _whole_steps(thin)


def _whole_steps(depth: NDArray[np.float32]) -> NDArray[np.float32]:
    steps = np.rint(np.minimum(depth, _LARGEST_DEPTH) * np.float32(_DEPTH_STEPS))
    return steps * np.float32(1 / _DEPTH_STEPS)


def _ramp(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Smooth step from exactly 0 below 0 to exactly 1 above 1."""
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)


def _shading(depth: NDArray[np.float32], sunward: NDArray[np.float32]) -> NDArray[np.float32]:
    """Brighter where a cloud's top falls towards the sun, as its depth does; 1 on level cloud."""
    return 1 + np.clip(np.float32(0.05) * (depth - sunward), -0.12, 0.12)
