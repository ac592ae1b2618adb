//! Which requests to MLflow are passed on, judged or refused. Facts from the source of MLflow
//! 3.17 (`server/handlers.py`, `protos/*.proto`, `server/fastapi_app.py`) and from trying.

use hyper::Method;
use hyper::header::{
    AUTHORIZATION, CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HOST,
    HeaderMap, HeaderName, TRANSFER_ENCODING,
};

use super::path::Forms;
use super::refusal::{Refusal, quoted};
use super::screen::Screen;

/// The header that chooses one of MLflow's workspaces, in each of which a name means another model.
pub const WORKSPACE: HeaderName = HeaderName::from_static("x-mlflow-workspace");

/// What says who asks for what, and is judged by: it goes on to MLflow as it came, whatever the
/// header `Connection` would have removed on the way.
pub static DECIDING: [HeaderName; 6] =
    [WORKSPACE, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HOST];

/// MLflow's name for the workspace of those that name none.
pub const DEFAULT_WORKSPACE: &str = "default";

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Class {
    /// It changes nothing in the registry, and is passed on as it is.
    Pass,
    /// It is passed on as it is, unless something is in its body.
    Screen(Screen),
    /// It changes the registry; what it would move is in its body.
    Judge(Operation),
    /// It is not passed on.
    Refuse(Refusal),
}

/// A request that changes the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "named as in MLflow's REST API")]
pub enum Operation {
    CreateModel,
    UpdateModel,
    RenameModel,
    DeleteModel,
    SetModelTag,
    DeleteModelTag,
    SetAlias,
    DeleteAlias,
    CreateVersion,
    UpdateVersion,
    TransitionStage,
    DeleteVersion,
    SetVersionTag,
    DeleteVersionTag,
}

impl Operation {
    /// Every operation.
    pub const ALL: [Self; 14] = [
        Self::CreateModel,
        Self::UpdateModel,
        Self::RenameModel,
        Self::DeleteModel,
        Self::SetModelTag,
        Self::DeleteModelTag,
        Self::SetAlias,
        Self::DeleteAlias,
        Self::CreateVersion,
        Self::UpdateVersion,
        Self::TransitionStage,
        Self::DeleteVersion,
        Self::SetVersionTag,
        Self::DeleteVersionTag,
    ];

    /// Its method, and its path below `/api/2.0/mlflow/` and `/ajax-api/2.0/mlflow/`.
    #[must_use]
    pub const fn route(self) -> (Method, &'static str) {
        match self {
            Self::CreateModel => (Method::POST, "registered-models/create"),
            Self::UpdateModel => (Method::PATCH, "registered-models/update"),
            Self::RenameModel => (Method::POST, "registered-models/rename"),
            Self::DeleteModel => (Method::DELETE, "registered-models/delete"),
            Self::SetModelTag => (Method::POST, "registered-models/set-tag"),
            Self::DeleteModelTag => (Method::DELETE, "registered-models/delete-tag"),
            Self::SetAlias => (Method::POST, "registered-models/alias"),
            Self::DeleteAlias => (Method::DELETE, "registered-models/alias"),
            Self::CreateVersion => (Method::POST, "model-versions/create"),
            Self::UpdateVersion => (Method::PATCH, "model-versions/update"),
            Self::TransitionStage => (Method::POST, "model-versions/transition-stage"),
            Self::DeleteVersion => (Method::DELETE, "model-versions/delete"),
            Self::SetVersionTag => (Method::POST, "model-versions/set-tag"),
            Self::DeleteVersionTag => (Method::DELETE, "model-versions/delete-tag"),
        }
    }
}

/// Where the REST API is, below MLflow's `--static-prefix`.
const ROOTS: [&str; 2] = ["/api/2.0/mlflow/", "/ajax-api/2.0/mlflow/"];

/// Where newer parts of MLflow are.
const ROOTS_3: [&str; 2] = ["/api/3.0/", "/ajax-api/3.0/"];

/// Where MLflow takes and gives artifacts.
const ARTIFACTS: [&str; 2] = ["/api/2.0/mlflow-artifacts/", "/ajax-api/2.0/mlflow-artifacts/"];

/// What a path mentions that leads into the registry. A route that mentions one and is not known
/// may be one of a later MLflow, or come out of a router as one that is.
const REGISTRY: [&str; 4] =
    ["registered-model", "model-version", "registered_model", "model_version"];

/// The assistant runs commands on MLflow's host. MLflow takes it from its own host alone, which
/// lockgate may be on.
const ASSISTANT: (&str, &str) = (
    "/mlflow/assistant",
    "the assistant can run commands on MLflow's host, past every gate; use it at MLflow itself",
);

/// What else a path mentions that changes the registry in a way that cannot be judged, and why.
const FORBIDDEN: [(&str, &str); 5] = [
    (
        "/mlflow/demo",
        "the demo registers versions and sets aliases from within MLflow; generate it at MLflow itself",
    ),
    (
        "/mlflow/prompt-optimization/jobs",
        "this job registers versions from within MLflow, where no gate sees them; optimise on the client",
    ),
    (
        "/3.0/jobs",
        "a job can register versions from within MLflow, where no gate sees them; run it on the client",
    ),
    (
        "/mlflow/workspaces/",
        "changing or deleting a workspace can move models between workspaces; do that at MLflow itself",
    ),
    (
        "/mlflow/webhooks",
        "webhooks tell of changes that went around lockgate; change or delete one at MLflow itself",
    ),
];

/// What a path below `/api/3.0/` mentions by which MLflow's own host can be had to reach MLflow, and
/// the routes of it that are passed once their body was looked through.
const SCREENED: [(&str, Screen, &[&str]); 4] = [
    ("/mlflow/scorers/register", Screen::ScorerCode, &["mlflow/scorers/register"]),
    ("/mlflow/scorer/invoke", Screen::ScorerCode, &["mlflow/scorer/invoke"]),
    ("/mlflow/genai/evaluate/invoke", Screen::ScorerCode, &["mlflow/genai/evaluate/invoke"]),
    (
        "/mlflow/gateway/secrets/",
        Screen::Destination,
        &["mlflow/gateway/secrets/create", "mlflow/gateway/secrets/update"],
    ),
];

/// Headers that ask a server to take one method for another.
const OVERRIDES: [&str; 3] = ["x-http-method-override", "x-http-method", "x-method-override"];

/// The routes of one MLflow server.
#[derive(Clone, Debug, Default)]
pub struct Routes {
    /// MLflow's `--static-prefix`, with a slash before and none after it; empty for none.
    prefix: String,
    /// The header that says who asks, where one does.
    user_header: Option<HeaderName>,
}

impl Routes {
    /// The routes of a server that was started with `--static-prefix PREFIX`; empty for none.
    #[must_use]
    pub fn below(prefix: &str) -> Self {
        let prefix = prefix.trim_matches('/');
        let prefix = if prefix.is_empty() { String::new() } else { format!("/{prefix}") };
        Self { prefix, user_header: None }
    }

    /// The same where a header says who asks.
    #[must_use]
    pub fn with_user_header(self, user_header: Option<HeaderName>) -> Self {
        Self { user_header, ..self }
    }

    /// What becomes of a request, by its method, its target as it was sent, and its headers.
    #[must_use]
    pub fn classify(&self, method: &Method, path_and_query: &str, headers: &HeaderMap) -> Class {
        self.sort(method, path_and_query, headers).unwrap_or_else(Class::Refuse)
    }

    fn sort(&self, method: &Method, target: &str, headers: &HeaderMap) -> Result<Class, Refusal> {
        check_every_head(headers, self.user_header.as_ref())?;
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (target, None),
        };
        let forms = Forms::of(path);
        let reads = [Method::GET, Method::HEAD, Method::OPTIONS].contains(method);
        let writes = [Method::POST, Method::PUT, Method::PATCH, Method::DELETE].contains(method);
        if !reads && !writes {
            // MLflow takes `post` for `POST`.
            let text = format!("the method {} is not used by MLflow", quoted(method.as_str()));
            return Err(Refusal::unclear(text));
        }
        let ambiguity = forms.ambiguity();
        // Artifacts may be called anything.
        if ambiguity.is_none() && self.is_artifact(path) {
            return Ok(Class::Pass);
        }
        if forms.mention(ASSISTANT.0) {
            return Err(Refusal::forbidden(ASSISTANT.1));
        }
        if reads {
            return Ok(Class::Pass);
        }
        if !path.starts_with('/') || !path.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Refusal::unclear("the path is not plain; send it as `/` and ASCII"));
        }
        if let Some(what) = ambiguity {
            let text = format!("the path {what}, which not every server reads alike");
            return Err(Refusal::unclear(text));
        }
        if let Some(operation) = self.operation(method, path) {
            check_head(method, query, headers)?;
            return Ok(Class::Judge(operation));
        }
        if let Some(screen) = self.screen(method, path, &forms)? {
            check_head(method, query, headers)?;
            return Ok(Class::Screen(screen));
        }
        if self.is_harmless(method, path) {
            return Ok(Class::Pass);
        }
        if let Some((_, why)) = FORBIDDEN.iter().find(|(part, _)| forms.mention(part)) {
            return Err(Refusal::forbidden(*why));
        }
        if REGISTRY.iter().any(|part| forms.mention(part)) {
            let text = format!(
                "{} is no registry request that lockgate knows, so it cannot be judged; use the routes of MLflow's REST API",
                quoted(&format!("{method} {path}"))
            );
            return Err(Refusal::forbidden(text));
        }
        Ok(Class::Pass)
    }

    fn is_artifact(&self, path: &str) -> bool {
        let path = path.strip_prefix(&self.prefix);
        path.is_some_and(|path| ARTIFACTS.iter().any(|root| path.starts_with(root)))
    }

    /// What follows the root of the REST API in a path.
    fn route<'a>(&self, path: &'a str, roots: [&str; 2]) -> Option<&'a str> {
        let path = path.strip_prefix(&self.prefix)?;
        roots.into_iter().find_map(|root| path.strip_prefix(root))
    }

    fn operation(&self, method: &Method, path: &str) -> Option<Operation> {
        let route = self.route(path, ROOTS)?;
        Operation::ALL.into_iter().find(|operation| operation.route() == (method.clone(), route))
    }

    /// What must not be in the body of a request; none where that may be anything.
    fn screen(
        &self,
        method: &Method,
        path: &str,
        forms: &Forms,
    ) -> Result<Option<Screen>, Refusal> {
        let Some((_, screen, routes)) = SCREENED.into_iter().find(|(part, ..)| forms.mention(part))
        else {
            return Ok(None);
        };
        match self.route(path, ROOTS_3) {
            Some(route) if *method == Method::POST && routes.contains(&route) => Ok(Some(screen)),
            // Deleting is no way to bring anything in.
            _ if *method == Method::DELETE => Ok(None),
            _ => Err(Refusal::forbidden(format!(
                "{} is no request that lockgate knows, and one like it could reach MLflow past every gate; use the routes of MLflow's REST API",
                quoted(&format!("{method} {path}"))
            ))),
        }
    }

    /// Routes beside forbidden ones, or in the registry, that change nothing in it.
    fn is_harmless(&self, method: &Method, path: &str) -> bool {
        if let Some(route) = self.route(path, ROOTS) {
            // One read is made by POST. Creating and testing webhooks adds a notice, where changing
            // and deleting them takes one away.
            let webhook = route.strip_prefix("webhooks");
            return *method == Method::POST
                && (route == "registered-models/get-latest-versions" || webhook.is_some());
        }
        let Some(route) = self.route(path, ROOTS_3) else { return false };
        let plain = |id: &str| id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
        let cancelled =
            match (method.as_str(), route.strip_prefix("mlflow/prompt-optimization/jobs/")) {
                ("POST", Some(rest)) => rest.strip_suffix("/cancel"),
                ("DELETE", Some(id)) => Some(id),
                ("PATCH", None) => route.strip_prefix("jobs/cancel/"),
                _ => None,
            };
        let searched = matches!(route, "jobs/search" | "mlflow/prompt-optimization/jobs/search");
        (*method == Method::POST && searched) || cancelled.is_some_and(plain)
    }
}

/// What holds for every request: nothing in its head may be read two ways.
fn check_every_head(headers: &HeaderMap, user_header: Option<&HeaderName>) -> Result<(), Refusal> {
    let refused = |text: String| Err(Refusal::unclear(text));
    for name in OVERRIDES {
        if headers.contains_key(name) {
            return refused(format!(
                "the header `{name}` asks for another method; send that method"
            ));
        }
    }
    let deciding = || DECIDING.iter().chain(user_header);
    // Which of two is meant differs between servers. HTTP/2 sends each cookie by itself.
    for name in deciding().filter(|name| **name != COOKIE) {
        if headers.get_all(name).iter().nth(1).is_some() {
            return refused(format!("the header `{name}` is sent twice; send it once"));
        }
    }
    // Look-ups would be made with it, and the change without.
    for named in named_by_connection(headers) {
        if deciding().any(|name| name.as_str().eq_ignore_ascii_case(named)) {
            let named = quoted(named);
            return refused(format!(
                "`Connection` names {named}, which would be removed; take it out"
            ));
        }
    }
    // To a WSGI server, which MLflow's is inside, `_` in the name of a header is `-`.
    for name in headers.keys().map(HeaderName::as_str).filter(|name| name.contains('_')) {
        let meant = name.replace('_', "-");
        if OVERRIDES.contains(&meant.as_str()) || deciding().any(|own| own.as_str() == meant) {
            let name = quoted(name);
            return refused(format!("the header {name} could be read as `{meant}`; remove it"));
        }
    }
    Ok(())
}

/// The headers that concern one connection alone, as `Connection` names them.
pub fn named_by_connection(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let values = headers.get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim)
}

/// What the head of a judged request must look like, so that MLflow and lockgate read one body.
fn check_head(method: &Method, query: Option<&str>, headers: &HeaderMap) -> Result<(), Refusal> {
    if query.is_some_and(|query| !query.is_empty()) {
        return Err(Refusal::unclear(
            "a query beside a body could be read in its place; send everything in the body",
        ));
    }
    if headers.contains_key(CONTENT_ENCODING) {
        return Err(Refusal::unclear("the body is encoded; send it without `content-encoding`"));
    }
    if headers.contains_key(TRANSFER_ENCODING) || !headers.contains_key(CONTENT_LENGTH) {
        return Err(Refusal::unclear("the body has no length; send `content-length`"));
    }
    let Some(kind) = headers.get(CONTENT_TYPE) else {
        // MLflow asks for it with POST and PUT alone.
        return match *method {
            Method::POST => Err(Refusal::unclear("send `content-type: application/json`")),
            _ => Ok(()),
        };
    };
    let kind = kind.to_str().unwrap_or_default().to_ascii_lowercase();
    let (kind, parameters) = kind.split_once(';').unwrap_or((&kind, ""));
    let charset = parameters.trim().replace('"', "");
    if kind.trim() != "application/json" || !matches!(charset.as_str(), "" | "charset=utf-8") {
        return Err(Refusal::unclear(
            "the body is taken as JSON in UTF-8 alone; send `content-type: application/json`",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&str, &str)| {
            (HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap())
        };
        pairs.iter().map(pair).collect()
    }

    fn usual() -> HeaderMap {
        headers(&[("content-type", "application/json"), ("content-length", "2")])
    }

    fn classify(method: &str, target: &str) -> Class {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        Routes::default().classify(&method, target, &usual())
    }

    #[test]
    fn judges_every_operation_under_both_roots() {
        for operation in Operation::ALL {
            for root in ROOTS {
                let (method, route) = operation.route();
                let class = classify(method.as_str(), &format!("{root}{route}"));
                assert_eq!(class, Class::Judge(operation), "{root}{route}");
            }
        }
    }

    #[test]
    fn passes_what_changes_nothing_in_the_registry() {
        for (method, target) in [
            ("GET", "/"),
            ("GET", "/api/2.0/mlflow/registered-models/alias?name=m&alias=a"),
            ("HEAD", "/api/2.0/mlflow/registered-models/get"),
            ("OPTIONS", "/api/2.0/mlflow/registered-models/create"),
            ("POST", "/api/2.0/mlflow/registered-models/get-latest-versions"),
            ("POST", "/api/2.0/mlflow/runs/create"),
            ("POST", "/ajax-api/2.0/mlflow/runs/search"),
            ("POST", "/api/2.0/mlflow/experiments/delete"),
            ("PATCH", "/api/2.0/mlflow/logged-models/m-1"),
            ("DELETE", "/api/2.0/mlflow/logged-models/m-1/tags/a%20b"),
            ("PUT", "/api/2.0/mlflow-artifacts/artifacts/1/r/artifacts/a%20b/100%25.txt"),
            ("PUT", "/api/2.0/mlflow-artifacts/artifacts/1/r/artifacts/model-versions/x"),
            ("PUT", "/api/2.0/mlflow-artifacts/artifacts/1/r/artifacts/mlflow/demo/x"),
            ("POST", "/api/2.0/mlflow/traces/t/tags"),
            ("POST", "/graphql"),
            ("POST", "/v1/traces"),
            ("POST", "/gateway/openai/v1/chat/completions"),
            ("POST", "/api/2.0/mlflow/webhooks"),
            ("POST", "/api/2.0/mlflow/webhooks/w/test"),
            ("GET", "/api/2.0/mlflow/webhooks"),
            ("POST", "/ajax-api/3.0/jobs/search"),
            ("PATCH", "/ajax-api/3.0/jobs/cancel/j-1"),
            ("POST", "/api/3.0/mlflow/prompt-optimization/jobs/j-1/cancel"),
            ("DELETE", "/api/3.0/mlflow/prompt-optimization/jobs/j-1"),
            ("POST", "/api/3.0/mlflow/workspaces"),
            ("DELETE", "/api/3.0/mlflow/gateway/secrets/delete"),
            ("DELETE", "/api/3.0/mlflow/scorers/delete"),
        ] {
            assert_eq!(classify(method, target), Class::Pass, "{method} {target}");
        }
    }

    #[test]
    fn looks_through_what_could_have_the_host_of_mlflow_reach_the_registry() {
        for (target, screen) in [
            ("/api/3.0/mlflow/scorers/register", Screen::ScorerCode),
            ("/ajax-api/3.0/mlflow/scorer/invoke", Screen::ScorerCode),
            ("/ajax-api/3.0/mlflow/genai/evaluate/invoke", Screen::ScorerCode),
            ("/ajax-api/3.0/mlflow/gateway/secrets/create", Screen::Destination),
            ("/api/3.0/mlflow/gateway/secrets/update", Screen::Destination),
        ] {
            assert_eq!(classify("POST", target), Class::Screen(screen), "{target}");
            for disguised in [
                format!("{target}/"),
                target.replace("/mlflow/", "/mlflow//"),
                target.replace("mlflow/s", "mlflow/%73").replace("mlflow/g", "mlflow/%67"),
                target.replace("3.0", "2.0"),
                format!("{target}?x=1"),
            ] {
                let class = classify("POST", &disguised);
                assert!(matches!(class, Class::Refuse(_)), "{disguised}: {class:?}");
            }
        }
    }

    #[test]
    fn refuses_what_may_reach_the_registry_unseen() {
        for (method, target) in [
            ("post", "/api/2.0/mlflow/registered-models/alias"),
            ("POST", "/api/2.0/mlflow/registered-models/alias/"),
            ("POST", "/api/2.0/mlflow//registered-models/alias"),
            ("POST", "/api/2.0/mlflow/registered%2Dmodels/alias"),
            ("POST", "/api/2.0/mlflow/registered-models%2Falias"),
            ("POST", "/api/2.0/mlflow/registered-models%252Falias"),
            ("POST", "/api/2.0/mlflow/%72egistered-models/alias"),
            ("POST", "/api/2.0/mlflow/Registered-Models/alias"),
            ("POST", "/api/2.0/mlflow/x/../registered-models/alias"),
            ("POST", "/api/2.0/mlflow/./registered-models/alias"),
            ("POST", "/api/2.0/mlflow/registered-models/alias;x"),
            ("POST", "/api/2.0/mlflow/registered-models/alias?version=2"),
            ("POST", "/api/2.0/preview/mlflow/registered-models/create"),
            ("POST", "/api/2.1/unity-catalog/registered_models/create"),
            ("POST", "/api/3.0/mlflow/model-versions/create"),
            ("POST", "/prefix/api/2.0/mlflow/registered-models/alias"),
            ("POST", "http://host/api/2.0/mlflow/registered-models/alias"),
            ("PUT", "/api/2.0/mlflow/registered-models/alias"),
            ("PUT", "/api/2.0/mlflow/model-versions/unheard-of"),
            ("PUT", "/api/2.0/mlflow-artifacts/artifacts/../../mlflow/registered-models/alias"),
            ("PUT", "/api/2.0/mlflow-artifacts/%2e%2e/mlflow/model-versions/create"),
            ("POST", "/ajax-api/3.0/mlflow/assistant/message"),
            ("GET", "/ajax-api/3.0/mlflow/assistant/config"),
            ("POST", "/ajax-api/3.0/mlflow/demo/generate"),
            ("POST", "/api/3.0/mlflow/prompt-optimization/jobs"),
            ("POST", "/ajax-api/3.0/jobs/"),
            ("POST", "/ajax-api/3.0/jobs"),
            ("DELETE", "/api/3.0/mlflow/workspaces/w"),
            ("PATCH", "/api/3.0/mlflow/workspaces/w"),
            ("DELETE", "/api/2.0/mlflow/webhooks/w"),
            ("PATCH", "/api/2.0/mlflow/webhooks/w"),
            ("TRACE", "/"),
            ("PROPPATCH", "/api/2.0/mlflow/runs/create"),
        ] {
            let class = classify(method, target);
            assert!(matches!(class, Class::Refuse(_)), "{method} {target}: {class:?}");
        }
    }

    #[test]
    fn refuses_a_head_that_two_readers_could_read_differently() {
        let target = "/api/2.0/mlflow/registered-models/alias";
        let json = ("content-type", "application/json");
        let length = ("content-length", "2");
        let routes = Routes::default().with_user_header(Some(HeaderName::from_static("x-user")));
        for pairs in [
            vec![json],
            vec![length],
            vec![json, length, ("content-encoding", "gzip")],
            vec![json, ("transfer-encoding", "chunked")],
            vec![json, length, ("transfer-encoding", "chunked")],
            vec![json, length, length],
            vec![json, json, length],
            vec![("content-type", "text/plain"), length],
            vec![("content-type", "application/json; charset=utf-16"), length],
            vec![json, length, ("x-http-method-override", "DELETE")],
            vec![json, length, ("x_http_method_override", "DELETE")],
            vec![json, length, ("x-mlflow-workspace", "a"), ("x-mlflow-workspace", "b")],
            vec![json, length, ("x_mlflow_workspace", "a")],
            vec![json, length, ("authorization", "a"), ("authorization", "b")],
            vec![json, length, ("connection", "close, X-MLflow-Workspace")],
            vec![json, length, ("connection", "close"), ("connection", " authorization ")],
            vec![json, length, ("connection", "cookie")],
            vec![json, length, ("connection", "keep-alive,content-type")],
            vec![json, length, ("x-user", "ann"), ("x-user", "bo")],
            vec![json, length, ("x_user", "bo")],
            vec![json, length, ("connection", "x-user"), ("x-user", "ann")],
        ] {
            let class = routes.classify(&Method::POST, target, &headers(&pairs));
            assert!(matches!(class, Class::Refuse(_)), "{pairs:?}: {class:?}");
        }
        let charset = ("content-type", "application/json; charset=UTF-8");
        let hop = ("connection", "close, x-hop");
        let user = ("x-user", "ann");
        for pairs in [vec![json, length, hop, user], vec![charset, length, ("x_other", "a")]] {
            let class = routes.classify(&Method::POST, target, &headers(&pairs));
            assert_eq!(class, Class::Judge(Operation::SetAlias), "{pairs:?}");
        }
        // MLflow asks for no type here.
        let class = Routes::default().classify(&Method::DELETE, target, &headers(&[length]));
        assert_eq!(class, Class::Judge(Operation::DeleteAlias));
    }

    #[test]
    fn knows_the_routes_below_a_static_prefix_and_only_those() {
        let routes = Routes::below("/ml/flow/");
        let at = |path: &str| routes.classify(&Method::POST, path, &usual());
        let route = "/api/2.0/mlflow/registered-models/alias";
        assert_eq!(at(&format!("/ml/flow{route}")), Class::Judge(Operation::SetAlias));
        assert!(matches!(at(route), Class::Refuse(_)));
        assert!(matches!(at(&format!("/ml{route}")), Class::Refuse(_)));
    }
}
