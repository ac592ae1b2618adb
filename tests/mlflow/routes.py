"""Tells every route of the installed MLflow, the basic authentication app's too.

One JSON object a line: first what GraphQL can change, then for each route its method, its path, and
whether its handler writes to the model registry as far as its source shows. FOLDER is for the
database of users.

usage: routes.py FOLDER
"""

import inspect
import json
import os
import re
import sys

folder = sys.argv[1]
config = os.path.join(folder, "auth.ini")
with open(config, "w") as file:
    file.write(
        "[mlflow]\n"
        "default_permission = READ\n"
        f"database_uri = sqlite:///{folder}/auth.db\n"
        "admin_username = admin\n"
        "admin_password = of-a-test-alone\n"
        "authorization_function = mlflow.server.auth:authenticate_request_basic_auth\n"
    )
os.environ["MLFLOW_AUTH_CONFIG_PATH"] = config
os.environ["MLFLOW_FLASK_SERVER_SECRET_KEY"] = "of a test"

from mlflow.server import app as flask_app  # noqa: E402
from mlflow.server import auth  # noqa: E402
from mlflow.server.fastapi_app import app as fastapi_app  # noqa: E402
from mlflow.store.model_registry.abstract_store import AbstractStore  # noqa: E402

auth.create_app(flask_app)

WRITERS = [
    name
    for name, _ in inspect.getmembers(AbstractStore, inspect.isfunction)
    if re.match(r"(create|update|rename|delete|set|transition|copy|register)_", name)
    and "webhook" not in name
]
assert "set_registered_model_alias" in WRITERS and "create_model_version" in WRITERS


def writes(handler) -> bool:
    try:
        source = inspect.getsource(inspect.unwrap(handler))
    except (OSError, TypeError):
        return False
    return any(re.search(rf"\.{name}\(", source) for name in WRITERS)


def routes():
    for rule in flask_app.url_map.iter_rules():
        for method in rule.methods:
            yield method, rule.rule, flask_app.view_functions[rule.endpoint]
    for route in fastapi_app.routes:
        if type(route).__name__ == "_IncludedRouter":
            for inner in route.effective_route_contexts():
                for method in inner.methods:
                    yield method, inner.path, inner.endpoint
        else:
            # Flask itself, which takes everything else.
            assert type(route).__name__ == "Mount", route


# What GraphQL can change.
from mlflow.server.graphql.graphql_schema_extensions import schema  # noqa: E402

print(json.dumps({"mutations": sorted(schema.graphql_schema.mutation_type.fields)}))
for method, path, handler in routes():
    print(json.dumps({"method": method, "path": path, "writes": writes(handler)}))
