"""Charts: one Vega-Lite specification from a tile and its figures, for page, report and Dagster."""
