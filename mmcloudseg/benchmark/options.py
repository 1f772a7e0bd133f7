"""Options of the methods of a suite: checked against configs, and written for a command."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from mmengine.config import Config
from mmengine.registry import LOOPS, init_default_scope
from mmseg.registry import MODELS

from mmcloudseg.benchmark.suite import Method, Suite
from mmcloudseg.engine.configs import is_distillation, load_config, parse_options
from mmcloudseg.utils.config_types import type_class

_STUDENT = "model.architecture."


def check_methods(suite: Suite, options: Mapping[str, Any]) -> list[str]:
    """List what keeps the methods of a suite from being run with options of the command line."""
    init_default_scope("mmseg")
    methods = suite.methods.values()
    return [f"methods.{m.key}: {text}" for m in methods for text in _problems(m, options)]


def _problems(method: Method, options: Mapping[str, Any]) -> list[str]:
    if not method.config.is_file():
        return [f"config '{method.config}' does not exist"]
    try:
        plain = load_config(str(method.config))
    except Exception as error:  # a Python file may raise anything
        return [f"config '{method.config}' cannot be read ({type(error).__name__}: {error})"]
    if method.teacher is not None and not is_distillation(plain):
        return [f"has a teacher, but '{method.config.name}' trains without one: remove it"]
    problems = []
    for key, value in {**options, **method.options}.items():
        if not _applies(plain, key):
            problems.append(f"option '{key}' does not apply to '{method.config.name}'")
        try:
            lost = parse_options(option_arguments({key: value})) != flattened({key: value})
        except ValueError:
            lost = True
        if lost:
            problems.append(
                f"option '{key}' has the value {value!r}, which cannot be written on a command "
                "line: write a config for it"
            )
    return problems


def _applies(cfg: Config, dotted: str) -> bool:
    """Whether a key is in a config or is an argument of the class that its parent configures."""
    *parents, leaf = dotted.split(".")
    at: Any = cfg
    for name in parents:
        if (at := _child(at, name)) is None:
            return False
    if _child(at, leaf) is not None or (isinstance(at, Mapping) and leaf in at):
        return True
    if not isinstance(at, Mapping) or "type" not in at:
        return isinstance(at, Mapping) and bool(parents)
    made = type_class(at, MODELS) or type_class(at, LOOPS)
    if not inspect.isclass(made):
        return True
    inits = [vars(base).get("__init__") for base in made.__mro__]
    return any(leaf in inspect.signature(init).parameters for init in inits if callable(init))


def _child(at: Any, name: str) -> Any:
    if isinstance(at, list | tuple) and name.isdigit():
        return at[int(name)] if int(name) < len(at) else None
    return at.get(name) if isinstance(at, Mapping | Config) else None


def flattened(options: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Turn dicts among the values of options into dotted keys."""
    flat: dict[str, Any] = {}
    for key, value in options.items():
        if isinstance(value, Mapping) and value:
            flat |= flattened(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def option_arguments(options: Mapping[str, Any]) -> list[str]:
    """Write options as ``KEY=VALUE``, as ``--cfg-options`` reads them."""
    return [f"{key}={_text(value)}" for key, value in flattened(options).items()]


def _text(value: Any) -> str:
    if isinstance(value, list | tuple):
        inner = ",".join(_text(item) for item in value)
        return f"[{inner}]" if isinstance(value, list) else f"({inner})"
    return str(value)


def student_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options for a test, in which the student of a distillation is the whole model."""
    kept = {}
    for key, value in flattened(options).items():
        if key.startswith(_STUDENT):
            kept[f"model.{key.removeprefix(_STUDENT)}"] = value
        elif not key.startswith(("model.teacher", "model.distiller")):
            kept[key] = value
    return kept
