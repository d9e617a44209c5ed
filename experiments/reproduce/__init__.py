"""A run trained again from its MLflow record alone, and what came of it (`tandem reproduce`)."""
