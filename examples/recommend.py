"""Recommend from a published model: needs NumPy, pyarrow and the folder `recsys`, nothing else.

python examples/recommend.py <artifact folder or URL> <user id>
"""

import sys

import recsys

model = recsys.load(sys.argv[1])
print(model.manifest["model"], model.manifest["version"], model.manifest["metrics"])
for row in model.recommend(sys.argv[2], n=5).to_pylist():
    print(f"{row['rank']}. {row['item_id']}  {row['score']:.3f}  ({row['source']})")
    for other in model.similar_items(row["item_id"], n=2).to_pylist():
        print(f"     like it: {other['item_id']}  {other['score']:.3f}")
    # Someone new, of whom only this one item is known.
    for new in model.recommend_for_items([row["item_id"]], n=1).to_pylist():
        print(f"     whoever likes {row['item_id']} may like: {new['item_id']}")
