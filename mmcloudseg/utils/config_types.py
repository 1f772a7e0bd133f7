"""The ``type`` of a config, which is a registered name or the class itself."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mmengine.registry import Registry


def type_name(config: Mapping[str, Any]) -> str:
    """The name of a config's type, without its scope: ``LoadRasters``; empty if it has no type.

    The type is ``"LoadRasters"``, ``"mmseg.LoadRasters"`` or the class, as in MMEngine's pure
    Python configs.
    """
    made = config.get("type", "")
    return made.split(".")[-1] if isinstance(made, str) else getattr(made, "__name__", str(made))


def type_class(config: Mapping[str, Any], registry: Registry) -> type | None:
    """The class that a config's type stands for; None for a name that is not registered."""
    made = config["type"]
    return made if inspect.isclass(made) else registry.get(made)
