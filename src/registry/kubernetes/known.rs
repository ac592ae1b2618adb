//! The fields of KServe's resources, as of its release 0.21 and those before it.
//!
//! Where one is missing here, resources that have it are refused.

pub(super) const SERVICE: &[&str] = &["predictor", "transformer", "explainer", "canary", "tracing"];

pub(super) const CANARY: &[&str] = &["predictor", "trafficPercent"];

/// The keys of servers for a framework, each of which can name a model.
pub(super) const FRAMEWORKS: &[&str] = &[
    "model",
    "sklearn",
    "xgboost",
    "tensorflow",
    "pytorch",
    "triton",
    "onnx",
    "huggingface",
    "pmml",
    "lightgbm",
    "paddle",
    // Of explainers.
    "art",
    "aix",
    "alibi",
];

/// What a predictor, transformer or explainer has besides.
pub(super) const COMPONENT: &[&str] = &[
    "annotations",
    "autoScaling",
    "batcher",
    "canaryTrafficPercent",
    "containerConcurrency",
    "deploymentStrategy",
    "labels",
    "logger",
    "maxReplicas",
    "minReplicas",
    "name",
    "scaleMetric",
    "scaleMetricType",
    "scaleTarget",
    "storageContainerName",
    "storageUris",
    "timeout",
    "workerSpec",
];

pub(super) const WORKER: &[&str] =
    &["annotations", "labels", "pipelineParallelSize", "tensorParallelSize"];

pub(super) const STORAGE_URI: &[&str] = &["uri", "mountPath"];

pub(super) const STORAGE: &[&str] = &["path", "key", "parameters", "schemaPath"];

pub(super) const POD: &[&str] = &[
    "activeDeadlineSeconds",
    "affinity",
    "automountServiceAccountToken",
    "containers",
    "dnsConfig",
    "dnsPolicy",
    "enableServiceLinks",
    "hostAliases",
    "hostIPC",
    "hostNetwork",
    "hostPID",
    "hostUsers",
    "hostname",
    "hostnameOverride",
    "imagePullSecrets",
    "initContainers",
    "nodeName",
    "nodeSelector",
    "os",
    "overhead",
    "preemptionPolicy",
    "priority",
    "priorityClassName",
    "readinessGates",
    "resourceClaims",
    "resources",
    "restartPolicy",
    "runtimeClassName",
    "schedulerName",
    "schedulingGates",
    "schedulingGroup",
    "securityContext",
    "serviceAccount",
    "serviceAccountName",
    "setHostnameAsFQDN",
    "shareProcessNamespace",
    "subdomain",
    "terminationGracePeriodSeconds",
    "tolerations",
    "topologySpreadConstraints",
    "volumes",
];

pub(super) const CONTAINER: &[&str] = &[
    "args",
    "command",
    "env",
    "envFrom",
    "image",
    "imagePullPolicy",
    "lifecycle",
    "livenessProbe",
    "name",
    "ports",
    "readinessProbe",
    "resizePolicy",
    "resources",
    "restartPolicy",
    "restartPolicyRules",
    "securityContext",
    "startupProbe",
    "stdin",
    "stdinOnce",
    "terminationMessagePath",
    "terminationMessagePolicy",
    "tty",
    "volumeDevices",
    "volumeMounts",
    "workingDir",
];

/// What is run in a container when it has started, and before it stops.
pub(super) const LIFECYCLE: &[&str] = &["postStart", "preStop", "stopSignal"];

pub(super) const HANDLER: &[&str] = &["exec", "grpc", "httpGet", "sleep", "tcpSocket"];

pub(super) const PROBE: &[&str] = &[
    "failureThreshold",
    "initialDelaySeconds",
    "periodSeconds",
    "successThreshold",
    "terminationGracePeriodSeconds",
    "timeoutSeconds",
];

/// What a server for a framework has besides.
pub(super) const SERVER: &[&str] = &[
    "confidential",
    "config",
    "modelFormat",
    "protocolVersion",
    "runtime",
    "runtimeVersion",
    "storage",
    "storageUri",
    "type",
];

pub(super) const TRAINED: &[&str] = &["inferenceService", "model"];

pub(super) const TRAINED_MODEL: &[&str] = &["framework", "memory", "storageUri"];

pub(super) const RUNTIME: &[&str] = &[
    "annotations",
    "builtInAdapter",
    "disabled",
    "grpcDataEndpoint",
    "grpcEndpoint",
    "httpDataEndpoint",
    "labels",
    "multiModel",
    "protocolVersions",
    "replicas",
    "storageHelper",
    "supportedModelFormats",
    "workerSpec",
];

pub(super) const GRAPH: &[&str] = &[
    "affinity",
    "maxReplicas",
    "minReplicas",
    "nodeName",
    "nodeSelector",
    "nodes",
    "resources",
    "routerTimeouts",
    "scaleMetric",
    "scaleTarget",
    "serviceAccountName",
    "timeout",
    "tolerations",
];

pub(super) const ROUTER: &[&str] = &["routerType", "steps"];

pub(super) const STEP: &[&str] = &[
    "condition",
    "data",
    "dependency",
    "mapPredictionsToInstances",
    "name",
    "nodeName",
    "serviceName",
    "serviceUrl",
    "weight",
];

pub(super) const LLM: &[&str] =
    &["baseRefs", "model", "prefill", "router", "storageInitializer", "tracing"];

/// Of an LLM, and of its `prefill`.
pub(super) const WORKLOAD: &[&str] = &[
    "annotations",
    "kvCacheOffloading",
    "labels",
    "parallelism",
    "replicas",
    "rolloutStrategy",
    "scaling",
    "template",
    "worker",
];

/// How what asks an LLM gets to it.
pub(super) const LLM_ROUTER: &[&str] = &["gateway", "ingress", "route", "scheduler"];

pub(super) const LLM_ROUTE: &[&str] = &["group", "http", "weight"];

pub(super) const LLM_SCHEDULER: &[&str] =
    &["annotations", "config", "labels", "pool", "replicas", "template", "tokenizer"];

pub(super) const LLM_TOKENIZER: &[&str] = &["template"];

pub(super) const LLM_MODEL: &[&str] = &["confidential", "criticality", "lora", "name", "uri"];

pub(super) const LORA: &[&str] = &["adapters", "maxAdapters", "maxCpuAdapters", "maxRank"];
