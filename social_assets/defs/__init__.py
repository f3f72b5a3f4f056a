"""The assets of each layer, from contracts and the dbt project, and the jobs that run them."""
