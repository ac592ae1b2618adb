"""Reads bodies as MLflow's own server does: lines of `ROUTE METHOD BASE64` to lines of JSON.

Each answer is the message that MLflow's handler would act on, or null where it would refuse.
"""

import base64
import json
import sys

from flask import Flask
from google.protobuf.json_format import MessageToDict
from mlflow.protos import model_registry_pb2 as protos
from mlflow.server import handlers

MESSAGES = {
    "registered-models/create POST": protos.CreateRegisteredModel,
    "registered-models/update PATCH": protos.UpdateRegisteredModel,
    "registered-models/rename POST": protos.RenameRegisteredModel,
    "registered-models/delete DELETE": protos.DeleteRegisteredModel,
    "registered-models/set-tag POST": protos.SetRegisteredModelTag,
    "registered-models/delete-tag DELETE": protos.DeleteRegisteredModelTag,
    "registered-models/alias POST": protos.SetRegisteredModelAlias,
    "registered-models/alias DELETE": protos.DeleteRegisteredModelAlias,
    "model-versions/create POST": protos.CreateModelVersion,
    "model-versions/update PATCH": protos.UpdateModelVersion,
    "model-versions/transition-stage POST": protos.TransitionModelVersionStage,
    "model-versions/delete DELETE": protos.DeleteModelVersion,
    "model-versions/set-tag POST": protos.SetModelVersionTag,
    "model-versions/delete-tag DELETE": protos.DeleteModelVersionTag,
}

app = Flask(__name__)


def read(route: str, method: str, body: bytes):
    with app.test_request_context(
        f"/api/2.0/mlflow/{route}", method=method, data=body, content_type="application/json"
    ):
        try:
            message = handlers._get_request_message(MESSAGES[f"{route} {method}"]())
        except Exception:
            return None
        return MessageToDict(message, preserving_proto_field_name=True)


for line in sys.stdin:
    route, method, body = line.rstrip("\n").split(" ")
    print(json.dumps(read(route, method, base64.b64decode(body))), flush=True)
