"""Where records come from: files cut into records, each with its bytes as they came.

Here belongs the reading of a source into Arrow batches of records. What the bytes mean is the
engine's; where they are kept is the lake's.
"""
