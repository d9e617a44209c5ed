"""Files, processes, locks, signals and the terminal."""
