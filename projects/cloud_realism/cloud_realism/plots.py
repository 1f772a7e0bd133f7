"""The picture of how simulated clouds compare with real ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from cloud_realism.comparison import SampleComparison, Summary
from cloud_realism.statistics import CloudStatistics
from cloud_realism.structure import SLOPE_WAVELENGTHS_M

_PLOT_INCHES = 4.2
_PANEL_INCHES = 2.2
_TITLE_INCHES = 0.45
_REAL_COLOUR = "black"
_ENVELOPE = (5, 95)
_MAX_SHADED = 6  # more overlapping envelopes are unreadable
_GAMMA = 0.6  # lifts the ground, which is several times darker than clouds


@dataclass(frozen=True)
class PicturePair:
    """The images shown of one sample.

    Attributes:
        name: Name of the sample.
        clear: Red, green, blue x H x W without clouds, in any unit.
        cloudy: The same under real clouds.
        mask: H x W, the real mask.
        simulated: Title -> red, green, blue x H x W under simulated clouds.
    """

    name: str
    clear: np.ndarray
    cloudy: np.ndarray
    mask: np.ndarray
    simulated: Mapping[str, np.ndarray]

    def panels(self) -> dict[str, np.ndarray]:
        """Return title -> H x W x 3 uint8; all images have the range of the real pair."""
        low = np.percentile(self.clear, 1, axis=(1, 2))[:, None, None]
        high = np.percentile(self.cloudy, 99.5, axis=(1, 2))[:, None, None]

        def colour(image: np.ndarray) -> np.ndarray:
            shown = np.clip((image - low) / np.maximum(high - low, 1e-9), 0, 1) ** _GAMMA
            return np.round(255 * shown).astype(np.uint8).transpose(1, 2, 0)

        return {
            "real, clear": colour(self.clear),
            "real, cloudy": colour(self.cloudy),
            "real mask": np.repeat(np.uint8(255) * self.mask[..., None], 3, axis=2),
            **{title: colour(image) for title, image in self.simulated.items()},
        }


def draw_cloud_comparison(
    samples: Sequence[SampleComparison],
    summary: Summary,
    bands: Sequence[str],
    pictures: Sequence[PicturePair],
    dpi: int = 100,
) -> np.ndarray:
    """Draw spectra, patch sizes and contrasts side by side, and one row of images per sample.

    Args:
        samples: At least one, all with the same series.
        summary: Summary of these samples.
        bands: Names of the bands.
        pictures: Samples to show, all with the same titles; may be empty.
        dpi: Pixels per inch.

    Returns:
        H x W x 3 uint8.
    """
    columns = max((len(picture.panels()) for picture in pictures), default=0)
    width = max(3 * _PLOT_INCHES * 1.2, columns * _PANEL_INCHES)
    heights = [_PLOT_INCHES, *[_PANEL_INCHES + _TITLE_INCHES] * len(pictures)]
    figure = Figure(
        figsize=(width, sum(heights)), dpi=dpi, facecolor="white", layout="constrained"
    )
    canvas = FigureCanvasAgg(figure)
    parts = figure.subfigures(len(heights), 1, squeeze=False, height_ratios=heights).ravel()
    spectra, patches, contrasts = parts[0].subplots(1, 3)
    colours = _series_colours(list(samples[0].simulated))
    _draw_spectra(spectra, samples, colours)
    _draw_patches(patches, samples, colours)
    _draw_contrasts(contrasts, summary, bands, colours)
    handles, labels = spectra.get_legend_handles_labels()
    parts[0].legend(handles, labels, loc="outside right upper", fontsize=8)
    for part, picture in zip(parts[1:], pictures, strict=True):
        part.suptitle(picture.name, fontsize=10)
        for axes, (title, image) in zip(
            np.atleast_1d(part.subplots(1, columns)), picture.panels().items(), strict=True
        ):
            axes.imshow(image, interpolation="nearest")
            axes.set_title(title, fontsize=9)
            axes.set_axis_off()
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def _series_colours(series: Sequence[str]) -> dict[str, str]:
    table = colormaps["tab10" if len(series) <= 10 else "tab20"]
    return {name: to_hex(table(index % table.N)) for index, name in enumerate(series)}


def _draws(samples: Sequence[SampleComparison], series: str) -> list[CloudStatistics]:
    return [draw for sample in samples for draw in sample.simulated[series]]


def _draw_spectra(
    axes: Axes, samples: Sequence[SampleComparison], colours: Mapping[str, str]
) -> None:
    grid = _common_wavelengths(samples)
    for series, colour in colours.items():
        shaded = len(colours) <= _MAX_SHADED
        _draw_envelope(axes, grid, _draws(samples, series), colour, series, shaded)
    _draw_envelope(axes, grid, [sample.real for sample in samples], _REAL_COLOUR, "real")
    for wavelength in SLOPE_WAVELENGTHS_M:
        axes.axvline(wavelength, color="grey", linewidth=0.6, linestyle=":")
    axes.set(
        xscale="log",
        yscale="log",
        xlabel="wavelength (m)",
        ylabel="power (reflectance$^2$ m$^2$)",
        title=f"spectrum of cloudy - clear: median, {_ENVELOPE[0]} to {_ENVELOPE[1]} %",
    )
    axes.invert_xaxis()


def _draw_envelope(
    axes: Axes,
    grid: np.ndarray,
    found: Sequence[CloudStatistics],
    colour: str,
    label: str,
    shaded: bool = True,
) -> None:
    # Wavelengths fall, but interpolation needs rising ones.
    levels = [
        np.interp(
            np.log(grid), np.log(f.wavelengths_m[::-1]), np.log(np.maximum(f.power[::-1], 1e-12))
        )
        for f in found
    ]
    low, middle, high = np.exp(np.percentile(levels, (_ENVELOPE[0], 50, _ENVELOPE[1]), axis=0))
    if shaded:
        axes.fill_between(grid, low, high, color=colour, alpha=0.15, linewidth=0)
    axes.plot(grid, middle, color=colour, label=label)


def _common_wavelengths(samples: Sequence[SampleComparison]) -> np.ndarray:
    shortest = max(sample.real.wavelengths_m.min() for sample in samples)
    longest = min(sample.real.wavelengths_m.max() for sample in samples)
    return np.geomspace(shortest, max(longest, 1.01 * shortest), 60)


def _draw_patches(
    axes: Axes, samples: Sequence[SampleComparison], colours: Mapping[str, str]
) -> None:
    groups = {series: _draws(samples, series) for series in colours}
    groups["real"] = [sample.real for sample in samples]
    for name, found in groups.items():
        diameters_m = np.sort(np.concatenate([f.diameters_m for f in found]))
        if diameters_m.size:
            share = np.cumsum(diameters_m**2) / (diameters_m**2).sum()
            # Below the smallest patch there is no area.
            axes.step(
                [diameters_m[0], *diameters_m],
                [0, *share],
                where="post",
                color=colours.get(name, _REAL_COLOUR),
            )
    axes.set(
        xscale="log",
        xlabel="equivalent diameter (m)",
        ylabel="share of the cloudy area",
        title="patches: area in patches up to a size",
    )


def _draw_contrasts(
    axes: Axes, summary: Summary, bands: Sequence[str], colours: Mapping[str, str]
) -> None:
    series = ["real", *colours]
    places = np.arange(len(bands))
    offsets = np.linspace(-0.25, 0.25, len(series)) if len(series) > 1 else [0.0]
    for name, offset in zip(series, offsets, strict=True):
        colour = colours.get(name, _REAL_COLOUR)
        for statistic, marker in (("contrast", "o"), ("brightness_95", "^")):
            rows = [summary[f"{statistic}/{band}"][name] for band in bands]
            axes.errorbar(
                places + offset,
                [row["mean"] for row in rows],
                [row["std"] for row in rows],
                fmt=marker,
                color=colour,
                markersize=5,
                capsize=2,
            )
    axes.set_xticks(places, bands)
    axes.set(
        ylabel="reflectance",
        title="mask: mean of cloudy - clear (dots), brightness, 95 % (triangles)",
    )
    axes.axhline(0, color="grey", linewidth=0.6)
