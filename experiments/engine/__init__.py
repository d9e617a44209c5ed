"""Where trainings run: in this process, on this machine, on a cluster. Knows nothing of Optuna and MLflow."""
