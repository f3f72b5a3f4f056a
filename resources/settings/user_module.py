"""Imports a Python file that a user has put into one of the platform's folders."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType


def import_file(path: Path, name: str) -> ModuleType | None:
    """Import a file as the module `name`; None if its name says that it is no Python module.

    Raises whatever the module raises, SystemExit too, and forgets the module then.
    """
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        return None
    module = importlib.util.module_from_spec(spec)
    # Annotations that are texts are looked up in the module by its name.
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
