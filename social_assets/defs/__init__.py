"""The assets of each layer, built from contracts and the dbt project, and the jobs that run them."""
