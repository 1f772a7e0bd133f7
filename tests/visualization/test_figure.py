"""Rows of panels: where each is, in which colours, and the legend."""

import numpy as np
import pytest

from mmcloudseg.visualization import PanelRow, draw_rows

RED, BLUE, GREEN = (255, 0, 0), (0, 0, 255), (0, 200, 0)
PANEL, ROW, LEGEND = 260, 315, 45
"""Pixels at 100 dpi: width of a panel, height of a row with its title, height of the legend."""


def flat(colour, size=4):
    return np.full((size, size, 3), colour, np.uint8)


def middle(picture, row, column):
    """Colour at the middle of a place: panels lie at the foot of their row."""
    return tuple(picture[(row + 1) * ROW - PANEL // 2, column * PANEL + PANEL // 2].tolist())


def shows(picture, colour):
    return bool((picture == np.array(colour)).all(axis=2).any())


def test_panels_lie_under_their_titles():
    rows = [
        PanelRow("first", dict(a=flat(RED), b=flat(BLUE))),
        PanelRow("second", dict(b=flat(GREEN, size=9), c=flat(RED))),
    ]
    picture = draw_rows(rows, (), ())
    assert picture.shape == (2 * ROW + LEGEND, 3 * PANEL, 3) and picture.dtype == np.uint8
    white = (255, 255, 255)
    shown = [[middle(picture, row, column) for column in range(3)] for row in range(2)]
    assert shown == [[RED, BLUE, white], [white, GREEN, RED]]


def test_pixels_stay_pixels_and_upright():
    panel = np.array([[RED, BLUE], [GREEN, RED]], np.uint8)
    picture = draw_rows([PanelRow("t", dict(a=panel))], (), ())
    # A lone panel has the width of two, so that its title has room, and lies in the middle.
    assert picture.shape[1] == 2 * PANEL
    y, x, quarter = ROW - PANEL // 2, PANEL, PANEL // 4
    corners = [
        picture[y + i * quarter, x + j * quarter].tolist() for i in (-1, 1) for j in (-1, 1)
    ]
    assert corners == panel.reshape(4, 3).tolist()
    mixed = picture.reshape(-1, 3)[np.ptp(picture.reshape(-1, 3), axis=1) > 0]
    assert {tuple(c) for c in np.unique(mixed, axis=0).tolist()} == {RED, BLUE, GREEN}


def test_legend_shows_every_class_and_ignored():
    rows = [PanelRow("t", dict(a=flat((255, 255, 255))))]
    picture = draw_rows(rows, ("water", "land"), (BLUE, GREEN))
    foot = picture[-LEGEND:]
    assert shows(foot, BLUE) and shows(foot, GREEN) and shows(foot, (128, 128, 128))
    assert not shows(picture[:-LEGEND], BLUE)
    first = [
        np.flatnonzero((foot == np.array(c)).all(axis=(2)).any(axis=0))[0] for c in (BLUE, GREEN)
    ]
    assert first[0] < first[1]
    bare = draw_rows(rows, (), ())
    assert (bare[-LEGEND:] == 255).all()


def test_a_palette_that_misses_a_class_is_refused():
    with pytest.raises(ValueError, match=r"palette .*1 colours .*2 classes.*metainfo"):
        draw_rows([PanelRow("t", dict(a=flat(RED)))], ("water", "land"), (BLUE,))


def test_titles_are_written():
    def picture(title="t", name="a"):
        return draw_rows([PanelRow(title, {name: flat(RED)})], (), ())

    same, other_title, other_name = picture(), picture(title="u"), picture(name="b")
    for other in (other_title, other_name):
        rows = np.flatnonzero((same != other).any(axis=(1, 2)))
        assert rows.size and rows.max() < ROW - PANEL
    # The sample's title is above those of its panels.
    title_rows = np.flatnonzero((same != other_title).any(axis=(1, 2)))
    name_rows = np.flatnonzero((same != other_name).any(axis=(1, 2)))
    assert title_rows.max() < name_rows.min()


def test_dpi_scales_the_picture():
    rows = [PanelRow("t", dict(a=flat(RED), b=flat(BLUE)))]
    assert draw_rows(rows, (), (), dpi=50).shape == (180, 260, 3)


def test_rows_without_panels_are_refused():
    with pytest.raises(ValueError, match=r"0 sample.*gt_sem_seg or pred_sem_seg"):
        draw_rows([], ("water",), (BLUE,))
