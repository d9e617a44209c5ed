"""Tandem from Python: load runs, predict, compare; docs/python.md shows how.

Importing it takes no time: MLflow and the frameworks are imported when something needs them.
"""

from experiments.api import Comparison, Data, Run, TandemError, compare, dataset, load

__all__ = ["Comparison", "Data", "Run", "TandemError", "compare", "dataset", "load"]
