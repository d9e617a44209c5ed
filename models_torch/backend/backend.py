"""The contract of `experiments.contract.backend`, implemented with PyTorch Lightning."""

import gc
import logging
import os
import tempfile
import warnings
from pathlib import Path

import lightning as L
import torch
from lightning.pytorch.plugins.environments import LightningEnvironment

from experiments.contract.backend import Device, Listener, TrainingSettings
from experiments.contract.model_settings import ModelSettings
from experiments.contract.phases import Phases
from experiments.data.dataset import Images, Labels
from experiments.system.errors import TandemError
from models_torch.backend.batches import source_of
from models_torch.backend.model import TorchModel
from models_torch.backend.training import LitRecipe, Report


class OneProcess(LightningEnvironment):
    """One process that trains alone, whatever a cluster has set: Lightning would take SLURM_NTASKS for its ranks."""

    def __init__(self) -> None:
        super().__init__()
        # It also decides who reports and who writes; Lightning reads it from SLURM_PROCID when it is imported.
        self.set_global_rank(0)

    def local_rank(self) -> int:
        """Return 0, not LOCAL_RANK."""
        return 0

    def node_rank(self) -> int:
        """Return 0, not NODE_RANK."""
        return 0


class Backend:
    """PyTorch Lightning, set up for this process."""

    def __init__(self, *, device: Device, threads: int) -> None:
        self.phases = Phases()
        if device == "gpu" and not torch.cuda.is_available():
            raise TandemError(
                "params.yaml: train.device: expected a GPU that PyTorch can use; got none; set auto or cpu"
            )
        # cuBLAS repeats its bits only with a workspace of fixed size (cuBLAS documentation, Results reproducibility).
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(True)
        # Meant for finding reads of uninitialised memory; it costs a pass over every new tensor.
        torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
        torch.set_num_threads(threads)
        # float32 means float32: PyTorch lets convolutions on a GPU round to TensorFloat-32 unless told not to.
        torch.backends.cudnn.allow_tf32 = False
        # Lightning's advice on loaders, loggers and devices concerns choices that are deliberate here.
        logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
        warnings.filterwarnings("ignore", module="lightning")
        gpu = device != "cpu" and torch.cuda.is_available()
        self._device = torch.device("cuda", 0) if gpu else torch.device("cpu")
        self.device = torch.cuda.get_device_name(0) if gpu else "cpu"

    def build(self, settings: ModelSettings) -> TorchModel:
        """Return a new model."""
        return TorchModel(settings, self._device)

    def train(
        self,
        model: TorchModel,
        images: Images,
        labels: Labels,
        settings: TrainingSettings,
        *,
        checkpoint: Path | None,
        listener: Listener,
    ) -> None:
        """Train the model in place, resuming from the checkpoint if it exists."""
        module = LitRecipe(model, source_of(images, labels, settings, self._device), settings)
        resume = checkpoint if checkpoint is not None and checkpoint.is_file() else None
        # Under Slurm, Lightning resumes from any hpc_ckpt_*.ckpt in its root folder: it gets an empty one.
        with tempfile.TemporaryDirectory() as folder:
            trainer = self._trainer(settings, Report(model, listener, checkpoint, self.phases), folder)
            trainer.fit(module, ckpt_path=resume, weights_only=True)

    def _trainer(self, settings: TrainingSettings, report: Report, folder: str) -> L.Trainer:
        return L.Trainer(
            accelerator="gpu" if self._device.type == "cuda" else "cpu",
            devices=1,
            plugins=[OneProcess()],
            default_root_dir=folder,
            max_epochs=settings.epochs,
            callbacks=[report],
            reload_dataloaders_every_n_epochs=1,
            deterministic=True,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )

    def forget_models(self) -> None:
        """Collect reference cycles: a trainer, its module and its callbacks."""
        gc.collect()
        if self._device.type == "cuda":
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()

    def peak_device_memory_mb(self) -> float | None:
        """Return the most that PyTorch's tensors have taken on the GPU."""
        return torch.cuda.max_memory_allocated() / 1e6 if self._device.type == "cuda" else None

    def versions(self) -> dict[str, str]:
        """Return the versions of PyTorch and Lightning."""
        return {"torch": torch.__version__, "lightning": L.__version__}
