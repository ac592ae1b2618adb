//! InferenceServices, trained models and runtimes: predictors and their containers.

use super::known;
use super::part::Part;
use super::pod::{self, Marks, Variable};
use super::review::shown;
use super::source::{Source, Storage};
use super::words::Inside;

/// Where KServe lays a model down, unless told otherwise.
pub(super) const MODELS: &str = "/mnt/models";

/// What is asked of a part of a service.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Must {
    /// It serves a model, and has to say which.
    Serve,
    /// It stands before or beside a model and need not have one.
    Nothing,
}

pub(super) fn of_service(
    spec: Part<'_>,
    namespace: &str,
    sources: &mut Vec<Source>,
) -> Result<(), String> {
    let spec = spec.only(&[known::SERVICE])?;
    let predictor = spec.part("predictor")?.ok_or_else(|| {
        format!("{} is missing, so nobody can tell what is served", spec.at("predictor"))
    })?;
    of_component(predictor, Must::Serve, namespace, sources)?;
    for canary in spec.parts("canary")? {
        let canary = canary.only(&[known::CANARY])?;
        if let Some(predictor) = canary.part("predictor")? {
            of_component(predictor, Must::Serve, namespace, sources)?;
        }
    }
    for name in ["transformer", "explainer"] {
        if let Some(component) = spec.part(name)? {
            of_component(component, Must::Nothing, namespace, sources)?;
        }
    }
    Ok(())
}

/// Everything that a component serves. One that serves something that cannot be seen is left with
/// a source without an address, which nobody can read.
fn of_component(
    part: Part<'_>,
    must: Must,
    namespace: &str,
    sources: &mut Vec<Source>,
) -> Result<(), String> {
    let part = part.only(&[known::FRAMEWORKS, known::COMPONENT, known::POD])?;
    let before = sources.len();
    let mut inside = Inside { folders: vec![MODELS.to_owned()], placeholders: false, namespace };
    let mut listed = Vec::new();
    for uri in part.parts("storageUris")? {
        let uri = uri.only(&[known::STORAGE_URI])?;
        if let Some(path) = uri.get::<String>("mountPath")? {
            inside.folders.push(folder(&path).ok_or_else(|| {
                format!(
                    "{}: `{}` is no folder for a model; write an absolute path such as `/mnt/models`",
                    uri.at("mountPath"),
                    shown(&path)
                )
            })?);
        }
        listed.push(Source::at(uri.place(), uri.get("uri")?));
    }
    pod::refuse_orders(&part, &inside)?;
    let mut servers = Vec::new();
    for name in known::FRAMEWORKS {
        if let Some(server) = part.part(name)? {
            let server = server.only(&[known::CONTAINER, known::SERVER])?;
            pod::refuse_mounts(&server, &inside)?;
            let own = sources.len();
            of_server(&server, sources)?;
            if must == Must::Serve && listed.is_empty() && sources.len() == own {
                sources.push(Source::at(server.place(), None));
            }
            servers.push(server);
        }
    }
    sources.append(&mut listed);
    let mut containers = pod::containers(&part)?;
    if let Some(worker) = part.part("workerSpec")? {
        let worker = worker.only(&[known::WORKER, known::POD])?;
        pod::refuse_orders(&worker, &inside)?;
        containers.append(&mut pod::containers(&worker)?);
    }
    for container in &containers {
        of_server(container, sources)?;
    }
    if must == Must::Serve && sources.len() == before {
        sources.push(Source::at(part.place(), None));
    }
    // Also of what stands before a model: it can answer by itself.
    for server in servers.iter().chain(&containers) {
        pod::refuse_words(server, &inside)?;
    }
    Ok(())
}

/// A folder that models are laid down in, unless it would be all folders.
fn folder(path: &str) -> Option<String> {
    let path = path.strip_suffix('/').unwrap_or(path);
    let mut segments = path.strip_prefix('/')?.split('/');
    let sound = segments.all(|segment| !matches!(segment, "" | "." | ".."));
    sound.then(|| path.to_owned())
}

/// What a server for a framework, or a container, says of its model.
fn of_server(server: &Part<'_>, sources: &mut Vec<Source>) -> Result<(), String> {
    let address: Option<String> = server.get("storageUri")?;
    let storage = match server.part("storage")? {
        None => None,
        Some(storage) => {
            let storage = storage.only(&[known::STORAGE])?;
            let parameters: Option<Marks> = storage.get("parameters")?;
            if parameters.is_some_and(|parameters| !parameters.is_empty()) {
                return Err(format!(
                    "{} can lead to another model than the address; leave it out",
                    storage.at("parameters")
                ));
            }
            if address.is_some() {
                return Err(format!(
                    "{} can lead elsewhere than the `storageUri` beside it; leave one of them out",
                    storage.place()
                ));
            }
            Some(Storage { key: storage.get("key")?, path: storage.get("path")? })
        }
    };
    if address.is_some() || storage.is_some() {
        sources.push(Source::stored(server.place(), address, storage));
    }
    let variables = pod::variables(server)?;
    for variable in variables.iter().filter(|variable| variable.name == pod::STORAGE_URI) {
        let known = Variable::known(variable).ok_or_else(|| {
            format!("{}: STORAGE_URI is taken from elsewhere; write its value", server.place())
        })?;
        sources.push(Source::at(&server.at("env"), Some(known.to_owned())));
    }
    Ok(())
}

/// A model that is loaded into a service which is there already.
pub(super) fn of_trained(spec: Part<'_>, sources: &mut Vec<Source>) -> Result<(), String> {
    let spec = spec.only(&[known::TRAINED])?;
    let Some(model) = spec.part("model")? else {
        sources.push(Source::at(&spec.at("model"), None));
        return Ok(());
    };
    let model = model.only(&[known::TRAINED_MODEL])?;
    sources.push(Source::at(model.place(), model.get("storageUri")?));
    Ok(())
}

/// How models are served. A runtime serves what a service names, and so must name nothing itself.
pub(super) fn check_runtime(spec: Part<'_>, namespace: &str) -> Result<(), String> {
    let spec = spec.only(&[known::RUNTIME, known::POD])?;
    let inside = Inside { folders: vec![MODELS.to_owned()], placeholders: true, namespace };
    pod::refuse_orders(&spec, &inside)?;
    let mut servers = pod::containers(&spec)?;
    if let Some(worker) = spec.part("workerSpec")? {
        let worker = worker.only(&[known::WORKER, known::POD])?;
        pod::refuse_orders(&worker, &inside)?;
        servers.append(&mut pod::containers(&worker)?);
    }
    servers.extend(spec.part("builtInAdapter")?);
    for server in &servers {
        let mut named = Vec::new();
        of_server(server, &mut named)?;
        if let Some(source) = named.first() {
            return Err(format!(
                "{} names a model, which every service with this runtime would serve; leave it out",
                source.place
            ));
        }
        pod::refuse_words(server, &inside)?;
    }
    Ok(())
}
