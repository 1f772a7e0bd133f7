"""Studies: some configs over several seeds, each run in a process of its own."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

TOOLS = Path(__file__).parents[2] / "tools"
COLUMNS = {
    "mIoU all": "mIoU",
    "mIoU cloud-free": "cloud_free/mIoU",
    "mIoU cloudy": "cloudy/mIoU",
    "OA cloudy": "cloudy/aAcc",
    "PSNR cloudy (dB)": "cloud_removal/cloudy/PSNR",
}


@dataclass(frozen=True)
class Corner:
    """One row of the table: its title, its config's name and whether it needs a teacher."""

    title: str
    config: str
    needs_teacher: bool = False


TEACHER = Corner("teacher, on the clear image", "cloudseg_teacher_{data}")
CORNERS = (
    Corner("none", "cloudseg_none_{data}"),
    Corner("cloud removal", "cloudseg_student_{data}"),
    Corner("distillation", "cloudseg_distill-only_{data}", needs_teacher=True),
    Corner("both (CloudSeg)", "cloudseg_{data}", needs_teacher=True),
)
CLOUD_TRAINING = (
    Corner("trained on clear images", "cloudseg_clear_{data}"),
    Corner("trained under simulated clouds", "cloudseg_simulated_{data}"),
)
STUDIES = {"components": CORNERS, "clouds": CLOUD_TRAINING}
"""What each component adds; and what simulated clouds in training do."""
Scores = dict[str, float | None]


class Ablation:
    """Trains and tests every corner for every seed; what is finished is not run again.

    Args:
        configs: Folder of the configs.
        data: Their data set, as the configs' names end.
        work_dir: Where runs lie, as ``seed_<n>/<config>``.
        jobs: Processes at a time, which share the cores.
        data_root: Replaces the configs' data root.
        corners: The table's rows.
    """

    def __init__(
        self,
        configs: Path,
        data: str,
        work_dir: Path,
        jobs: int = 1,
        data_root: str | None = None,
        corners: Sequence[Corner] = CORNERS,
    ) -> None:
        self.corners = corners
        self.configs = configs
        self.data = data
        self.work_dir = work_dir
        self.jobs = jobs
        self.data_arguments = ["--data-root", data_root] if data_root else []

    def run(self, seeds: Sequence[int]) -> dict[str, list[Scores]]:
        """Run what is missing.

        Args:
            seeds: One run of each corner and one teacher for each.

        Returns:
            Corner's title -> scores by seed.

        Raises:
            RuntimeError: A run failed; the message names its log.
        """
        with ThreadPoolExecutor(self.jobs) as pool:
            # Teachers come first in the queue, so that nobody waits for one that cannot start.
            taught = any(corner.needs_teacher for corner in self.corners)
            teachers = {
                seed: pool.submit(self._run_one, TEACHER, seed) for seed in seeds if taught
            }
            runs: dict[str, list[Future]] = {TEACHER.title: list(teachers.values())}
            if not taught:
                del runs[TEACHER.title]
            for corner in self.corners:
                runs[corner.title] = [
                    pool.submit(
                        self._run_one,
                        corner,
                        seed,
                        teachers[seed] if corner.needs_teacher else None,
                    )
                    for seed in seeds
                ]
            everything = [future for futures in runs.values() for future in futures]
            with tqdm(total=len(everything), desc="study", unit="run") as bar:
                for future in everything:
                    future.add_done_callback(lambda _: bar.update())
                return {title: [f.result() for f in futures] for title, futures in runs.items()}

    def _folder(self, corner: Corner, seed: int) -> Path:
        return self.work_dir / f"seed_{seed}" / corner.config.format(data=self.data)

    def _run_one(self, corner: Corner, seed: int, teacher: Future | None = None) -> Scores:
        folder = self._folder(corner, seed)
        scores = folder / "test" / "scores.json"
        config = str(self.configs / f"{corner.config.format(data=self.data)}.py")
        if not scores.is_file():
            train = [config, "--work-dir", str(folder), "--seed", str(seed), "--resume"]
            if teacher is not None:
                teacher.result()
                train += ["--teacher-ckpt", str(self._folder(TEACHER, seed) / "best.pth")]
            self._call("train.py", train, folder)
            test = [config, str(folder / "best.pth"), "--work-dir", str(folder / "test")]
            self._call("test.py", [*test, "--out", str(folder / "test")], folder)
        return json.loads(scores.read_text())

    def _call(self, tool: str, arguments: Sequence[str], folder: Path) -> None:
        threads = max((os.cpu_count() or 1) // self.jobs, 1)
        folder.mkdir(parents=True, exist_ok=True)
        log = folder / f"{Path(tool).stem}.log"
        with log.open("w") as output:
            done = subprocess.run(
                [sys.executable, str(TOOLS / tool), *arguments, *self.data_arguments],
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env=dict(os.environ, OMP_NUM_THREADS=str(threads)),
                check=False,
            )
        if done.returncode:
            raise RuntimeError(f"{tool} {' '.join(arguments)} failed; see {log}")


def format_ablation(results: Mapping[str, Sequence[Scores]]) -> str:
    """The table in Markdown: mean ± standard deviation over seeds.

    Args:
        results: Corner's title -> scores by seed.
    """
    lines = [
        f"| | {' | '.join(COLUMNS)} |",
        f"| :--- |{' ---: |' * len(COLUMNS)}",
    ]
    for title, runs in results.items():
        cells = [_cell([run.get(key) for run in runs]) for key in COLUMNS.values()]
        lines.append(f"| {title} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return "-"
    spread = statistics.stdev(known) if len(known) > 1 else 0.0
    return f"{statistics.mean(known):.2f} ± {spread:.2f}"
