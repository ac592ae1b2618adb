"""Resources made with KServe's own Python models, one JSON line each.

A line has `kind` and `version`, the `object` as KServe's client would send it, and `serves`: the
versions of the model `fraud` that it serves, or null where nobody could tell or something else
would be served. `only` is a field that stands alone in question: it is there, with the value null.
"""

import importlib.metadata
import json
import pathlib
import sys
import types

# The package itself imports whole servers for models. Its models need none of them.
folder = pathlib.Path(str(importlib.metadata.distribution("kserve").locate_file("kserve")))
package = types.ModuleType("kserve")
package.__path__ = [str(folder)]
sys.modules["kserve"] = package

from kserve import models as kserve  # noqa: E402
from kubernetes import client  # noqa: E402

URI = "models:/fraud/3"
API = client.ApiClient()


def resource(version, kind, spec):
    own = getattr(kserve, version.capitalize() + kind)
    made = own(
        api_version=f"serving.kserve.io/{version}",
        kind=kind,
        metadata=client.V1ObjectMeta(name="fraud", namespace="prod"),
        spec=spec,
    )
    return API.sanitize_for_serialization(made)


def tell(version, kind, obj, serves, only=None):
    line = {"version": version, "kind": kind, "object": obj, "serves": serves, "only": only}
    print(json.dumps(line))


def service(serves, **parts):
    spec = kserve.V1beta1InferenceServiceSpec(**parts)
    tell("v1beta1", "InferenceService", resource("v1beta1", "InferenceService", spec), serves)


def predictor(**parts):
    return kserve.V1beta1PredictorSpec(**parts)


def framework(name, uri=URI, **more):
    """The server of a framework, by the type that the predictor's field has."""
    kind = kserve.V1beta1PredictorSpec.openapi_types[name]
    if name == "model":
        more["model_format"] = kserve.V1beta1ModelFormat(name="sklearn")
    return {name: getattr(kserve, kind)(storage_uri=uri, **more)}


def frameworks():
    """Every field of a predictor whose type has an address of a model."""
    for name, kind in kserve.V1beta1PredictorSpec.openapi_types.items():
        if "storage_uri" in getattr(getattr(kserve, kind, None), "openapi_types", {}):
            yield name


def container(**more):
    return client.V1Container(name="kserve-container", image="example", **more)


def services():
    for name in frameworks():
        service(["3"], predictor=predictor(**framework(name)))
        service(None, predictor=predictor(**framework(name, uri=None)))
        arguments = framework(name, args=["--model_id=org/other"])
        service(None, predictor=predictor(**arguments))
    variable = client.V1EnvVar(name="STORAGE_URI", value=URI)
    service(["3"], predictor=predictor(containers=[container(env=[variable])]))
    service(None, predictor=predictor(containers=[container()]))
    uris = [
        kserve.V1beta1StorageUri(uri=URI, mount_path="/mnt/models"),
        kserve.V1beta1StorageUri(uri="models:/fraud/4", mount_path="/mnt/adapter"),
    ]
    model = kserve.V1beta1ModelSpec(model_format=kserve.V1beta1ModelFormat(name="vllm"))
    service(["3", "4"], predictor=predictor(model=model, storage_uris=uris))
    worker = kserve.V1beta1WorkerSpec(
        pipeline_parallel_size=2,
        containers=[client.V1Container(name="worker-container", image="example")],
    )
    service(["3"], predictor=predictor(worker_spec=worker, **framework("model")))
    service(
        ["3", "5", "6"],
        predictor=predictor(canary_traffic_percent=10, min_replicas=1, **framework("model")),
        canary=[
            kserve.V1beta1CanarySpec(
                traffic_percent=5, predictor=predictor(**framework("model", "models:/fraud/5"))
            )
        ],
        transformer=kserve.V1beta1TransformerSpec(containers=[container(args=["--model_name=a"])]),
        explainer=kserve.V1beta1ExplainerSpec(
            art=kserve.V1beta1ARTExplainerSpec(type="SquareAttack", storage_uri="models:/fraud/6")
        ),
    )
    stored = kserve.V1beta1ModelStorageSpec(key="prod", path="fraud/3")
    service(["3"], predictor=predictor(**framework("model", None, storage=stored)))
    stored = kserve.V1beta1ModelStorageSpec(path="fraud/3", parameters={"bucket": "other"})
    service(None, predictor=predictor(**framework("model", None, storage=stored)))


def others():
    def trained(uri):
        model = kserve.V1alpha1ModelSpec(framework="sklearn", memory="1Gi", storage_uri=uri)
        return kserve.V1alpha1TrainedModelSpec(inference_service="fraud", model=model)

    def tell_of(version, kind, spec, serves):
        tell(version, kind, resource(version, kind, spec), serves)

    tell_of("v1alpha1", "TrainedModel", trained(URI), ["3"])
    tell_of("v1alpha1", "TrainedModel", trained("models:/fraud@champion"), None)

    def graph(**target):
        step = kserve.V1alpha1InferenceStep(weight=100, **target)
        router = kserve.V1alpha1InferenceRouter(router_type="Splitter", steps=[step])
        return kserve.V1alpha1InferenceGraphSpec(nodes={"root": router})

    tell_of("v1alpha1", "InferenceGraph", graph(service_name="fraud"), [])
    tell_of("v1alpha1", "InferenceGraph", graph(service_url="http://a.dev.svc"), None)

    def runtime(argument):
        server = container(args=["--model_name={{.Name}}", argument])
        supported = kserve.V1alpha1SupportedModelFormat(name="sklearn", version="1")
        return kserve.V1alpha1ServingRuntimeSpec(
            containers=[server], supported_model_formats=[supported]
        )

    tell_of("v1alpha1", "ServingRuntime", runtime("--model_dir=/mnt/models"), [])
    tell_of("v1alpha1", "ServingRuntime", runtime("--model_id=org/other"), None)

    # KServe's client leaves the specifications of LLMs open.
    adapters = {"adapters": [{"name": "a", "uri": "models:/fraud/7"}]}
    for version in ("v1alpha1", "v1alpha2"):
        for kind in ("LLMInferenceService", "LLMInferenceServiceConfig"):
            spec = {"model": {"uri": URI, "name": "fraud", "lora": adapters}, "replicas": 1}
            tell_of(version, kind, spec, ["3", "7"])
            spec = {"model": {"uri": "hf://org/model", "name": "fraud"}}
            tell_of(version, kind, spec, None)


def every_field():
    """Each field that the models have, in its place; so that none is new to lockgate."""

    def names(kind):
        return getattr(kserve, kind).attribute_map.values()

    def with_field(path, name):
        parts = {
            "predictor": predictor(
                model=kserve.V1beta1ModelSpec(
                    model_format=kserve.V1beta1ModelFormat(name="a"), storage_uri=URI
                ),
                worker_spec=kserve.V1beta1WorkerSpec(containers=[container()]),
            ),
            "transformer": kserve.V1beta1TransformerSpec(containers=[container()]),
            "explainer": kserve.V1beta1ExplainerSpec(
                art=kserve.V1beta1ARTExplainerSpec(type="a")
            ),
            "canary": [
                kserve.V1beta1CanarySpec(
                    traffic_percent=1, predictor=predictor(**framework("model"))
                )
            ],
        }
        spec = kserve.V1beta1InferenceServiceSpec(**parts)
        obj = resource("v1beta1", "InferenceService", spec)
        at = obj["spec"]
        for step in path:
            at = at[step]
        at.setdefault(name, None)
        return obj

    places = [
        ((), "V1beta1InferenceServiceSpec"),
        (("predictor",), "V1beta1PredictorSpec"),
        (("predictor", "model"), "V1beta1ModelSpec"),
        (("predictor", "workerSpec"), "V1beta1WorkerSpec"),
        (("transformer",), "V1beta1TransformerSpec"),
        (("explainer",), "V1beta1ExplainerSpec"),
        (("explainer", "art"), "V1beta1ARTExplainerSpec"),
        (("canary", 0), "V1beta1CanarySpec"),
    ]
    for path, kind in places:
        for name in names(kind):
            place = ".".join(["spec", *map(str, path), name])
            tell("v1beta1", "InferenceService", with_field(path, name), ["3"], place)
    for name in client.V1Container.attribute_map.values():
        obj = with_field(("transformer", "containers", 0), name)
        tell("v1beta1", "InferenceService", obj, ["3"], f"container.{name}")
    for kind, spec in [("ServingRuntime", "V1alpha1ServingRuntimeSpec")]:
        for name in names(spec):
            made = resource("v1alpha1", kind, kserve.V1alpha1ServingRuntimeSpec(containers=[]))
            made["spec"].setdefault(name, None)
            tell("v1alpha1", kind, made, [], f"runtime.{name}")


def kinds():
    """Every kind that KServe has, with its versions."""
    found = {}
    for name in dir(kserve):
        fields = getattr(getattr(kserve, name), "attribute_map", {})
        if "api_version" in fields and "kind" in fields and "spec" in fields:
            stem = name.removeprefix("V1")
            version = next(v for v in ("alpha1", "alpha2", "beta1") if stem.startswith(v))
            found.setdefault(stem.removeprefix(version), []).append("v1" + version)
    print(json.dumps(found))


if sys.argv[1] == "kinds":
    kinds()
else:
    services()
    others()
    every_field()
