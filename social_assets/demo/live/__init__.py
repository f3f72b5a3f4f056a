"""The live demonstration: traffic, figures and the page in the terminal."""
