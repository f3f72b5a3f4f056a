"""The image has what the platform needs, as another user than root, and no tools of development."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[3]
DOCKERFILE = (ROOT / "docker" / "Dockerfile").read_text()
STAGES = re.split(r"^FROM ", DOCKERFILE, flags=re.MULTILINE)[1:]

OLDEST = {"python_version": "3.11", "python_full_version": "3.11.0"}
"""What the lists are made for."""


def pinned(file: str) -> dict[str, str]:
    """By name: the version and the hashes of a list of requirements."""
    text = (ROOT / file).read_text()
    return {
        canonicalize_name(name): rest.strip()
        for name, rest in re.findall(r"^([\w.-]+)==((?:.|\n(?=    ))+)", text, re.MULTILINE)
    }


def closure(names: set[str]) -> set[str]:
    """The packages, and what they need."""
    found: set[str] = set()
    wanted = [Requirement(name) for name in sorted(names)]
    seen: set[tuple[str, frozenset[str]]] = set()
    while wanted:
        each = wanted.pop()
        name = canonicalize_name(each.name)
        key = (name, frozenset(each.extras))
        if key in seen:
            continue
        seen.add(key)
        found.add(name)
        for text in requires(each.name) or ():
            needed = Requirement(text)
            if needed.marker is None or any(
                needed.marker.evaluate({"extra": extra, **OLDEST}) for extra in ("", *each.extras)
            ):
                wanted.append(needed)
    return found


def test_the_image_has_the_tested_versions_of_what_it_needs() -> None:
    every, image = pinned("requirements.txt"), pinned("requirements-production.txt")
    assert len(image) > 100
    assert {name: every.get(name) for name in image} == image


def test_the_image_has_all_that_the_platform_declares_and_no_tool_of_development() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    needed = closure({*project["dependencies"], *extras["production"]})
    image = set(pinned("requirements-production.txt"))
    assert needed == image
    tools = {canonicalize_name(Requirement(text).name) for text in extras["dev"]}
    assert tools & image == set()
    assert {"pip", "setuptools", "pytest", "mypy", "ruff"} & image == set()


def test_what_builds_does_not_reach_the_image() -> None:
    build, image = STAGES
    assert "--require-hashes" in build and "AS build" in build
    assert "pip install" not in image and "COPY . " not in image
    assert "pip uninstall" in image
    copied = re.findall(r"^COPY (.*)$", image, re.MULTILINE)
    assert all(each.startswith("--from=build ") for each in copied)


def test_the_image_runs_as_a_user_without_rights_who_cannot_change_the_code() -> None:
    image = STAGES[-1]
    assert re.search(r"^USER 10001:10001$", image, re.MULTILINE)
    assert "useradd --create-home --uid 10001 --gid 10001" in image
    assert "chown" not in image and "--chown" not in image


def test_building_needs_only_what_is_pinned() -> None:
    names = re.search(r"kept = /\^\(([\w|-]+)\)==/", STAGES[0])
    assert names is not None
    listed = {canonicalize_name(name) for name in names[1].split("|")}
    assert listed == closure({"hatchling"})
    assert listed <= pinned("requirements.txt").keys()
