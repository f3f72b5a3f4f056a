"""The serving table `recsys.similar_items`: for every post the most similar posts, by the champion.

Belongs here: the table and its content. Swapping it belongs to `warehouse.served`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from social_assets.warehouse.served.serving_tables import ServingColumn, ServingTable

if TYPE_CHECKING:
    import pyarrow as pa

    from recsys import LoadedModel

SIMILAR_ITEMS_AN_ITEM = 10

SIMILAR_ITEMS = ServingTable(
    name="recsys.similar_items",
    columns=(
        ServingColumn("item_id", "String", "The post"),
        ServingColumn("rank", "UInt16", "Place in the post's list, from 1"),
        ServingColumn("similar_item_id", "String", "A post like it"),
        ServingColumn("score", "Float32", "Likeness; compare within one post and version only"),
        ServingColumn("model", "LowCardinality(String)", "Which model"),
        ServingColumn("model_version", "LowCardinality(String)", "Which version of it"),
        ServingColumn("computed_at", "DateTime64(6, 'UTC')", "When"),
    ),
    order="item_id, rank",
    constraints=(
        "one row an item_id and rank",
        f"at most {SIMILAR_ITEMS_AN_ITEM} rows an item_id",
    ),
    meaning="Posts like a post: one row a post and rank",
)


def similar_items_of(model: LoadedModel) -> Iterator[pa.RecordBatch]:
    """Batches of item_id, rank, similar_item_id, score."""
    import numpy as np
    import pyarrow as pa

    from recsys.scoring.ranking import batches
    from recsys.scoring.recommendations import ranked_rows

    items = len(model.items)
    names = ["item_id", "rank", "similar_item_id", "score"]
    for rows in batches(items, items):
        own = np.arange(rows.start, rows.stop)
        ids, scores = model.scorer.similar_items(own, SIMILAR_ITEMS_AN_ITEM)
        ranked = ranked_rows(model.items.take(pa.array(own)), model.items, ids, scores)
        yield pa.RecordBatch.from_arrays(ranked.columns, names=names)
