"""Whether a map shows where its tiles met."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def seam_ratio(labels: np.ndarray, rows: Sequence[int], columns: Sequence[int]) -> float:
    """How much more often the class changes across tiles' edges than elsewhere.

    Args:
        labels: H x W class indices.
        rows: Rows at which a tile begins or has ended.
        columns: The same of columns.

    Returns:
        Frequency of changes between neighbours on either side of an edge, over that between all
        other neighbours, both directions together; 1 without seams, infinite if the class changes
        at edges only, NaN if it changes nowhere.

    Raises:
        ValueError: No edge lies within the map.
    """
    at_edges = elsewhere = edge_pairs = other_pairs = 0
    for axis, edges in enumerate((rows, columns)):
        length = labels.shape[axis]
        changes = np.diff(labels.astype(np.int16), axis=axis) != 0
        per_line = changes.sum(axis=1 - axis)
        # Between a line and the one before it.
        at = np.zeros(length - 1, dtype=bool)
        at[[edge - 1 for edge in edges if 0 < edge < length]] = True
        at_edges += per_line[at].sum()
        elsewhere += per_line[~at].sum()
        edge_pairs += at.sum() * labels.shape[1 - axis]
        other_pairs += (~at).sum() * labels.shape[1 - axis]
    if not edge_pairs:
        raise ValueError("no tile's edge lies within the map: take a larger scene")
    if not elsewhere:
        return float("inf" if at_edges else "nan")
    return float((at_edges / edge_pairs) / (elsewhere / other_pairs))
