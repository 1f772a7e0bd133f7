"""The runs of a suite: a method with a seed, in steps of which each is done once."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from mmcloudseg.benchmark.options import option_arguments, student_options
from mmcloudseg.benchmark.suite import Method, Suite, teachers
from mmcloudseg.engine.checkpoints import BEST
from mmcloudseg.utils.files import write_text

TOOLS = Path(__file__).parents[2] / "tools"
RECORD = "benchmark.json"
Call = Callable[[Sequence[str], Path, Mapping[str, str]], int]


class Step(NamedTuple):
    """One call of ``tools/<name>.py``; the file ``made`` exists when it is finished."""

    name: str
    arguments: list[str]
    made: Path


@dataclass(frozen=True)
class Run:
    """A method with a seed.

    Attributes:
        folder: Folder of its files.
        teacher: Folder of the teacher's run with the same seed.
        options: Options of the command line; options of the method take precedence.
        robustness: Points of the robustness pass, as in ``Suite``; None leaves it out.
    """

    method: Method
    seed: int
    folder: Path
    teacher: Path | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    data_root: str | None = None
    robustness: Mapping[str, list] | None = None

    @property
    def name(self) -> str:
        """The name shown to the user."""
        return f"{self.method.key}, seed {self.seed}"

    def steps(self) -> list[Step]:
        """All steps in order."""
        config, best, test = str(self.method.config), self.folder / BEST, self.folder / "test"
        options = {**self.options, **self.method.options}
        data = ["--data-root", self.data_root] if self.data_root else []
        train = [config, "--work-dir", str(self.folder), "--seed", str(self.seed), "--resume"]
        if self.teacher is not None:
            train += ["--teacher-ckpt", str(self.teacher / BEST)]
        train += [*data, *_option_arguments(options)]
        common = [*data, *_option_arguments(student_options(options))]
        tested = [config, str(best), "--work-dir", str(test), "--out", str(test), *common]
        steps = [Step("train", train, best), Step("test", tested, test / "scores.json")]
        if self.robustness is not None:
            out = self.folder / "robustness"
            points = ["--covers", *map(str, self.robustness["covers"])]
            points += ["--kinds", *self.robustness["kinds"]]
            arguments = [config, str(best), "--out", str(out), *points, *common]
            steps.append(Step("robustness", arguments, out / "robustness.json"))
        return steps

    def finished(self) -> bool:
        """Whether all steps are finished."""
        return all(self._is_done(step) for step in self.steps())

    def seconds(self) -> float:
        """Seconds spent on its steps so far, including interrupted and failed ones."""
        return sum(self._record().get("seconds", {}).values())

    def conflict(self) -> str | None:
        """Describe what in its folder was made with other settings; None if nothing was."""
        record = self._record()
        for key, value in self._identity().items():
            if record.get(key, value) != value:
                return (
                    f"{self.folder}: was made with {key}={record[key]!r}, but this benchmark has "
                    f"{key}={value!r}. Remove the folder, or choose another --work-dir"
                )
        return None

    def execute(
        self, call: Call, environment: Mapping[str, str], started: Callable[[str], None]
    ) -> None:
        """Execute the steps that are not finished.

        ``call`` runs their commands as ``Processes.call`` does; ``started`` gets their names.

        Raises:
            RuntimeError: A step failed; the message names its log.
        """
        for step in self.steps():
            if self._is_done(step):
                continue
            started(step.name)
            log = self.folder / f"{step.name}.log"
            self._remember(self._identity())
            start = time.monotonic()
            command = [sys.executable, str(TOOLS / f"{step.name}.py"), *step.arguments]
            status = call(command, log, environment)
            # A step that was interrupted and resumed took the time of both parts.
            known = self._record().get("seconds", {})
            seconds = round(known.get(step.name, 0.0) + time.monotonic() - start, 1)
            self._remember(dict(seconds={**known, step.name: seconds}))
            if status or not step.made.is_file():
                raise RuntimeError(f"{step.name} failed (status {status}); see {log}")
            if step.name == "robustness":
                self._remember(dict(robustness=self.robustness))

    def _is_done(self, step: Step) -> bool:
        if step.name == "robustness" and self._record().get("robustness") != self.robustness:
            return False  # other points were measured
        return step.made.is_file()

    def _identity(self) -> dict[str, Any]:
        options = option_arguments({**self.options, **self.method.options})
        return dict(config=self.method.config.name, options=options, data_root=self.data_root)

    def _record(self) -> dict[str, Any]:
        path = self.folder / RECORD
        return json.loads(path.read_text()) if path.is_file() else {}

    def _remember(self, entries: dict[str, Any]) -> None:
        write_text(self.folder / RECORD, json.dumps(self._record() | entries, indent=2) + "\n")


def plan_runs(
    suite: Suite, work_dir: Path, options: Mapping[str, Any], data_root: str | None = None
) -> list[Run]:
    """List all runs of a suite, in ``seed_<n>/<method>`` of the work dir.

    Teachers come first, then seed by seed, so that an interrupted benchmark has complete seeds.
    """
    taught = {method.teacher for method in suite.methods.values()}

    def order(run: Run) -> tuple[int, int, int, int]:
        level = len(teachers(run.method.key, suite.methods))
        return (0, level, run.seed, level) if run.method.key in taught else (1, 0, run.seed, level)

    runs = []
    for seed in suite.seeds:
        folder = work_dir / f"seed_{seed}"
        for method in suite.methods.values():
            teacher = None if method.teacher is None else folder / method.teacher
            # A teacher that is not shown does not need to be measured under clouds.
            points = suite.robustness if method.listed else None
            own = folder / method.key
            runs.append(Run(method, seed, own, teacher, options, data_root, points))
    return sorted(runs, key=order)


def _option_arguments(options: Mapping[str, Any]) -> list[str]:
    return ["--cfg-options", *option_arguments(options)] if options else []
