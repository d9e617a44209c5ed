"""A trained run as a file that others can use, verified where the project's sources are out of reach."""
