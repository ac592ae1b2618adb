"""Calls MLflow's own client and tells what came of it.

usage: client.py URL < calls

The calls are a JSON list of [method, arguments]; the answer is a JSON list with, for each, either
{"ok": text} or {"error_code": …, "message": …}. `mlflow.` before a method takes it from the module.
"""

import json
import os
import sys
import tempfile

os.environ["MLFLOW_TRACKING_URI"] = sys.argv[1]
os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "2"
import mlflow  # noqa: E402
from mlflow.exceptions import MlflowException  # noqa: E402

client = mlflow.MlflowClient()


def round_trip(run_id: str, size: int) -> bool:
    """Writes an artifact and reads it back."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "weights.bin")
        content = os.urandom(size)
        with open(path, "wb") as file:
            file.write(content)
        client.log_artifact(run_id, path, "model")
        fetched = mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path="model/weights.bin")
        with open(fetched, "rb") as file:
            return file.read() == content


def call(method: str, arguments: dict):
    if method == "round_trip":
        return round_trip(**arguments)
    if method.startswith("mlflow."):
        return getattr(mlflow, method.removeprefix("mlflow."))(**arguments)
    return getattr(client, method)(**arguments)


results = []
for method, arguments in json.load(sys.stdin):
    try:
        results.append({"ok": str(call(method, arguments))})
    except MlflowException as error:
        results.append({
            "error_code": error.error_code,
            "message": str(error),
            "json": getattr(error, "json", None),
        })
json.dump(results, sys.stdout)
