"""Simulated clouds to compare real ones with, over the same clear image and at the same cover."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cloud_realism.pairs import CloudPair, band_centres_um
from cloud_realism.plots import PicturePair
from cloud_realism.statistics import CloudStatistics, cloud_statistics
from mmcloudseg.clouds import (
    CLOUD_KINDS,
    KIND_ODDS,
    CloudSettings,
    SimulatedClouds,
    simulate_clouds,
)

DEFAULT_MIX = "default"
"""Name of the series that draws kinds by the odds of the simulation itself."""
REAL_MASK = "real mask"

_LONGEST_VISIBLE_UM = 0.7
_RGB_UM = (0.66, 0.56, 0.48)

Kind = str | Mapping[str, float]


@dataclass(frozen=True)
class ComparisonSettings:
    """How clouds are simulated and measured.

    Attributes:
        kinds: Series to draw: ``default``, the mix of the simulation itself, or names of kinds.
        draws: Number of simulated images for each real one in each series.
        seed: Seed of the first draw; the others count up.
        real_masks: Draw each series a second time in the place and shape of the real mask.
        max_samples: Largest number of samples, taken at even spacing.
        gsd_m: Side of a pixel in metres; None takes that of the images.
        wavelengths_um: Centres of the bands in micrometres; None goes by the names of the bands.
        scale: Image value of a reflectance of 1.
        white: Image value of an opaque cloud, for all bands or for each; None leaves it to the
            simulation.
    """

    kinds: Sequence[str] = (DEFAULT_MIX,)
    draws: int = 20
    seed: int = 0
    real_masks: bool = False
    max_samples: int = 30
    gsd_m: float | None = None
    wavelengths_um: Sequence[float] | None = None
    scale: float = 10_000.0
    white: Sequence[float] | None = None

    def __post_init__(self) -> None:
        unknown = [kind for kind in self.kinds if kind not in (DEFAULT_MIX, *CLOUD_KINDS)]
        if unknown or not self.kinds:
            raise ValueError(
                f"kinds: expected some of {[DEFAULT_MIX, *CLOUD_KINDS]}, found {unknown or 'none'}"
            )

    def series(self) -> dict[str, tuple[Kind, bool]]:
        """Return name of the series -> kind or odds, and whether it takes the real mask."""
        plain: dict[str, tuple[Kind, bool]] = {
            kind: (KIND_ODDS if kind == DEFAULT_MIX else kind, False) for kind in self.kinds
        }
        masked = {f"{name}, {REAL_MASK}": (kind, True) for name, (kind, _) in plain.items()}
        return plain | masked if self.real_masks else plain


class Simulator:
    """Simulates and measures clouds in images with certain bands.

    Args:
        settings: How clouds are simulated and measured.
        bands: Names of the bands.

    Raises:
        DataError: If the name of a band is unknown and the settings have no wavelengths.
        ValueError: If the settings have another number of wavelengths.
    """

    def __init__(self, settings: ComparisonSettings, bands: Sequence[str]) -> None:
        self.settings, self.bands = settings, bands
        self.centres_um = tuple(settings.wavelengths_um or band_centres_um(bands))
        if len(self.centres_um) != len(bands):
            raise ValueError(
                f"wavelengths: expected the centres of the {len(bands)} bands {', '.join(bands)}, "
                f"found {len(self.centres_um)}"
            )
        short = [i for i, um in enumerate(self.centres_um) if um <= _LONGEST_VISIBLE_UM]
        self.visible = short or list(range(len(bands)))
        self.rgb = [int(np.argmin(np.abs(np.array(self.centres_um) - um))) for um in _RGB_UM]

    def statistics(self, pair: CloudPair, cloudy: np.ndarray, mask: np.ndarray) -> CloudStatistics:
        """Measure a cloudy image over the clear image of a pair, in reflectance."""
        clear, cloudy = (x.astype(np.float64) / self.settings.scale for x in (pair.clear, cloudy))
        return cloud_statistics(clear, cloudy, mask, pair.gsd_m, self.bands, self.visible)

    def simulate(self, pair: CloudPair, kind: Kind, real_mask: bool, seed: int) -> SimulatedClouds:
        """Draw clouds over the clear image of a pair, at its cover or in its mask."""
        white = self.settings.white
        clouds = CloudSettings(
            gsd_m=pair.gsd_m,
            wavelengths_um=self.centres_um,
            cover=float(pair.mask.mean()),
            kind=kind,
            white=white[0] if white is not None and len(white) == 1 else white,
            scale=self.settings.scale,
        )
        mask = pair.mask if real_mask else None
        return simulate_clouds(pair.clear, clouds, name=pair.name, seed=seed, mask=mask)

    def pictures(self, pair: CloudPair) -> PicturePair:
        """Simulate what the picture shows of a pair: every kind, whatever is measured."""
        seed, name = self.settings.seed, "simulated, {}".format
        images = {name(REAL_MASK): self.simulate(pair, KIND_ODDS, True, seed).image}
        images |= {name(k): self.simulate(pair, k, False, seed).image for k in CLOUD_KINDS}
        shown = {title: image[self.rgb] for title, image in images.items()}
        return PicturePair(
            pair.name, pair.clear[self.rgb], pair.cloudy[self.rgb], pair.mask, shown
        )
