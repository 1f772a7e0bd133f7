"""Fractal noise by octaves that is the same to the last bit on every machine.

Random numbers come from the generator's raw bits, and fields from sums and products of single
elements, which IEEE 754 rounds in one way. Fourier transforms, ``exp`` and long sums are not used,
because their last bits depend on the processor.
"""

import math

import numpy as np
from numpy.typing import NDArray

# Mean square of a cubic B-spline through white noise of unit variance, along one axis: the
# integral of the spline's square, 151/315.
_SPLINE_VARIANCE = 151 / 315
_LATTICE_VARIANCE = 1 / 3  # of numbers drawn evenly from -1 to 1
_BLOCK_POINTS = 16_384
_BORDER = 3  # points that each doubling of a cubic spline's lattice needs beyond its span


def uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """Draw one number evenly from [low, high), from raw bits."""
    return low + (high - low) * ((rng.bit_generator.random_raw() >> 11) * 2.0**-53)


def octave_noise(
    rng: np.random.Generator,
    shape: tuple[int, int],
    largest_px: float,
    octaves: int = 8,
    roughness: float = 1.0,
) -> NDArray[np.float32]:
    """Draw a fractal field: smooth random fields of halving size, added up.

    Each octave is a cubic B-spline through random values on a lattice; its amplitude falls with
    its size as ``size ** roughness``. Over many draws, the mean is 0 and the standard deviation
    about 1.

    Args:
        rng: Source of the randomness, by its bit generator's raw bits.
        shape: Height and width in pixels.
        largest_px: Size of the largest features in pixels.
        octaves: Number of sizes, including the largest; those below 2 pixels are left out.
        roughness: 0.5 gives ragged fields, 2 smooth ones.

    Raises:
        ValueError: If the size is below 2 pixels or there is no octave.
    """
    if largest_px < 2 or octaves < 1:
        raise ValueError(
            f"octave_noise: expected largest_px of at least 2 and at least one octave, found "
            f"{largest_px} and {octaves}"
        )
    top = max(math.ceil(math.log2(largest_px)), 1)
    amplitudes = _amplitudes(largest_px, top, octaves, roughness)
    total = math.sqrt(sum(a * a for a in amplitudes) * _LATTICE_VARIANCE) * _SPLINE_VARIANCE
    field = np.zeros(_lattice_shape(shape, 2**top), np.float32)
    for level in range(top, -1, -1):
        if level < top:
            field = _double(field)
            # Dropping a point at random at every doubling gives the lattice a random position.
            down, right = (int(x) for x in rng.bit_generator.random_raw(2) & np.uint64(1))
            size = _lattice_shape(shape, 2**level) if level else shape
            field = field[down : down + size[0], right : right + size[1]]
        if top - level < len(amplitudes) and level > 0:
            field = field + _lattice(rng, field.shape, amplitudes[top - level] / total)
    return np.ascontiguousarray(field)


def _amplitudes(largest_px: float, top: int, octaves: int, roughness: float) -> list[float]:
    """Of each octave from the largest on; the lattice above ``largest_px`` counts in part."""
    between = 2**top > largest_px
    sizes = [2.0 ** (top - i) for i in range(min(octaves + between, top))]
    amplitudes = [(size / largest_px) ** roughness for size in sizes]
    # 1 where the lattice is as large as the features wanted, 0 where it is twice as large.
    amplitudes[0] *= 2 - sizes[0] / largest_px if between and len(sizes) > 1 else 1.0
    return amplitudes


def _lattice_shape(shape: tuple[int, int], spacing: int) -> tuple[int, int]:
    """Points that span an image, and one more for the random position."""
    height, width = (-(-(side - _BORDER) // spacing) + _BORDER + 1 for side in shape)
    return height, width


def _lattice(
    rng: np.random.Generator, shape: tuple[int, int], amplitude: float
) -> NDArray[np.float32]:
    """Values from -amplitude to amplitude, four from each 64 random bits."""
    count = shape[0] * shape[1]
    bits = rng.bit_generator.random_raw(-(-count // 4)).astype("<u8").view("<u2")[:count]
    values = bits.reshape(shape).astype(np.float32)
    values -= np.float32(32767.5)
    values *= np.float32(amplitude / 32767.5)
    return values


def _double(field: NDArray[np.float32]) -> NDArray[np.float32]:
    """Halve a lattice's spacing along both axes: n points become 2 n - 3."""
    height, width = field.shape
    out = np.empty((2 * height - _BORDER, 2 * width - _BORDER), np.float32)
    # Few rows at a time, so that intermediate results stay in the cache.
    step = max(_BLOCK_POINTS // (2 * width), 1)
    for start in range(0, height - 2, step):
        rows = _double_rows(field[start : start + step + 2])
        _double_columns(rows, out[2 * start : 2 * start + len(rows)])
    return out


def _double_rows(field: NDArray[np.float32]) -> NDArray[np.float32]:
    out = np.empty((2 * field.shape[0] - _BORDER, field.shape[1]), np.float32)
    between, at = out[0::2], out[1::2]
    np.add(field[:-1], field[1:], out=between)
    # (a + 6 b + c) / 8 is a quarter of b and an eighth of the sums on both its sides.
    np.add(between[:-1], between[1:], out=at)
    at *= np.float32(0.125)
    at += np.float32(0.5) * field[1:-1]
    between *= np.float32(0.5)
    return out


def _double_columns(field: NDArray[np.float32], out: NDArray[np.float32]) -> None:
    between = field[:, :-1] + field[:, 1:]
    at = between[:, :-1] + between[:, 1:]
    at *= np.float32(0.125)
    at += np.float32(0.5) * field[:, 1:-1]
    between *= np.float32(0.5)
    out[:, 0::2] = between
    out[:, 1::2] = at
