"""The declared experiments: modules of `declared`, and files in one folder of the user.

Belongs here: finding them. A wrong declaration stops what reads experiments, and nothing else.
"""

from __future__ import annotations

import os
import pkgutil
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from itertools import pairwise
from pathlib import Path

from resources.settings.user_module import import_file
from resources.settings.variables import EXPERIMENTS
from social_assets.recommend.experiments import declared
from social_assets.recommend.experiments.definition import Experiment, ExperimentError


@cache
def experiments() -> tuple[Experiment, ...]:
    """All experiments, by name, found once a process. Raises ExperimentError."""
    found = sorted(_found(), key=lambda each: each.name)
    for one, other in pairwise(found):
        if one.name == other.name:
            raise ExperimentError(f"two experiments are named {one.name}; rename one")
    return tuple(found)


def experiment(name: str) -> Experiment:
    """The experiment of this name. Raises ExperimentError, which names the existing ones."""
    for each in experiments():
        if each.name == name:
            return each
    known = ", ".join(each.name for each in experiments()) or f"none; set {EXPERIMENTS}"
    raise ExperimentError(f"no experiment {name!r}; the experiments are {known}")


def _found() -> Iterator[Experiment]:
    for info in pkgutil.iter_modules(declared.__path__):
        yield import_module(f"{declared.__name__}.{info.name}").EXPERIMENT
    folder = os.environ.get(EXPERIMENTS)
    if not folder:
        return
    if not Path(folder).is_dir():
        raise ExperimentError(
            f"{EXPERIMENTS}={folder} is not a folder; set it to the folder that holds your "
            "experiments, or unset it"
        )
    for path in sorted(Path(folder).glob("*.py")):
        # Modules that experiments import from each other begin with an underscore.
        if not path.name.startswith("_"):
            yield _of_file(path)


def _of_file(path: Path) -> Experiment:
    try:
        module = import_file(path, f"social_assets_experiment_{path.stem}")
    except (Exception, SystemExit) as error:
        raise ExperimentError(f"{path} can't be imported: {error}") from error
    declared_there = getattr(module, "EXPERIMENT", None)
    if not isinstance(declared_there, Experiment):
        raise ExperimentError(f"{path} has no EXPERIMENT = Experiment(...)")
    return declared_there
