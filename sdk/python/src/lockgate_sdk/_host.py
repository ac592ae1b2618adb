"""Where an interface's functions come from: the host's in a component, evidence in memory else."""

import importlib
import importlib.util
from typing import Any

from . import _memory


def interface(name: str) -> Any:
    if importlib.util.find_spec("wit_world") is None:
        return _memory
    try:
        return importlib.import_module(f"wit_world.imports.{name}")
    except ModuleNotFoundError:
        raise ImportError(f"`reads` of policy.yaml does not name `{name}`") from None


def enum(name: str, of: Any, ours: Any) -> Any:
    """The member of the enum `name` of an interface that has the name of ours."""
    return getattr(of, name)[ours.name] if hasattr(of, name) else ours
