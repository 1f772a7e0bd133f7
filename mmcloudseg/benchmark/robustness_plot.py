"""The picture of a robustness curve."""

from __future__ import annotations

import math

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from mmcloudseg.benchmark.robustness_curve import OWN_CLOUDS, RobustnessCurve

_SIZE_INCHES = (7.0, 4.6)
_OWN_COLOUR = "black"
_HEADROOM = 1.08


def draw_robustness(curve: RobustnessCurve, title: str = "", dpi: int = 100) -> np.ndarray:
    """Draw mIoU over simulated cloud cover.

    Each kind of cloud is a line; scores under the set's own clouds, with a modality missing or
    none, are horizontal dashed lines, because their cover is not a number on the axis.

    Args:
        curve: At least one measurement.
        title: Line above the plot.
        dpi: Pixels per inch; the picture is 7 x 4.6 inches.

    Returns:
        H x W x 3 uint8.

    Raises:
        ValueError: If nothing was measured.
    """
    if not curve.clouds and not curve.unsimulated():
        raise ValueError("nothing to draw: the curve has no point and no missing modality")
    figure = Figure(figsize=_SIZE_INCHES, dpi=dpi, facecolor="white", layout="constrained")
    canvas = FigureCanvasAgg(figure)
    draw_axes(figure.add_subplot(), curve, title)
    figure.legend(loc="outside right upper", fontsize=8, frameon=False)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def draw_axes(axes: Axes, curve: RobustnessCurve, title: str = "") -> None:
    """Draw the lines and name the axes; the legend is the caller's.

    Args:
        axes: Where to.
        curve: The measurements.
        title: Line above.
    """
    colours = [to_hex(colour) for colour in colormaps["tab10"].colors]
    areas = curve.auc
    for index, (kind, points) in enumerate(curve.clouds.items()):
        area = "" if math.isnan(areas[kind]) else f" (area {areas[kind]:.1f} %)"
        axes.plot(
            list(points),
            [scores["mIoU"] for scores in points.values()],
            color=colours[index % len(colours)],
            marker="o",
            markersize=4,
            label=f"{kind}{area}",
        )
    # From the other end of the table, away from the kinds' colours.
    others = iter(reversed(colours))
    for name, scores in curve.unsimulated().items():
        colour = _OWN_COLOUR if name == OWN_CLOUDS else next(others)
        axes.axhline(scores["mIoU"], color=colour, linestyle="--", linewidth=1.2, label=name)
    heights = [line.get_ydata() for line in axes.get_lines()]
    top = np.nanmax(np.concatenate([np.asarray(h, float) for h in heights] + [[1.0]]))
    axes.set(
        xlim=(0, 100),
        ylim=(0, min(_HEADROOM * top, 100)),
        xlabel="simulated cloud cover (%)",
        ylabel="mIoU, all pixels (%)",
        title=title,
    )
    axes.margins(x=0)
    axes.grid(color="0.9")
    axes.set_axisbelow(True)
