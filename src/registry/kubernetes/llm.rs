//! LLMInferenceServices, and the configurations that they are based on.

use super::known;
use super::part::Part;
use super::pod;
use super::review::shown;
use super::service::MODELS;
use super::source::Source;
use super::tokens::is_plain_name;
use super::words::Inside;

/// Where KServe lays adapters down.
const ADAPTERS: &str = "/mnt/lora";

/// Whether it serves by itself, or is what others are based on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Service,
    /// Need not name a model. Where it does, whatever is based on it serves that.
    Base,
}

pub(super) fn of_llm(
    spec: Part<'_>,
    role: Role,
    namespace: &str,
    sources: &mut Vec<Source>,
) -> Result<(), String> {
    let spec = spec.only(&[known::LLM, known::WORKLOAD])?;
    match spec.part("model")? {
        Some(model) => of_model(model, role, sources)?,
        None if role == Role::Service => sources.push(Source::at(&spec.at("model"), None)),
        None => {}
    }
    if let Some(initializer) = spec.part("storageInitializer")?
        && initializer.get("enabled")? == Some(false)
    {
        return Err(format!(
            "{}: without it the model is not taken from its address; leave it out",
            initializer.at("enabled")
        ));
    }
    let inside = Inside {
        folders: vec![MODELS.to_owned(), ADAPTERS.to_owned()],
        placeholders: role == Role::Base,
        namespace,
    };
    check_workload(&spec, &inside)?;
    if let Some(prefill) = spec.part("prefill")? {
        check_workload(&prefill.only(&[known::WORKLOAD])?, &inside)?;
    }
    match spec.part("router")? {
        Some(router) => check_router(router, &inside),
        None => Ok(()),
    }
}

/// What leads those who ask to the model may lead them to no other one. The routes, the pool and the
/// services that KServe makes by itself lead to the pods of this resource; the members of a group
/// have each been judged.
fn check_router(router: Part<'_>, inside: &Inside<'_>) -> Result<(), String> {
    let router = router.only(&[known::LLM_ROUTER])?;
    let elsewhere = |place: String| {
        Err(format!(
            "{place} can lead to what nobody has judged; leave it out, and KServe makes it"
        ))
    };
    if let Some(route) = router.part("route")?
        && let Some(http) = route.only(&[known::LLM_ROUTE])?.part("http")?
        && !http.is_empty()
    {
        return elsewhere(http.place().to_owned());
    }
    if let Some(ingress) = router.part("ingress")?
        && !ingress.is_empty()
    {
        return elsewhere(ingress.place().to_owned());
    }
    let Some(scheduler) = router.part("scheduler")? else { return Ok(()) };
    let scheduler = scheduler.only(&[known::LLM_SCHEDULER])?;
    if let Some(pool) = scheduler.part("pool")?
        && !pool.is_empty()
    {
        return elsewhere(pool.place().to_owned());
    }
    check_workload(&scheduler, inside)?;
    match scheduler.part("tokenizer")? {
        Some(tokenizer) => check_workload(&tokenizer.only(&[known::LLM_TOKENIZER])?, inside),
        None => Ok(()),
    }
}

fn of_model(model: Part<'_>, role: Role, sources: &mut Vec<Source>) -> Result<(), String> {
    let model = model.only(&[known::LLM_MODEL])?;
    check_name(&model)?;
    // An address that is left out is written as an empty one by some clients.
    let uri = model.get::<String>("uri")?.filter(|uri| !uri.is_empty());
    if uri.is_some() || role == Role::Service {
        sources.push(Source::at(model.place(), uri));
    }
    let Some(lora) = model.part("lora")? else { return Ok(()) };
    for adapter in lora.only(&[known::LORA])?.parts("adapters")? {
        let adapter = adapter.only(&[known::LLM_MODEL])?;
        check_name(&adapter)?;
        if adapter.has("lora") {
            return Err(format!("{}: an adapter has no adapters; leave them out", adapter.place()));
        }
        sources.push(Source::at(adapter.place(), adapter.get("uri")?));
    }
    Ok(())
}

/// The name that a model is asked for by. KServe writes it into a script, as it is.
fn check_name(model: &Part<'_>) -> Result<(), String> {
    let name: Option<String> = model.get("name")?;
    match name.filter(|name| !is_plain_name(name)) {
        None => Ok(()),
        Some(name) => Err(format!(
            "{}: `{}` can be more than a name to the script that it is written into; take letters, digits and `-_.:/@+`",
            model.at("name"),
            shown(&name)
        )),
    }
}

fn check_workload(workload: &Part<'_>, inside: &Inside<'_>) -> Result<(), String> {
    pod::refuse_orders(workload, inside)?;
    for name in ["template", "worker"] {
        let Some(pod) = workload.part(name)? else { continue };
        let pod = pod.only(&[known::POD])?;
        pod::refuse_orders(&pod, inside)?;
        for container in pod::containers(&pod)? {
            pod::refuse_words(&container, inside)?;
        }
    }
    Ok(())
}
