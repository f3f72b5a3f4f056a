"""What a number means, and how a question about numbers becomes SQL over the coarsest rollups."""
