"""`social-assets text`: from a file of labels to posts that its model has scored."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from pathlib import Path

import pytest

from resources.settings.home import Home
from tests.e2e.commands.test_command_line import run

PLANTED = {"positive": ["sick", "wicked"], "negative": ["great", "lovely"]}
PLAIN = ["the", "gate", "plane", "today", "at", "bag", "crew", "seat", "we", "flight"]
SPELLED = {"positive": ["positive", 1, "Pos"], "negative": [-1, "NEGATIVE", "neg"]}


def lines(file: Path, records: Iterable[object]) -> str:
    file.write_text("".join(json.dumps(record) + "\n" for record in records))
    return str(file)


def labels(size: int) -> list[dict[str, object]]:
    drawn = random.Random(3)  # noqa: S311
    found: list[dict[str, object]] = []
    for number in range(size):
        of = drawn.choice(sorted(PLANTED))
        words = [*drawn.choices(PLAIN, k=6), drawn.choice(PLANTED[of]), f"n{number}"]
        found.append({"text": " ".join(words), "label": drawn.choice(SPELLED[of])})
    return found


def scores(capsys: pytest.CaptureFixture[str]) -> list[list[str]]:
    query = "SELECT text_id, label, model FROM text.sentiment ORDER BY text_id"
    capsys.readouterr()
    assert run("sql", query, "--format", "csv") == 0
    return [line.split(",") for line in capsys.readouterr().out.split()[1:]]


def test_labels_are_learned_and_the_model_scores_posts_after_a_backfill(
    home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    posts = [
        {"post_id": f"p{n}", "account_id": "a", "platform": "X", "content": f"the crew is {word}"}
        for n, word in enumerate(("wicked", "lovely"))
    ]
    assert run("load", "posts", lines(tmp_path / "posts.ndjson", posts)) == 0
    assert run("backfill", "text/sentiment") == 0
    assert scores(capsys) == [["p0", "negative", "lexicon"], ["p1", "positive", "lexicon"]]

    assert run("text", "champions") == 0
    assert "the lexicon scores" in capsys.readouterr().err
    assert run("text", "train") == 0
    assert "the labelled texts are none" in capsys.readouterr().out

    assert run("load", "text_labels", lines(tmp_path / "labels.ndjson", labels(300))) == 0
    assert run("text", "train") == 0
    assert "becomes champion" in capsys.readouterr().out
    assert run("text", "champions") == 0
    (scoring,) = capsys.readouterr().out.splitlines()
    assert scoring.startswith("linear/") and scoring.endswith("scores")

    assert [model for _, _, model in scores(capsys)] == ["lexicon", "lexicon"]
    assert run("backfill", "text/sentiment") == 0
    assert scores(capsys) == [["p0", "positive", "linear"], ["p1", "negative", "linear"]]

    assert run("text", "rollback", "--to", "lexicon") == 0
    assert run("backfill", "text/sentiment") == 0
    assert [model for _, _, model in scores(capsys)] == ["lexicon", "lexicon"]


def test_there_is_nothing_to_go_back_to_but_an_earlier_model(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("text", "rollback", "--to", "0123") == 1
    assert "has no version 0123 to go back to" in capsys.readouterr().err
