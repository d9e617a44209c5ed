"""Optuna over any recipe: a study, its trials, and the processes that train them."""
