"""The picture that holds simulated clouds against real ones."""

import numpy as np
import pytest

from cloud_realism.comparison import SampleComparison, summarise
from cloud_realism.plots import PicturePair, draw_cloud_comparison
from cloud_realism.statistics import cloud_statistics

BANDS = ("blue", "nir")


@pytest.fixture
def samples():
    rng = np.random.default_rng(0)
    clear = 0.1 + 0.01 * rng.standard_normal((2, 60, 60))
    mask = np.zeros((60, 60), bool)
    mask[:, :20] = True

    def measured(brightness):
        cloudy = np.where(mask, brightness + 0.1 * rng.standard_normal((2, 60, 60)), clear)
        return cloud_statistics(clear, cloudy, mask, 10.0, BANDS, [0])

    series = {"thick": [measured(0.5) for _ in range(3)], "thin": [measured(0.2)]}
    return [SampleComparison("a", measured(0.4), series)]


@pytest.fixture
def pair():
    clear = np.full((3, 40, 40), 500.0)
    clear[:, 0] = 100  # the darkest ground is black
    cloudy = clear.copy()
    cloudy[:, :, 20:] = 6000
    mask = np.zeros((40, 40), bool)
    mask[:, 20:] = True
    thick = np.where(mask, 3000.0, clear)
    return PicturePair("place", clear, cloudy, mask, {"simulated, thick": thick})


def test_panels_share_the_real_pairs_range(pair):
    panels = pair.panels()
    assert list(panels) == ["real, clear", "real, cloudy", "real mask", "simulated, thick"]
    assert all(p.shape == (40, 40, 3) and p.dtype == np.uint8 for p in panels.values())
    left, right = (10, 5), (10, 30)
    assert panels["real, cloudy"][right].tolist() == [255] * 3
    assert panels["real, clear"][0, 5].tolist() == [0] * 3
    # 400 and 2900 of 5900 above black, lifted by an exponent of 0.6.
    assert panels["real, clear"][left].tolist() == [round(255 * (400 / 5900) ** 0.6)] * 3
    assert panels["simulated, thick"][right].tolist() == [round(255 * (2900 / 5900) ** 0.6)] * 3
    assert panels["simulated, thick"][left].tolist() == panels["real, clear"][left].tolist()
    assert panels["real mask"][left].tolist() == [0] * 3
    assert panels["real mask"][right].tolist() == [255] * 3


def test_plots_and_a_row_for_each_picture(samples, pair):
    summary = summarise(samples)
    plots = draw_cloud_comparison(samples, summary, BANDS, [], dpi=50)
    both = draw_cloud_comparison(samples, summary, BANDS, [pair, pair], dpi=50)
    assert plots.dtype == np.uint8 and plots.shape[2] == 3
    assert both.shape[1] == plots.shape[1] and both.shape[0] > 1.8 * plots.shape[0]
    # The mask's white half is in every row, its black one too.
    rows = both[plots.shape[0] :]
    assert (rows == 0).all(axis=2).sum() > 1000
    # Both series and the real one have a line.
    shown = {tuple(colour) for colour in np.unique(plots.reshape(-1, 3), axis=0).tolist()}
    assert {(31, 119, 180), (255, 127, 14), (0, 0, 0)} <= shown


def test_a_mask_without_patches_is_drawn_without_a_curve(samples):
    real = samples[0].real
    bare = type(real)(real.values, real.wavelengths_m, real.power, np.array([]))
    samples = [SampleComparison("a", bare, {"thin": [bare]})]
    assert draw_cloud_comparison(samples, summarise(samples), BANDS, [], dpi=40).size
