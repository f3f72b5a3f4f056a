"""The assets of each layer, built from contracts and the dbt project; the jobs that run them."""
