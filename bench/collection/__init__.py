"""Collection over days with faults and killed processes, and what is then held."""
