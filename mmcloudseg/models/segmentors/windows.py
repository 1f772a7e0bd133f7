"""Sliding windows: where they lie and which part of each counts."""

from __future__ import annotations

from typing import NamedTuple


class Span(NamedTuple):
    """A window along one axis, in pixels: ``[start, stop)``, of which ``[used, stop)`` counts."""

    start: int
    used: int
    stop: int


def window_spans(length: int, window: int, stride: int) -> list[Span]:
    """Windows of ``window`` pixels along an axis of ``length``, nominally ``stride`` apart.

    A last window that would stick out is shifted inside, and of it only the part past its nominal
    start counts: pixels that earlier windows have seen are not averaged again.
    """
    steps = -(-max(length - window, 0) // stride)
    spans = []
    for i in range(steps + 1):
        nominal = i * stride
        start = min(nominal, length - window)
        spans.append(Span(start, nominal, start + window))
    return spans
