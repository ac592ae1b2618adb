"""Builds a policy in Python into a component.

::

    python -m lockgate_sdk.build --source FILE --wit DIR --world NAME --reads metrics,model --out FILE

The last line of standard output is JSON. ``{"uses": [...]}`` are the interfaces that the policy's
code imports; no component is written when it imports one that ``--reads`` does not name.
``{"missing": NAME}``, with exit code 4, is a tool that is not installed. What is wrong with the policy
goes to standard error, with exit code 1.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path

from ._policy import policy_of

_INTERFACES = (
    "approvals cost documents history log metrics model promotion security sources tests".split()
)
_ENTRY = "lockgate_entry"
_NEEDED = ["componentize_py", "fastjsonschema"]
_OLDEST = (3, 10)
# What the command `componentize-py` does, with this Python wherever the command is.
_COMPONENTIZE = "import componentize_py, sys; sys.argv[0] = 'componentize-py'; sys.exit(componentize_py.script())"
_MISSING_TOOL = 4


def main() -> int:
    arguments = _arguments()
    if sys.version_info < _OLDEST:
        needed = ".".join(map(str, _OLDEST))
        return _fail(f"Python {needed} or newer is needed, and this is {sys.version.split()[0]}")
    for name in _NEEDED:
        if importlib.util.find_spec(name) is None:
            print(json.dumps({"missing": name.replace("_", "-")}))
            return _MISSING_TOOL
    source = Path(arguments.source).resolve()
    if not source.stem.isidentifier() or source.suffix != ".py":
        return _fail(f"`{source.name}` is not the name of a module; rename it, like `policy.py`")
    if not _loads(source):
        return 1
    uses = [name for name in _INTERFACES if f"lockgate_sdk.{name}" in sys.modules]
    if set(uses) <= set(filter(None, arguments.reads.split(","))):
        problem = _componentize(source, arguments)
        if problem:
            return problem
    print(json.dumps({"uses": uses}))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m lockgate_sdk.build")
    for name in ("source", "wit", "world", "out"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--reads", default="")
    return parser.parse_args()


def _loads(source: Path) -> bool:
    """Loads the policy natively: what is wrong with it reads better here than within a component."""
    sys.path.insert(0, str(source.parent))
    # Nothing is to be left in the project.
    sys.dont_write_bytecode = True
    try:
        policy_of(importlib.import_module(source.stem))
    except BaseException as error:
        # The lines of this file and of the import system tell the author nothing.
        frames = [it for it in traceback.extract_tb(error.__traceback__) if _is_authors(it.filename)]
        lines = traceback.format_list(frames) + traceback.format_exception_only(type(error), error)
        _fail("".join(lines).rstrip())
        return False
    return True


def _is_authors(filename: str) -> bool:
    return not filename.startswith("<") and Path(filename).parent != Path(__file__).parent and "importlib" not in filename


def _componentize(source: Path, arguments: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory(prefix="lockgate-python-") as folder:
        Path(folder, f"{_ENTRY}.py").write_text(
            f"import {source.stem}\n"
            "from lockgate_sdk.component import exported\n"
            f"WitWorld = exported({source.stem})\n",
            encoding="utf-8",
        )
        paths = _paths(source, folder)
        command = [sys.executable, "-c", _COMPONENTIZE, "-q", "-d", arguments.wit, "-w", arguments.world, "componentize", "--stub-wasi"]
        command += [word for path in paths for word in ("-p", path)]
        command += ["-o", arguments.out, _ENTRY]
        # Without it the tool looks for other environments to take packages from.
        environment = {**os.environ, "VIRTUAL_ENV": sys.prefix}
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        return _fail((done.stderr + done.stdout).strip())
    return 0


def _paths(source: Path, entry: str) -> list[str]:
    """Where the component's modules come from: the policy, the entry, the SDK and what it needs."""
    import fastjsonschema

    homes = [Path(__file__).parents[1], Path(fastjsonschema.__file__).parents[1]]
    return list(dict.fromkeys([str(source.parent), entry, *map(str, homes)]))


def _fail(message: str) -> int:
    print(message, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
