"""Reads manifests from standard input, holds each against the schema of its kind, and prints them.

Kinds that Kubernetes itself does not have are named in `others`.
"""

import json
import sys

import kubernetes_validate
import yaml

documents = list(yaml.safe_load_all(sys.stdin))
others = []
for document in documents:
    try:
        kubernetes_validate.validate(document, sys.argv[1], strict=True)
    except kubernetes_validate.SchemaNotFoundError:
        others.append(document["apiVersion"])
print(json.dumps({"documents": documents, "others": sorted(set(others))}))
