"""Commands of models: recommenders and text models."""
