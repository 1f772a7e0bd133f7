"""Random generators, fractal noise on regular grids, and area means."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import fft, sparse

Field = NDArray[np.float64]
"""Values on a grid, or factors of the bands."""


def spawn_generators(key: Sequence[int], count: int) -> list[np.random.Generator]:
    """Independent generators that depend on a key of whole numbers from 0 alone."""
    sequences = np.random.SeedSequence(key).spawn(count)
    return [np.random.Generator(np.random.PCG64(sequence)) for sequence in sequences]


def fractal_noise(
    rng: np.random.Generator, shape: tuple[int, int], correlation_px: float, exponent: float = 1.8
) -> Field:
    """Draw a random field with a von Karman spectrum, of zero mean and unit standard deviation.

    Amplitudes fall as ``(1 + (2 pi f L)^2)^(-exponent / 2)``: flat above the correlation length
    L, a power law below. The field is drawn on a larger torus and cut out, so that opposite
    edges differ.

    Args:
        rng: Source of the randomness.
        shape: Height and width in pixels.
        correlation_px: Correlation length L in pixels, the size of the largest features.
        exponent: 1.3 gives ragged fields, 2.5 smooth ones.

    Raises:
        ValueError: If a side is shorter than two pixels or the length is not positive.
    """
    if min(shape) < 2 or correlation_px <= 0:
        raise ValueError(
            "fractal_noise: expected sides of at least 2 pixels and a positive correlation length,"
            f" found shape {shape} and correlation_px {correlation_px}; ask for a larger field"
        )
    margin = int(np.ceil(min(2 * correlation_px, max(shape))))
    canvas = tuple(fft.next_fast_len(side + margin, real=True) for side in shape)
    frequency_squared = fft.fftfreq(canvas[0])[:, None] ** 2 + fft.rfftfreq(canvas[1]) ** 2
    amplitude = (1 + (2 * np.pi * correlation_px) ** 2 * frequency_squared) ** (-exponent / 2)
    spectrum = fft.rfft2(rng.standard_normal(canvas)) * amplitude
    field = fft.irfft2(spectrum, s=canvas)[: shape[0], : shape[1]]
    field = field - field.mean()
    return field / field.std()


def area_weights(sources: int, targets: int, offset: float = 0.0) -> Field:
    """Weights that average a row of fine pixels over coarser (or finer) ones.

    Both rows have the same length in metres; ``weights @ row`` holds the area means. The target
    row starts ``offset`` source pixels after the source row; where a target lies partly outside,
    only the part inside counts.

    Returns:
        Matrix of targets x sources whose rows sum to 1.

    Raises:
        ValueError: If a target pixel lies completely outside the source row.
    """
    step = sources / targets
    starts = np.arange(targets)[:, None] * step + offset
    pixels = np.arange(sources)[None, :]
    overlap = np.minimum(starts + step, pixels + 1) - np.maximum(starts, pixels)
    overlap = np.clip(overlap, 0, None)
    totals = overlap.sum(axis=1, keepdims=True)
    if (totals <= 0).any():
        raise ValueError(
            f"area_weights: an offset of {offset} source pixels leaves target pixels without any "
            f"of the {sources} source pixels; expected less than one target pixel ({step:g})"
        )
    return overlap / totals


def area_mean(
    image: Field, shape: tuple[int, int], offset: tuple[float, float] = (0.0, 0.0)
) -> Field:
    """Average an H x W image over the pixels of a coarser grid that covers the same ground.

    Args:
        image: H x W values.
        shape: Height and width of the coarser grid.
        offset: Start (down, right) of the coarser grid, in pixels of the image.

    Raises:
        ValueError: If the offset leaves a pixel of the coarser grid outside the image.
    """
    # Sparse products add in one fixed order; those of a threaded BLAS may not.
    rows = sparse.csr_array(area_weights(image.shape[0], shape[0], offset[0]))
    columns = sparse.csr_array(area_weights(image.shape[1], shape[1], offset[1]))
    return (columns @ (rows @ image).T).T
