"""Models that JAX trains, of the extra `deep`: of sequences, and of texts and histories."""
