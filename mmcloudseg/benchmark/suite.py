"""Suites: which methods are trained and tested over which seeds, read from a config."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from mmengine.config import Config

CONFIGS = Path(__file__).parents[2] / "configs"


class SuiteError(ValueError):
    """A suite cannot be run as it is; the message lists everything that is wrong."""


@dataclass(frozen=True)
class Method:
    """One row of the tables.

    Attributes:
        key: Name in the suite and of the folder.
        title: Name in tables and plots.
        config: Config file.
        teacher: Key of the method whose checkpoint is the teacher.
        listed: Whether the method is shown in tables and plots.
        bound: Whether the method sees what the others cannot see, such as the clear image. It is
            shown, but never marked as the best.
        options: Dotted config keys and their values, as ``train.py`` takes them.
    """

    key: str
    title: str
    config: Path
    teacher: str | None = None
    listed: bool = True
    bound: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Suite:
    """A benchmark.

    Attributes:
        name: File name of the suite without its suffix.
        title: Heading of the report.
        data: Name of the data that the methods are trained and tested on.
        methods: Methods by their keys, each of which is run once for each seed.
        robustness: ``covers`` (percent) and ``kinds`` of the robustness pass; None for no pass.
        metrics: Title -> key of ``scores.json``, for further columns.
        reference: Key of the method that the others are compared with, in addition to the best.
        input_shape: Bands, height and width for the cost; None takes those of the config.
    """

    name: str
    title: str
    data: str
    seeds: tuple[int, ...]
    methods: Mapping[str, Method]
    robustness: Mapping[str, list] | None = None
    metrics: Mapping[str, str] = field(default_factory=dict)
    reference: str | None = None
    input_shape: tuple[int, int, int] | None = None

    @property
    def listed(self) -> list[Method]:
        """The methods that are shown in tables and plots."""
        return [method for method in self.methods.values() if method.listed]

    def selected(self, keys: Sequence[str]) -> Suite:
        """Return the suite with some methods only, and the teachers that they need.

        Raises:
            SuiteError: A key is unknown.
        """
        if unknown := [key for key in keys if key not in self.methods]:
            raise SuiteError(
                f"{self.name}: has no method {', '.join(unknown)}; expected some of "
                f"{', '.join(self.methods)}"
            )
        wanted = {name for key in keys for name in (key, *teachers(key, self.methods))}
        chosen = {
            key: replace(method, listed=method.listed or key in keys)
            for key, method in self.methods.items()
            if key in wanted
        }
        reference = self.reference if self.reference in chosen else None
        return replace(self, methods=chosen, reference=reference)


_SUITE_KEYS = {entry.name for entry in fields(Suite)} - {"name"}
_METHOD_KEYS = {entry.name for entry in fields(Method)} - {"key"}


def load_suite(path: str | Path) -> Suite:
    """Read a suite from an MMEngine config; configs of methods are relative to ``configs/``.

    Raises:
        SuiteError: The file does not exist or its layout is wrong; the message lists every
            problem. ``check_methods`` checks whether the methods can be run.
    """
    path = Path(path)
    if not path.is_file():
        raise SuiteError(f"suite '{path}' does not exist; the shipped ones are in configs/suites/")
    content = Config.fromfile(path).to_dict()
    problems = _unknown("", content, _SUITE_KEYS)
    problems += [f"{key}: is missing" for key in ("title", "data", "seeds") if key not in content]
    seeds = _sequence(content.get("seeds", ()))
    problems += seed_problems(seeds) if "seeds" in content else []
    methods = {
        key: _method(key, entry, problems) for key, entry in (content.get("methods") or {}).items()
    }
    reference = content.get("reference")
    if reference is not None and reference not in methods:
        problems.append(f"reference: '{reference}' is not one of the methods")
    problems += _method_problems(methods)
    robustness = content.get("robustness")
    if robustness and (not isinstance(robustness, dict) or set(robustness) != {"covers", "kinds"}):
        expected = "expected dict(covers=[…], kinds=[…])"
        problems.append(f"robustness: {expected}, found {robustness!r}")
    shape = content.get("input_shape")
    if shape is not None and len(_sequence(shape)) != 3:
        problems.append(f"input_shape: expected (bands, height, width), found {shape}")
    raise_problems(path, problems)
    changed = dict(
        seeds=seeds,
        methods=methods,
        robustness={k: list(_sequence(v)) for k, v in robustness.items()} if robustness else None,
        metrics=content.get("metrics") or {},
        input_shape=tuple(shape) if shape is not None else None,
    )
    return Suite(name=path.stem, **{**content, **changed})


def seed_problems(seeds: Sequence[Any]) -> list[str]:
    """List what is wrong with the seeds."""
    whole = all(isinstance(seed, int) and seed >= 0 for seed in seeds)
    if not seeds or not whole or len(set(seeds)) < len(seeds):
        return [f"seeds: expected different whole numbers from 0, found {list(seeds)}"]
    return []


def raise_problems(path: str | Path, problems: Sequence[str]) -> None:
    """Raise one ``SuiteError`` that lists all problems of a suite, if there are any."""
    if problems:
        listed = "\n".join(f"  - {problem}" for problem in problems)
        raise SuiteError(f"{path}: {len(problems)} problem(s), nothing was run:\n{listed}")


def _method(key: str, entry: Any, problems: list[str]) -> Method:
    if not isinstance(entry, dict) or not isinstance(entry.get("config"), str):
        problems.append(f"methods.{key}: expected dict(title=…, config='….py'), found {entry!r}")
        return Method(key, key, CONFIGS)
    problems += _unknown(f"methods.{key}.", entry, _METHOD_KEYS)
    known = {name: value for name, value in entry.items() if name in _METHOD_KEYS}
    return Method(key, **{"title": key, **known, "config": CONFIGS / entry["config"]})


def _sequence(value: Any) -> tuple:
    return tuple(value) if isinstance(value, list | tuple) else (value,)


def _unknown(prefix: str, content: Mapping, known: Collection[str]) -> list[str]:
    expected = ", ".join(sorted(known))
    unknown = [key for key in content if key not in known]
    return [f"{prefix}{key}: is unknown; expected one of {expected}" for key in unknown]


def teachers(key: str, methods: Mapping[str, Method]) -> list[str]:
    """The teacher of a method, its teacher, and so on; the chain ends at a repeated key."""
    chain = [key]
    while (teacher := methods[chain[-1]].teacher) is not None:
        chain.append(teacher)
        if teacher not in methods or teacher in chain[:-1]:
            break
    return chain[1:]


def _method_problems(methods: Mapping[str, Method]) -> list[str]:
    problems = [] if methods else ["methods: expected at least one, found none"]
    for key in methods:
        chain = [key, *teachers(key, methods)]
        last = chain.pop()
        if chain and (last not in methods or last in chain):
            reason = "teaches itself" if last in chain else "is not one of the methods"
            problems.append(f"methods.{key}.teacher: '{last}' {reason}")
    counts = Counter(method.title for method in methods.values())
    repeated = {title: count for title, count in counts.items() if count > 1}
    text = "methods: {1} methods have the title '{0}'; each needs its own"
    return problems + [text.format(*entry) for entry in repeated.items()]
