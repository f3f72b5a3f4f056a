"""The words that the glossary replaces are gone, class names are unique, and files stay small.

Belongs here: rules for names and for the size of files and folders. Rules for imports belong to
import-linter (`pyproject.toml`) and to `test_private_apis`. Each rule has a ratchet: the places
that still break it. A number there may fall and never rises; remove an entry that is not needed.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
CODE = ("social_assets", "resources", "sensors", "recsys")
FOLDERS = (*CODE, "tests", "bench", "docs", "examples", "dbt/models", "dbt/macros")
RECORDED = CHECKOUT / "bench" / "RESULTS.md"
"""Results that older versions recorded, in the words that they used."""
SUFFIXES = {".py", ".md", ".sql", ".yml", ".yaml"}

WORDS = {
    "hops?": "step, or pipeline for all of them",
    "settl(e|ed|es|ing)": "recover, or in a count: accounted for",
    "ow(e|ed|es|ing)": "pending",
    "judg(e|ed|es|ing|ement)": "validate, or for a model: evaluate",
    "verdicts?": "validation result, or check result",
    "laws?": "invariant",
    "reigns?|crown(ed|s)?": "deployment history, promote",
    "standing": "active alert",
    "news": "change",
    "own runs?|command runs?": "cli run lock",
    "dead letters?": "quarantine",
    "set aside": "quarantine",
    "presented": "current",
    "retired": "expired",
    "findings": "diagnostics",
}
"""Not these words, in names or in prose, and what to say instead."""

NAMES = {
    "ahead": "prefetch",
    "finding": "diagnostic",
    "rounds?": "dispatch",
}
"""Not these words in names; a sentence may use them in their everyday sense."""

RIGHT = {
    ("laws?", "social_assets/demo/samples/bench_records.py"): "Zipf's law",
    ("laws?", "bench/serving/rollup_rows.py"): "Zipf's law",
    ("standing", "social_assets/demo/samples/vocabulary.py"): "a sentence of a sample post",
    ("news", "tests/integration/recommend/test_interactions_of_the_star_schema.py"): "a topic",
    ("news", "recsys/bandits/linear_thompson.py"): "the title of a paper",
    ("dead letters?", "social_assets/cli/main.py"): "a hidden alias for one release",
    ("reigns?|crown(ed|s)?", "recsys/registry/deployment_history.py"): "a folder of release 0.1",
    ("reigns?|crown(ed|s)?", "tests/recsys/registry/"): "a folder of release 0.1",
    ("ahead", "tests/e2e/graph/test_topic_checks.py"): "a broker is ahead of the lake",
    ("ahead", "tests/integration/operate/test_doctor.py"): "a clock is ahead",
    ("rounds?", "bench/"): "a round of a benchmark",
    (
        "rounds?",
        "tests/integration/kafka/drain/test_drain_survives_faults.py",
    ): "a benchmark's rounds",
}
"""Word, file or folder -> why the word is right there."""

STORED = {
    "hops?": r'"hop"|`hop`',
    "verdicts?": r'"verdict"|\.verdict\b|\bverdict=|`verdict`',
    "retired": r'"retired_at"|/retired"|`retired`',
}
"""Word -> how the code spells it where a home has stored it: these names are read as before."""

LEFT: dict[str, int] = {}
"""Word -> how many uses are left: may only fall."""

LARGE_FILES: dict[str, int] = {}
"""File of more than 400 lines -> its lines: may only fall."""

LARGE_FOLDERS: dict[str, int] = {}
"""Folder of more than 15 Python files -> their number: may only fall."""

SHARED_CLASS_NAMES: frozenset[str] = frozenset()
"""Public classes of one name in two modules: the set may only shrink."""


@cache
def texts() -> dict[str, str]:
    """Every file of code, tests and documents, but this one, by its path in the checkout."""
    return {
        str(path.relative_to(CHECKOUT)): path.read_text()
        for folder in FOLDERS
        for path in sorted((CHECKOUT / folder).rglob("*"))
        if path.suffix in SUFFIXES and path not in (Path(__file__).resolve(), RECORDED)
    }


@cache
def plain(path: str, left_out: str = r"$.") -> str:
    """The file's text in lower case, its names cut into words: `HopLog` is `hop log`."""
    return _cut(re.sub(left_out, " ", texts()[path]))


@cache
def names(path: str) -> str:
    """The names in a Python file, cut into words; calls of Python's own `round` are left out."""
    tokens = tokenize.generate_tokens(io.StringIO(texts()[path]).readline)
    found = [token.string for token in tokens if token.type == tokenize.NAME]
    return _cut("\n".join(name for name in found if name != "round"))


def uses(word: str) -> Iterator[str]:
    """The path of every use of the word where it is not right, once a use."""
    pattern = re.compile(rf"(?<![a-z])(?:{word})(?![a-z])")
    for path in texts():
        if any(word == of and path.startswith(where) for of, where in RIGHT):
            continue
        if word in WORDS:
            searched = path + "\n" + plain(path, STORED.get(word, r"$."))
        elif path.endswith(".py"):
            searched = names(path)
        else:
            continue
        yield from (path for _ in pattern.finditer(searched))


@pytest.mark.parametrize("word", [*WORDS, *NAMES])
def test_the_glossary_replaces_a_word(word: str) -> None:
    found = Counter(uses(word))
    say = {**WORDS, **NAMES}[word]
    assert found.total() <= LEFT.get(word, 0), f"say {say!r}, not {word!r}: {dict(found)}"


def test_every_exception_is_still_needed() -> None:
    for word, where in RIGHT:
        pattern = re.compile(rf"(?<![a-z])(?:{word})(?![a-z])")
        found = [path for path in texts() if path.startswith(where) and pattern.search(plain(path))]
        assert found, f"nothing in {where} says {word!r}: remove it from RIGHT"


def test_no_two_public_classes_have_one_name() -> None:
    found = Counter(
        node.name
        for path, text in texts().items()
        if path.startswith(CODE) and path.endswith(".py")
        for node in ast.parse(text).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert {name for name, times in found.items() if times > 1} <= SHARED_CLASS_NAMES


def test_no_file_is_long() -> None:
    lines = {path: text.count("\n") for path, text in texts().items() if path.endswith(".py")}
    found = {path: n for path, n in lines.items() if n > LARGE_FILES.get(path, 400)}
    assert not found, "split these files by what they hold, or make them shorter"


def test_no_folder_holds_many_modules() -> None:
    python = [Path(path) for path in texts() if path.endswith(".py")]
    modules = Counter(str(path.parent) for path in python)
    found = {path: n for path, n in modules.items() if n > LARGE_FOLDERS.get(path, 15)}
    assert not found, "make a folder by subject for some of these modules"


def _cut(text: str) -> str:
    camel = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text)
    return re.sub(r"[_\s-]+", " ", camel).lower()
