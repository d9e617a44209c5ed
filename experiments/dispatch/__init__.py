"""Trainings handed out to the workers of an engine."""
