"""One run of a suite: a method with a seed, step by step, each of which is done once."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmcloudseg.benchmark.options import flattened, option_arguments, student_options
from mmcloudseg.benchmark.suite import Method, Robustness
from mmcloudseg.engine.checkpoints import BEST
from mmcloudseg.utils.files import atomic_write

TOOLS = Path(__file__).parents[2] / "tools"
RECORD = "benchmark.json"
Call = Callable[[Sequence[str], Path, Mapping[str, str]], int]


class RunError(RuntimeError):
    """A step of a run failed; the message names its log."""


@dataclass(frozen=True)
class Step:
    """A call of a tool.

    Attributes:
        name: train, test or robustness.
        arguments: Of ``tools/<name>.py``.
        made: What exists when the step is finished.
    """

    name: str
    arguments: tuple[str, ...]
    made: Path


@dataclass(frozen=True)
class Run:
    """A method with a seed.

    Attributes:
        method: The method.
        seed: The seed.
        folder: Where its files lie.
        teacher: The folder of its teacher's run with the same seed.
        options: Of the command line, under those of the method.
        data_root: Replaces the config's data root.
        robustness: What the robustness pass is asked for; None leaves it out.
    """

    method: Method
    seed: int
    folder: Path
    teacher: Path | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    data_root: str | None = None
    robustness: Robustness | None = None

    @property
    def name(self) -> str:
        """As shown to the user."""
        return f"{self.method.key}, seed {self.seed}"

    def steps(self) -> list[Step]:
        """All steps in their order."""
        config, best = str(self.method.config), self.folder / BEST
        options = {**self.options, **self.method.options}
        data = ["--data-root", self.data_root] if self.data_root else []
        train = [config, "--work-dir", str(self.folder), "--seed", str(self.seed), "--resume"]
        if self.teacher is not None:
            train += ["--teacher-ckpt", str(self.teacher / BEST)]
        test = _folder_arguments(self.folder / "test")
        train += [*data, *_option_arguments(options)]
        common = [*data, *_option_arguments(student_options(options))]
        steps = [
            Step("train", tuple(train), best),
            Step(
                "test",
                (config, str(best), "--work-dir", *test, *common),
                self.folder / "test" / "scores.json",
            ),
        ]
        if self.robustness is not None:
            out = self.folder / "robustness"
            asked = ["--covers", *map(str, self.robustness.covers)]
            asked += ["--kinds", *self.robustness.kinds]
            arguments = (config, str(best), "--out", str(out), *asked, *common)
            steps.append(Step("robustness", arguments, out / "robustness.json"))
        return steps

    def finished(self) -> bool:
        """Whether every step is."""
        return all(self._is_done(step) for step in self.steps())

    def seconds(self) -> float:
        """What its steps have taken so far, those that were stopped or failed included."""
        return sum(self._record().get("seconds", {}).values())

    def conflict(self) -> str | None:
        """What in its folder was made another way and would be taken for this run's."""
        record = self._record()
        for key, value in self._identity().items():
            if key in record and record[key] != value:
                return (
                    f"{self.folder}: was made with {key}={record[key]!r}, now {value!r} is asked "
                    "for. Remove it, or give another --work-dir"
                )
        return None

    def execute(
        self,
        call: Call,
        environment: Mapping[str, str],
        started: Callable[[str], None] = lambda step: None,
    ) -> None:
        """Do the steps that are not finished.

        Args:
            call: Runs a command, see ``Processes.call``.
            environment: Variables for it.
            started: Told the name of each step that begins.

        Raises:
            RunError: A step failed.
        """
        for step in self.steps():
            if self._is_done(step):
                continue
            started(step.name)
            log = self.folder / f"{step.name}.log"
            self._remember(**self._identity())
            start = time.monotonic()
            command = [sys.executable, str(TOOLS / f"{step.name}.py"), *step.arguments]
            status = call(command, log, environment)
            self._remember_seconds(step.name, time.monotonic() - start)
            if status or not step.made.is_file():
                raise RunError(f"{step.name} failed (status {status}); see {log}")
            if step.name == "robustness":
                self._remember(robustness=self._robustness())

    def _is_done(self, step: Step) -> bool:
        if step.name == "robustness" and self._record().get("robustness") != self._robustness():
            return False  # asked for other points than those that were measured
        return step.made.is_file()

    def _robustness(self) -> dict[str, list]:
        return dict(covers=list(self.robustness.covers), kinds=list(self.robustness.kinds))

    def _identity(self) -> dict[str, Any]:
        options = flattened({**self.options, **self.method.options})
        return dict(
            config=self.method.config.name,
            options=option_arguments(options),
            data_root=self.data_root,
        )

    def _record(self) -> dict[str, Any]:
        path = self.folder / RECORD
        return json.loads(path.read_text()) if path.is_file() else {}

    def _remember(self, **entries: Any) -> None:
        with atomic_write(self.folder / RECORD) as temporary:
            temporary.write_text(json.dumps({**self._record(), **entries}, indent=2) + "\n")

    def _remember_seconds(self, step: str, seconds: float) -> None:
        # A step that was stopped and went on took both times together.
        known = self._record().get("seconds", {})
        self._remember(seconds={**known, step: round(known.get(step, 0.0) + seconds, 1)})


def _folder_arguments(folder: Path) -> list[str]:
    return [str(folder), "--out", str(folder)]


def _option_arguments(options: Mapping[str, Any]) -> list[str]:
    return ["--cfg-options", *option_arguments(options)] if options else []
