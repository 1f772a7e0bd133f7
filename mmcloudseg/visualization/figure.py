"""Rows of titled panels with one legend, drawn to an array."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from mmcloudseg.visualization.colours import IGNORED_GREY

_PANEL_INCHES = 2.6
_TITLE_INCHES = 0.55
_LEGEND_INCHES = 0.45


@dataclass(frozen=True)
class PanelRow:
    """The panels of one sample.

    Attributes:
        title: Line above the row.
        panels: H x W x 3 uint8 images by title, in the order they are shown; sizes may differ.
    """

    title: str
    panels: Mapping[str, np.ndarray]


def draw_rows(
    rows: Sequence[PanelRow],
    classes: Sequence[str],
    palette: Sequence[Sequence[int]],
    dpi: int = 100,
) -> np.ndarray:
    """Draw samples below each other and the classes' legend at the foot.

    Columns are all titles that occur; a row without one of them leaves its place empty.

    Args:
        rows: One row for each sample.
        classes: Class names; no legend without any.
        palette: Colour of each class, 0 to 255.
        dpi: Pixels per inch; a panel is 2.6 inches wide.

    Returns:
        H x W x 3 uint8.

    Raises:
        ValueError: If no row has a panel, or the palette has not one colour for each class.
    """
    columns = list(dict.fromkeys(title for row in rows for title in row.panels))
    if not columns:
        raise ValueError(f"{len(rows)} sample(s): give an image, gt_sem_seg or pred_sem_seg")
    if classes and len(classes) != len(palette):
        raise ValueError(
            f"palette has {len(palette)} colours for {len(classes)} classes: correct the metainfo"
        )
    width = max(_PANEL_INCHES * len(columns), 2 * _PANEL_INCHES)
    row_height = _PANEL_INCHES + _TITLE_INCHES
    height = row_height * len(rows) + _LEGEND_INCHES
    figure = Figure(figsize=(width, height), dpi=dpi, facecolor="white")
    canvas = FigureCanvasAgg(figure)

    step, panel = 1 / len(columns), 0.94 / len(columns)
    for index, row in enumerate(rows):
        top = height - index * row_height
        figure.text(0.5, (top - 0.05) / height, row.title, ha="center", va="top", fontsize=10)
        for column, title in enumerate(columns):
            if title not in row.panels:
                continue
            left = column * step + (step - panel) / 2
            box = (left, (top - row_height) / height, panel, _PANEL_INCHES / height)
            axes = figure.add_axes(box)
            axes.imshow(row.panels[title], interpolation="nearest")
            axes.set_title(title, fontsize=9, pad=3)
            axes.set_axis_off()
    if classes:
        _draw_legend(figure, classes, palette)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def _draw_legend(figure: Figure, classes: Sequence[str], palette: Sequence[Sequence[int]]) -> None:
    names = [*classes, "ignored"]
    colours = [*palette, IGNORED_GREY]
    patches = [
        Patch(
            facecolor="#{:02x}{:02x}{:02x}".format(*c), edgecolor="black", linewidth=0.5, label=n
        )
        for n, c in zip(names, colours, strict=True)
    ]
    figure.legend(
        handles=patches,
        loc="lower center",
        ncol=len(names),
        fontsize=8,
        frameon=False,
        handlelength=1.2,
        columnspacing=1.2,
    )
