"""The dataset: its files, its arrays, and the random streams that order it."""
