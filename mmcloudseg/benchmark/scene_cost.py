"""Maps a scene in a process of its own, and measures time and memory.

A process's peak memory never decreases, so each scene needs a process that has mapped nothing
before. The process reads what to map from stdin, and prints what it measured.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import torch

from mmcloudseg.benchmark.peak_memory import forget_peak, peak_mb
from mmcloudseg.scenes.predictor import ScenePredictor
from mmcloudseg.scenes.settings import SceneSettings


def measure(
    config: str, checkpoint: str, files: Mapping[str, Path], out: Path, settings: SceneSettings
) -> dict[str, float]:
    """Map a scene in a new process.

    Args:
        config: The config file.
        checkpoint: Its checkpoint.
        files: ``optical`` and ``sar``.
        out: The map; replaced if it exists.
        settings: How to map the scene.

    Returns:
        ``megapixels``, ``seconds`` (from opening the files to the finished map),
        ``network_seconds``, ``model_mb`` (the process with its model) and ``peak_mb`` (its growth
        beyond that).

    Raises:
        RuntimeError: The scene could not be mapped.
    """
    asked = dict(
        config=config,
        checkpoint=checkpoint,
        optical=str(files["optical"]),
        sar=str(files["sar"]),
        out=str(out),
        settings=dataclasses.asdict(settings),
        threads=torch.get_num_threads(),
    )
    command = [sys.executable, "-m", "mmcloudseg.benchmark.scene_cost"]
    done = subprocess.run(
        command, input=json.dumps(asked), stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{files['optical']}: could not be mapped; see the error above")
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Map the scene that stdin describes."""
    asked = json.loads(sys.stdin.read())
    torch.set_num_threads(asked["threads"])
    with contextlib.redirect_stdout(sys.stderr):
        predictor = ScenePredictor(asked["config"], asked["checkpoint"])
        forget_peak()
        before = peak_mb()
        report = predictor.predict(
            asked["optical"],
            asked["sar"],
            asked["out"],
            SceneSettings(**asked["settings"]),
            overwrite=True,
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
