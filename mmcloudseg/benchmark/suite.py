"""Suites: which methods are trained and tested over which seeds, read from a config."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mmengine.config import Config

CONFIGS = Path(__file__).parents[2] / "configs"

_SUITE_KEYS = {
    "title",
    "data",
    "seeds",
    "methods",
    "robustness",
    "metrics",
    "reference",
    "input_shape",
}
_OPTIONAL_KEYS = ("teacher", "listed", "bound", "options")
_METHOD_KEYS = {"title", "config", *_OPTIONAL_KEYS}


class SuiteError(ValueError):
    """A suite cannot be run as it is; the message lists everything that is wrong."""


@dataclass(frozen=True)
class Method:
    """One row of the tables.

    Attributes:
        key: Its name in the suite and of its folder.
        title: Its name in tables and plots.
        config: Its config file.
        teacher: Key of the method whose checkpoint teaches it.
        listed: Whether it stands in tables and plots.
        bound: It sees what the others cannot, such as the clear image: it is shown, never best.
        options: Dotted config keys and their values, of a distillation as ``train.py`` takes them.
    """

    key: str
    title: str
    config: Path
    teacher: str | None = None
    listed: bool = True
    bound: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Robustness:
    """What ``tools/robustness.py`` is asked for; covers in percent."""

    covers: tuple[int, ...]
    kinds: tuple[str, ...]


@dataclass(frozen=True)
class Suite:
    """A benchmark.

    Attributes:
        name: The suite's file name without its ending.
        title: Heading of the report.
        data: What the methods are trained and tested on, in words.
        seeds: One run of every method for each.
        methods: By their keys.
        robustness: None leaves that pass out.
        metrics: Column title -> key of ``scores.json``, of columns beside the usual ones.
        reference: Key of the method that the others are compared with beside the best.
        input_shape: Bands, height, width at which cost is measured; None takes the config's.
    """

    name: str
    title: str
    data: str
    seeds: tuple[int, ...]
    methods: Mapping[str, Method]
    robustness: Robustness | None = None
    metrics: Mapping[str, str] = field(default_factory=dict)
    reference: str | None = None
    input_shape: tuple[int, int, int] | None = None

    @property
    def listed(self) -> list[Method]:
        """The methods that stand in tables and plots."""
        return [method for method in self.methods.values() if method.listed]

    def selected(self, keys: Sequence[str]) -> Suite:
        """The suite with some methods only, and the teachers that they need.

        Raises:
            SuiteError: A key is unknown.
        """
        unknown = [key for key in keys if key not in self.methods]
        if unknown:
            raise SuiteError(
                f"{self.name}: has no method {', '.join(unknown)}; expected some of "
                f"{', '.join(self.methods)}"
            )
        wanted = set(keys)
        for key in keys:
            while (key := self.methods[key].teacher) is not None:
                wanted.add(key)
        chosen = {
            key: replace(method, listed=method.listed or key in keys)
            for key, method in self.methods.items()
            if key in wanted
        }
        reference = self.reference if self.reference in chosen else None
        return replace(self, methods=chosen, reference=reference)


def load_suite(path: str | Path, configs: Path = CONFIGS) -> Suite:
    """Read a suite.

    Args:
        path: The suite's file, an MMEngine config.
        configs: Folder to which the methods' configs are relative.

    Raises:
        SuiteError: It does not exist or its layout is wrong; the message lists every problem.
            Whether the methods' configs can be run says ``check_methods``.
    """
    path = Path(path)
    if not path.is_file():
        raise SuiteError(f"suite '{path}' does not exist; those that ship lie in configs/suites/")
    content = Config.fromfile(path).to_dict()
    problems = _unknown("", content, _SUITE_KEYS)
    problems += [f"{key}: is missing" for key in ("title", "data", "seeds") if key not in content]
    seeds = _sequence(content.get("seeds", ()))
    problems += seed_problems(seeds) if "seeds" in content else []
    methods = {
        key: _method(key, entry, configs, problems)
        for key, entry in (content.get("methods") or {}).items()
    }
    if not methods:
        problems.append("methods: expected at least one, found none")
    reference = content.get("reference")
    if reference is not None and reference not in methods:
        problems.append(f"reference: '{reference}' is none of the methods")
    problems += _teacher_problems(methods) + _title_problems(methods)
    robustness = _robustness(content.get("robustness"), problems)
    shape = content.get("input_shape")
    if shape is not None and len(_sequence(shape)) != 3:
        problems.append(f"input_shape: expected (bands, height, width), found {shape}")
    raise_problems(path, problems)
    return Suite(
        name=path.stem,
        title=content["title"],
        data=content["data"],
        seeds=seeds,
        methods=methods,
        robustness=robustness,
        metrics=content.get("metrics") or {},
        reference=reference,
        input_shape=tuple(shape) if shape is not None else None,
    )


def seed_problems(seeds: Sequence[Any]) -> list[str]:
    """What is wrong with a list of seeds."""
    whole = all(isinstance(seed, int) and seed >= 0 for seed in seeds)
    if not seeds or not whole or len(set(seeds)) < len(seeds):
        return [f"seeds: expected different whole numbers from 0, found {list(seeds)}"]
    return []


def raise_problems(path: str | Path, problems: Sequence[str]) -> None:
    """Raise one error that lists all problems of a suite, if there are any.

    Raises:
        SuiteError: There are.
    """
    if problems:
        listed = "\n".join(f"  - {problem}" for problem in problems)
        raise SuiteError(f"{path}: {len(problems)} problem(s), nothing was run:\n{listed}")


def _method(key: str, entry: Any, configs: Path, problems: list[str]) -> Method:
    if not isinstance(entry, dict) or not isinstance(entry.get("config"), str):
        problems.append(f"methods.{key}: expected dict(title=…, config='….py'), found {entry!r}")
        return Method(key, key, configs)
    problems += _unknown(f"methods.{key}.", entry, _METHOD_KEYS)
    known = {name: entry[name] for name in _OPTIONAL_KEYS if name in entry}
    return Method(key, entry.get("title", key), configs / entry["config"], **known)


def _robustness(entry: Any, problems: list[str]) -> Robustness | None:
    if not entry:
        return None
    if not isinstance(entry, dict) or set(entry) != {"covers", "kinds"}:
        problems.append(f"robustness: expected dict(covers=[…], kinds=[…]), found {entry!r}")
        return None
    return Robustness(_sequence(entry["covers"]), _sequence(entry["kinds"]))


def _sequence(value: Any) -> tuple:
    return tuple(value) if isinstance(value, list | tuple) else (value,)


def _unknown(prefix: str, content: Mapping, known: set[str]) -> list[str]:
    return [
        f"{prefix}{key}: is unknown; expected one of {', '.join(sorted(known))}"
        for key in content
        if key not in known
    ]


def _teacher_problems(methods: Mapping[str, Method]) -> list[str]:
    problems = []
    for key, method in methods.items():
        seen = {key}
        while (teacher := method.teacher) is not None:
            if teacher not in methods or teacher in seen:
                reason = "teaches itself" if teacher in seen else "is none of the methods"
                problems.append(f"methods.{key}.teacher: '{teacher}' {reason}")
                break
            seen.add(teacher)
            method = methods[teacher]
    return problems


def _title_problems(methods: Mapping[str, Method]) -> list[str]:
    titles = [method.title for method in methods.values()]
    return [
        f"methods: the title '{title}' stands {titles.count(title)} times; each needs its own"
        for title in dict.fromkeys(titles)
        if titles.count(title) > 1
    ]
