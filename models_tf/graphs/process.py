"""Sets up the process in which the functions run. Nothing of TensorFlow is imported before."""

import os
from pathlib import Path


def prepare(folder: Path) -> None:
    """Use one thread of the CPU; the folder, for logs, isn't needed here."""
    # By default, the processor decides: with oneDNN, more is fused.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.set_visible_devices([], "GPU")
    # It warns of functions that are traced repeatedly, which is what is looked at here.
    tf.get_logger().setLevel("ERROR")
