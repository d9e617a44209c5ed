"""params.yaml as validated objects, and where files are."""
