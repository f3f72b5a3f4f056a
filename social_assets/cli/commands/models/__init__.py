"""Commands of models: recommenders, text models, and features for them."""
