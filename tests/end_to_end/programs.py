"""Programs that tests run in processes of their own, in a clone with a finished pipeline."""

# argv: backend, MLflow's store, run.
LOAD_AND_SCORE = """
import sys, importlib, json
import numpy as np, mlflow
mlflow.set_tracking_uri(sys.argv[2])
images, labels = np.load("prepared/test_images.npy"), np.load("prepared/test_labels.npy")
if sys.argv[1] == "lightning":
    import torch
    model = mlflow.pytorch.load_model(f"runs:/{sys.argv[3]}/lenet-{sys.argv[1]}-1")
    predicted = model(torch.from_numpy(images).movedim(3, 1)).detach().numpy().argmax(1)
else:
    model = mlflow.tensorflow.load_model(f"runs:/{sys.argv[3]}/lenet-{sys.argv[1]}-1")
    predicted = model.predict(images, verbose=0).argmax(1)
columns = {"skiprows": 1, "usecols": (0, 1), "unpack": True}
actual, stage = np.loadtxt(f"runs/lenet/{sys.argv[1]}/1/predictions.csv", int, delimiter=",", **columns)
assert (actual == labels).all()
print(json.dumps({"differ": int((predicted != stage).sum()), "accuracy": float((predicted == labels).mean())}))
"""

# argv: backend. Loads what a training has saved, without the clone's code.
SAVED = """
import sys
import numpy as np
images, folder = np.load("prepared/test_images.npy"), f"runs/lenet/{sys.argv[1]}/1"
if sys.argv[1] == "lightning":
    import torch
    model = torch.export.load(f"{folder}/model/model.pt2").module()
    predicted = model(torch.from_numpy(images).movedim(3, 1)).argmax(1).numpy()
else:
    import keras
    predicted = keras.models.load_model(f"{folder}/model/model.keras").predict(images, verbose=0).argmax(1)
recorded = np.loadtxt(f"{folder}/predictions.csv", int, delimiter=",", skiprows=1, usecols=1)
print(f"{(predicted != recorded).sum()} of {len(images)} differ")
"""

# argv: project, backend.
THROUGH_TANDEM = """
import json, os, sys
import numpy as np
import tandem

project, backend = sys.argv[1:]
pair = {name: tandem.load("lenet", name, 1, project=project) for name in ("lightning", "keras")}
run, data = pair[backend], tandem.dataset(project=project)
os.rename(f"{project}/runs", f"{project}/away")
try:
    alone = tandem.load(f"lenet-{backend}-1", project=project)  # MLflow alone has it
    answers = {"folder": None, "MLflow": alone.predict(data.test.images)}
finally:
    os.rename(f"{project}/away", f"{project}/runs")
answers["folder"] = run.predict(data.test.images)
probabilities = run.probabilities(data.test.images)
comparison = tandem.compare(pair["lightning"], pair["keras"])
assert comparison.summary in repr(comparison) and "<table" in comparison._repr_html_()
assert run.predict(data.test.images[0]) == answers["folder"][0]
print(json.dumps({
    "differ": {name: int((each != run.predictions.predicted).sum()) for name, each in answers.items()},
    "apart": float(np.abs(probabilities.max(axis=1) - run.predictions.probability).max()),
    "frameworks": sorted({"torch", "tensorflow"} & set(sys.modules)),
    "recipe": run.recipe.model_dump(),
    "mlflow": run.mlflow_run.info.run_id,
    "same history": bool(run.history.equals(alone.history)),
    "epochs": run.history.index.tolist(),
    "told differently": len(comparison.images),
    "store": os.environ.get("MLFLOW_TRACKING_URI"),
}))
"""
