"""The text of a config, which logs show and checkpoints and work dirs keep."""

from __future__ import annotations

import ast
import pprint
from typing import Any

import torch
from mmengine.config import Config

from mmcloudseg.utils.plain_values import to_plain

_CONSTANTS = {"dict", "inf", "nan"}


class ReadableConfig(Config):
    """MMEngine's ``Config``, whose text can be read back whatever values it holds.

    MMEngine writes paths, enums, arrays, classes and keys such as None in a way that Python cannot
    read, and a run with them does not even start. Here they are written as plain values; all other
    configs have MMEngine's text.
    """

    @classmethod
    def of(cls, cfg: Config) -> ReadableConfig:
        """Take over a config, not as a copy."""
        made = cls.__new__(cls)
        made.__setstate__(cfg.__getstate__())
        return made

    @property
    def pretty_text(self) -> str:
        """The config as Python code."""
        try:
            text = super().pretty_text
            if _is_readable(text):
                return text
        except (SyntaxError, ValueError):
            pass
        plain = _with_lists(to_plain(self.to_dict()))
        return "\n".join(f"{key} = {pprint.pformat(value)}" for key, value in plain.items()) + "\n"


def _is_readable(text: str) -> bool:
    names = {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
    assigned = {
        target.id
        for line in ast.parse(text).body
        if isinstance(line, ast.Assign)
        for target in line.targets
        if isinstance(target, ast.Name)
    }
    return names <= assigned | _CONSTANTS


def _with_lists(value: Any) -> Any:
    """Plain values with lists in place of tensors."""
    if isinstance(value, torch.Tensor):
        return value.tolist()
    if isinstance(value, dict):
        return {key: _with_lists(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_with_lists(item) for item in value)
    return value
