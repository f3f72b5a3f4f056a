"""Text models: scoring texts, training, publishing, choosing the champion. Without Dagster."""
