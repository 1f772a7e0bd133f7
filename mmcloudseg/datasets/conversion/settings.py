"""Settings of the conversion of WHU-OPT-SAR."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ConversionSettings:
    """How to convert.

    Attributes:
        tile_sizes: Rows and columns of the tiles, one folder of tiles for each.
        seed: Seed of the clouds.
        val_fraction: Share of the training scenes to validate on at least, by whole map sheets.
        freeze_train: Put clouds on the training tiles too, not only on those that are scored.
        subset: Take a part of the set, or scenes of other sizes.
        jobs: Number of processes; by default one per core, at most four.
        progress: Whether to show progress bars.

    Raises:
        ValueError: If the tile sizes are not different numbers above 0.
    """

    tile_sizes: tuple[int, ...] = (512,)
    seed: int = 0
    val_fraction: float = 0.1
    freeze_train: bool = False
    subset: bool = False
    jobs: int | None = None
    progress: bool = False

    def __post_init__(self) -> None:
        sizes = self.tile_sizes
        if not sizes or min(sizes) < 1 or len(set(sizes)) < len(sizes):
            raise ValueError(f"tile sizes: expected different ones above 0, found {list(sizes)}")
