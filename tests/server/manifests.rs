//! `deploy/kubernetes`: builds, is what Kubernetes takes, and starts a server that answers.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::kserve::{kinds, python};
use super::served::{Folder, Served};
use super::tls::Authority;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// What `kubectl apply -k` would send, checked against the schemas of a release of Kubernetes.
fn built(release: &str) -> Value {
    let folder = format!("{ROOT}/deploy/kubernetes");
    let built = Command::new("kubectl").args(["kustomize", &folder]).output();
    let built =
        built.unwrap_or_else(|error| panic!("no kubectl; run scripts/setup.sh test: {error}"));
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let mut checked = Command::new(python())
        .args([&format!("{ROOT}/tests/server/manifests.py"), release])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    checked.stdin.take().unwrap().write_all(&built.stdout).unwrap();
    let output = checked.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn of_kind<'a>(built: &'a Value, kind: &str) -> &'a Value {
    let documents = built["documents"].as_array().unwrap();
    documents.iter().find(|document| document["kind"] == kind).unwrap()
}

#[test]
fn the_manifests_are_what_kubernetes_takes() {
    // The oldest release that is meant, and the latest that is known.
    for release in ["1.30.0", "1.37.0"] {
        let built = built(release);
        assert_eq!(built["others"], json!(["cert-manager.io/v1"]), "{release}");
        assert_eq!(built["documents"].as_array().unwrap().len(), 13);
    }
}

/// Kinds that no webhook of a namespace sees, and why nobody slips past by them.
const ELSEWHERE: [(&str, &str); 6] = [
    ("ClusterServingRuntime", "of the whole cluster, for those who administer it"),
    ("ClusterStorageContainer", "of the whole cluster, for those who administer it"),
    ("LocalModelCache", "of the whole cluster; a copy of what an address names"),
    ("LocalModelNamespaceCache", "a copy of what an address names, which services name as well"),
    ("LocalModelNode", "of the whole cluster, written by KServe"),
    ("LocalModelNodeGroup", "of the whole cluster, for those who administer it"),
];

#[test]
fn the_webhook_is_asked_about_every_kind_of_kserve_that_can_name_a_model() {
    let built = built("1.37.0");
    let webhook = &of_kind(&built, "ValidatingWebhookConfiguration")["webhooks"][0];
    assert_eq!(webhook["failurePolicy"], "Fail");
    assert_eq!(webhook["matchPolicy"], "Equivalent");
    let mut covered: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for rule in webhook["rules"].as_array().unwrap() {
        assert_eq!(rule["apiGroups"], json!(["serving.kserve.io"]));
        assert_eq!(rule["operations"], json!(["CREATE", "UPDATE"]));
        for resource in rule["resources"].as_array().unwrap() {
            let versions = rule["apiVersions"].as_array().unwrap().iter();
            let versions = versions.map(|version| version.as_str().unwrap().to_owned());
            covered.entry(resource.as_str().unwrap().to_owned()).or_default().extend(versions);
        }
    }
    let mut expected = kinds();
    for (kind, _) in ELSEWHERE {
        assert!(expected.remove(kind).is_some(), "{kind}");
    }
    let expected: BTreeMap<_, _> = expected
        .into_iter()
        .map(|(kind, versions)| (format!("{}s", kind.to_lowercase()), versions))
        .collect();
    assert_eq!(covered, expected);
}

#[test]
fn the_image_runs_as_the_user_of_the_deployment() {
    let built = built("1.37.0");
    let pod = &of_kind(&built, "Deployment")["spec"]["template"]["spec"];
    let context = &pod["securityContext"];
    let image = std::fs::read_to_string(format!("{ROOT}/deploy/Dockerfile")).unwrap();
    let user = format!("USER {}:{}", context["runAsUser"], context["runAsGroup"]);
    assert!(image.lines().any(|line| line == user), "no {user}");
    // Until somebody says which image it is, nobody else's is pulled.
    let image = pod["containers"][0]["image"].as_str().unwrap();
    assert!(image.starts_with("registry.invalid/"), "{image}");
}

#[test]
fn the_deployment_starts_a_server_that_answers_the_webhook() {
    let built = built("1.37.0");
    let gates = &of_kind(&built, "ConfigMap")["data"]["lockgate.yaml"];
    let folder = Folder::new(gates.as_str().unwrap());
    // As the kubelet leaves the volume when the first pod starts, and untouched from then on.
    let context = &of_kind(&built, "Deployment")["spec"]["template"]["spec"]["securityContext"];
    assert_eq!(context["fsGroupChangePolicy"], "OnRootMismatch");
    let shared = std::fs::Permissions::from_mode(0o2775);
    std::fs::set_permissions(folder.path(""), shared).unwrap();
    let authority = Authority::new();
    authority.write_server(&folder, "tls");
    folder.token("operator", &["read"]);
    let container = &of_kind(&built, "Deployment")["spec"]["template"]["spec"]["containers"][0];
    let root = folder.path("").display().to_string();
    let root = root.trim_end_matches('/');
    let arguments: Vec<String> = container["args"]
        .as_array()
        .unwrap()
        .iter()
        .map(|argument| argument.as_str().unwrap().replace("0.0.0.0:8443", "127.0.0.1:0"))
        .map(|argument| {
            ["gates", "tls", "tokens"]
                .iter()
                .fold(argument, |argument, mount| {
                    argument.replace(&format!("/etc/lockgate/{mount}/"), &format!("{root}/"))
                })
                .replace("/var/lib/lockgate/", &format!("{root}/"))
        })
        .collect();
    let mut command = folder.command("");
    command.args(arguments);
    let served = Served::start(folder, command);
    served.until_logged_without("\"ready\"", "cannot be used");
    let cache = std::fs::metadata(served.folder.path("cache")).unwrap();
    assert_eq!(cache.permissions().mode() & 0o777, 0o700);
    let webhook = &of_kind(&built, "ValidatingWebhookConfiguration")["webhooks"][0];
    let path = webhook["clientConfig"]["service"]["path"].as_str().unwrap();
    let object = json!({
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "spec": {"predictor": {"model": {"storageUri": "models:/fraud/3"}}},
    });
    let review = super::kubernetes::review("v1beta1", "InferenceService", &object);
    let answer = authority.send(&served, &super::http::post(path, &review)).is(200).json();
    // Its gate asks for an owner, of which nothing is known without a registry.
    assert_eq!(answer["response"]["allowed"], false, "{answer}");
    let probe = container["readinessProbe"]["httpGet"]["path"].as_str().unwrap();
    authority.send(&served, &super::http::get(probe)).is(200);
}
