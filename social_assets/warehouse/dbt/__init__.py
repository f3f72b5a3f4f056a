"""The dbt project: preparation, lineage, commands, deployment."""
