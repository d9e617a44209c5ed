"""What `import tandem` offers. Its modules import MLflow, pandas and the frameworks inside of functions."""

from experiments.api.comparison import Comparison, compare
from experiments.api.data import Data, dataset
from experiments.api.load import load
from experiments.api.run import Run
from experiments.system.errors import TandemError

__all__ = ["Comparison", "Data", "Run", "TandemError", "compare", "dataset", "load"]
