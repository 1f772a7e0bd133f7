"""Maps one scene, asked on stdin, and prints what it cost; a process of its own for each.

A peak of memory never falls, so each scene needs a process that has mapped nothing before.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from mmcloudseg.benchmark.peak_memory import forget_peak, peak_mb
from mmcloudseg.scenes.predictor import ScenePredictor


def measure(
    config: str, checkpoint: str, files: Mapping[str, Path], out: Path, **settings: Any
) -> dict[str, float]:
    """Map a scene in a new process.

    Args:
        config: The config file.
        checkpoint: Its checkpoint.
        files: ``optical`` and ``sar``.
        out: The map; replaced if it is there.
        settings: As in :class:`SceneSettings`.

    Returns:
        ``megapixels``, ``seconds`` (from opening files to the final name), ``network_seconds``,
        ``model_mb`` (the process with its model) and ``peak_mb`` (by which it grew beyond).

    Raises:
        RuntimeError: It failed.
    """
    asked = dict(
        config=config,
        checkpoint=checkpoint,
        optical=str(files["optical"]),
        sar=str(files["sar"]),
        out=str(out),
        settings=settings,
        threads=torch.get_num_threads(),
    )
    command = [sys.executable, "-m", "mmcloudseg.benchmark.scene_cost"]
    done = subprocess.run(
        command, input=json.dumps(asked), stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{files['optical']}: could not be mapped, see above")
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Map the scene that is asked for."""
    asked = json.loads(sys.stdin.read())
    torch.set_num_threads(asked["threads"])
    with contextlib.redirect_stdout(sys.stderr):
        predictor = ScenePredictor(asked["config"], asked["checkpoint"])
        forget_peak()
        before = peak_mb()
        report = predictor.predict(
            asked["optical"], asked["sar"], asked["out"], overwrite=True, **asked["settings"]
        )
    print(
        json.dumps(
            dict(
                megapixels=report.megapixels,
                seconds=report.seconds,
                network_seconds=report.network_seconds,
                model_mb=before,
                peak_mb=peak_mb() - before,
            )
        )
    )


if __name__ == "__main__":
    main()
