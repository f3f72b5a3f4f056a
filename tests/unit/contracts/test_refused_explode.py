"""An `explode` that cannot work is refused at import, with stream, column and remedy."""

from __future__ import annotations

from typing import Any

import pandera.ibis as pa
import pytest

from social_assets.contracts.contract import Contract, Explode
from social_assets.contracts.refusals.refuse_columns import RefusedError


def contract(source: str, **options: Any) -> Contract:
    model = type(
        "Comment",
        (pa.DataFrameModel,),
        {
            "__annotations__": {"text": str},
            "text": pa.Field(metadata={"source": source}, description="What it says"),
        },
    )
    given = {"formats": ("ndjson",), "owner": "team:a", "explode": Explode("comments")} | options
    return Contract(name="comments", model=model, key=("text",), **given)


@pytest.mark.parametrize(
    ("source", "options", "column", "reason", "remedy"),
    [
        ("comments[].text", {"explode": "comments"}, "", "explode is 'comments'", "Explode("),
        ("comments[].text", {"explode": None}, "text", "explodes no array", 'Explode("comments")'),
        ("comments[].tags[].name", {}, "text", "leaves whole", "tags.0"),
        ("tags[].name", {}, "text", "leaves whole", "tags.0"),
        ("text", {}, "", "no column reads from the elements", '"comments[].NAME"'),
        ("comments[].text", {"formats": ("csv",)}, "", "CSV", "formats"),
        ("comments[].text", {"explode": Explode("")}, "", "the path ''", "name the array"),
        ("comments[].text", {"explode": Explode("a..b")}, "", "the path 'a..b'", "name the array"),
    ],
)
def test_an_explode_that_cannot_work_is_refused(
    source: str, options: dict[str, Any], column: str, reason: str, remedy: str
) -> None:
    with pytest.raises(RefusedError) as refused:
        contract(source, **options)
    assert refused.value.column == column
    assert reason in refused.value.reason
    assert remedy in refused.value.remedy


def test_the_name_of_the_elements_number_is_taken() -> None:
    class Comment(pa.DataFrameModel):
        """Comments."""

        element_number: str = pa.Field(metadata={"source": "comments[].n"}, description="Which")

    with pytest.raises(RefusedError, match="rename it") as refused:
        Contract(
            name="comments",
            model=Comment,
            key=("element_number",),
            formats=("ndjson",),
            owner="team:a",
            explode=Explode("comments"),
        )
    assert refused.value.column == "element_number"


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("comments", "comments[].text"),
        ("comments[]", "comments[].text"),
        ("insights.data[].values", "insights.data[].values[].value"),
        ("tags", "tags[]"),
        ("matrix[][]", "matrix[][].x"),
    ],
)
def test_an_explode_that_can_work_is_accepted(path: str, source: str) -> None:
    assert contract(source, explode=Explode(path)).explode == Explode(path)
