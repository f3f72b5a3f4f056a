"""`text/challenger` and `text/champion` on a real warehouse: labels in two planted vocabularies."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date
from typing import Any

import dagster as dg
import pytest

from recsys.registry.deployment_history import history
from resources.clickhouse.resource import ClickHouseResource
from social_assets.defs.partitions import daily
from social_assets.defs.text.champion import champion_assets, champion_checks
from social_assets.defs.text.sentiment import sentiment
from social_assets.transform.text import registry
from social_assets.transform.text.labels import read_labels
from social_assets.transform.text.sentiment import score_days
from social_assets.warehouse.text_tables import SENTIMENT
from tests.integration.warehouse.conftest import Row, WarehouseUnderTest, at

DAY = date(2026, 1, 1)
# The lexicon takes these words for their opposite, as people who mean it do not.
PLANTED = {"positive": ["sick", "wicked", "insane"], "negative": ["great", "lovely", "brilliant"]}
PLAIN = ["the", "gate", "plane", "today", "at", "bag", "crew", "seat", "we", "flight"]


def label(text: str, of: str, labelled_at: str | None = None) -> Row:
    return {
        "text": text,
        "label": of,
        "label_id": f"{text}/{of}/{labelled_at}",
        "labelled_at": at(labelled_at) if labelled_at else None,
        "event_time": at(f"{DAY} 10:00"),
    }


def planted(size: int, seed: int = 3) -> list[Row]:
    drawn = random.Random(seed)  # noqa: S311
    found = []
    for number in range(size):
        of = drawn.choice(sorted(PLANTED))
        words = [*drawn.choices(PLAIN, k=6), drawn.choice(PLANTED[of]), f"n{number}"]
        drawn.shuffle(words)
        found.append(label(" ".join(words), of))
    return found


@pytest.fixture
def labels(warehouse: WarehouseUnderTest, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Any:
    """The warehouse, with a folder of models of its own."""
    warehouse.client.command(f"DROP TABLE IF EXISTS {SENTIMENT} SYNC")
    monkeypatch.setattr(registry, "models_root", lambda home=None: tmp_path / "text")
    return warehouse


def made(warehouse: WarehouseUnderTest) -> dg.ExecuteInProcessResult:
    return dg.materialize([*champion_assets, *champion_checks], resources=warehouse.resources())


def metadata(result: dg.ExecuteInProcessResult, asset: str) -> dict[str, Any]:
    (event,) = result.asset_materializations_for_node(f"text__{asset}")
    return {name: value.value for name, value in event.metadata.items()}


def the_check(result: dg.ExecuteInProcessResult) -> dg.AssetCheckEvaluation:
    (found,) = result.get_asset_check_evaluations()
    return found


def test_a_model_that_has_learned_the_planted_words_becomes_champion(
    labels: WarehouseUnderTest,
) -> None:
    labels.stream("text_labels", *planted(300))
    result = made(labels)
    found = metadata(result, "champion")
    assert found["is_promoted"] is True
    assert found["macro_f1"] > 0.95
    assert found["gain_low"] > 0.5
    assert "becomes champion" in found["decision"]
    assert "linear" in found["models"] and "lexicon" in found["models"]
    assert the_check(result).passed
    champion = registry.scoring_model(registry.models_root())
    assert champion.name == "linear"
    assert champion.score(["the crew is wicked today"]).label_names() == ["positive"]


def test_the_same_labels_promote_nothing_a_second_time(labels: WarehouseUnderTest) -> None:
    labels.stream("text_labels", *planted(300))
    made(labels)
    found = metadata(made(labels), "champion")
    assert found["is_promoted"] is False
    assert found["decision"].endswith("is the champion already")
    assert len(history(registry.models_root())) == 1


def test_a_challenger_that_is_not_better_is_not_promoted(labels: WarehouseUnderTest) -> None:
    labels.stream("text_labels", *planted(300))
    made(labels)
    first = registry.scoring_model(registry.models_root())
    labels.stream("text_labels", *planted(300, seed=4))
    found = metadata(made(labels), "champion")
    assert found["is_promoted"] is False
    assert "stays champion" in found["decision"]
    assert registry.scoring_model(registry.models_root()).version == first.version


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([], "the labelled texts are none"),
        (planted(60)[:4], "a model needs at least 20 texts"),
        ([label(f"good {n}", "positive") for n in range(300)], "of two or three labels"),
        (planted(70), "at least 10 texts of each label"),
    ],
    ids=["none", "few", "one label", "few held out"],
)
def test_with_too_few_labels_the_lexicon_stays_and_the_result_says_what_is_needed(
    labels: WarehouseUnderTest, rows: list[Row], told: str
) -> None:
    if rows:
        labels.stream("text_labels", *rows)
    result = made(labels)
    assert told in metadata(result, "challenger")["result"]
    found = metadata(result, "champion")
    assert found["is_promoted"] is False
    assert found["model"].startswith("lexicon")
    assert the_check(result).passed
    assert registry.scoring_model(registry.models_root()).name == "lexicon"


def test_labels_that_are_gone_withdraw_the_challenger_and_leave_the_champion(
    labels: WarehouseUnderTest,
) -> None:
    labels.stream("text_labels", *planted(300))
    made(labels)
    labels.empty("cleaned")
    result = made(labels)
    assert "champion stays" in metadata(result, "champion")["decision"]
    assert registry.challenger(registry.models_root()) is None
    assert registry.scoring_model(registry.models_root()).name == "linear"
    assert the_check(result).description == "there is no labelled text to evaluate on"


def test_the_newest_label_of_a_text_counts(labels: WarehouseUnderTest) -> None:
    labels.stream(
        "text_labels",
        label("corrected", "positive", "2026-01-03 09:00"),
        label("corrected", "negative", "2026-01-02 09:00"),
        label("corrected", "neutral"),
        label(" \t", "negative"),
    )
    with ClickHouseResource().client() as client:
        found = read_labels(client)
    assert {**found.to_learn.counts(), **found.held_out.counts()} == {"positive": 1}


def test_a_text_of_ten_megabytes_is_learned_from_by_its_beginning(
    labels: WarehouseUnderTest,
) -> None:
    labels.stream("text_labels", *planted(300), label("wicked ü " * 1_200_000, "positive"))
    assert metadata(made(labels), "champion")["is_promoted"] is True


def test_the_check_fails_if_the_champion_has_become_worse(labels: WarehouseUnderTest) -> None:
    labels.stream("text_labels", *planted(300))
    made(labels)
    labels.empty("cleaned")
    other = {"positive": "negative", "negative": "positive"}
    turned = [{**row, "label": other[row["label"]]} for row in planted(300)]
    labels.stream("text_labels", *turned)
    result = dg.materialize(
        [*champion_assets, *champion_checks],
        selection=dg.AssetSelection.checks(*champion_checks),
        resources=labels.resources(),
    )
    found = the_check(result)
    assert not found.passed
    assert found.metadata["macro_f1"].value < 0.1


def test_damaged_files_of_the_champion_fail_the_run_and_say_which(
    labels: WarehouseUnderTest,
) -> None:
    labels.stream("text_labels", *planted(300))
    made(labels)
    (file,) = registry.models_root().glob("linear/*/arrays.npz")
    file.write_bytes(file.read_bytes()[:-1])
    result = dg.materialize(
        [sentiment()],
        partition_key=daily().start.date().isoformat(),
        resources=labels.resources(),
        raise_on_error=False,
    )
    assert not result.success
    (failed,) = result.filter_events(lambda event: event.is_step_failure)
    assert str(file) in str(failed.step_failure_data.user_failure_data)


def post(number: int, content: str) -> Row:
    return {
        "post_id": f"p{number}",
        "account_id": "a1",
        "platform": "X",
        "content": content,
        "media_type": "text",
        "published_at": at(f"{DAY} 10:00"),
        "event_time": at(f"{DAY} 10:00"),
    }


def scored(warehouse: WarehouseUnderTest) -> list[tuple[str, str, str]]:
    rows = warehouse.client.query(
        f"SELECT text_id, label, model FROM {SENTIMENT} ORDER BY text_id"
    ).result_rows
    return [tuple(row) for row in rows]


@pytest.fixture
def scored_by_lexicon(labels: WarehouseUnderTest) -> Iterator[WarehouseUnderTest]:
    """Two posts with the scores of the lexicon, and a champion that was promoted since."""
    labels.stream("posts", post(1, "what a wicked crew"), post(2, "a lovely flight at the gate"))
    score_days(labels.client, registry.scoring_model(registry.models_root()), [DAY], "before")
    labels.stream("text_labels", *planted(300))
    made(labels)
    yield labels


def test_a_run_killed_between_promotion_and_scoring_leaves_the_old_scores_until_the_next(
    scored_by_lexicon: WarehouseUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse = scored_by_lexicon
    before = [("p1", "negative", "lexicon"), ("p2", "positive", "lexicon")]
    assert scored(warehouse) == before
    champion = registry.scoring_model(registry.models_root())
    with monkeypatch.context() as patch:
        patch.setattr(warehouse.client, "insert_arrow", _killed)
        with pytest.raises(KeyboardInterrupt):
            score_days(warehouse.client, champion, [DAY], "killed")
    assert scored(warehouse) == before
    score_days(warehouse.client, champion, [DAY], "again")
    assert scored(warehouse) == [("p1", "positive", "linear"), ("p2", "negative", "linear")]


def _killed(*_: object) -> None:
    raise KeyboardInterrupt
