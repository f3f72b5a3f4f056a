"""Figures of matplotlib, and images in Markdown metadata.

Belongs here: how a figure begins and how it is shown; what is drawn belongs to the areas.
matplotlib is imported inside the functions: it takes a second, and only training runs draw.
"""

from __future__ import annotations

import base64
import io
from typing import Any

from dagster import MetadataValue

_INCHES = (6, 3.4)


def new_figure() -> tuple[Any, Any]:
    """A figure and its axes."""
    from matplotlib.figure import Figure

    # Without pyplot, which keeps figures and a display for the whole process.
    figure = Figure(figsize=_INCHES, layout="constrained")
    return figure, figure.add_subplot()


def picture(figure: Any, meaning: str) -> MetadataValue:
    """The figure as an image in Markdown."""
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=90)
    encoded = base64.b64encode(content.getvalue()).decode()
    return MetadataValue.md(f"![{meaning}](data:image/png;base64,{encoded})")
