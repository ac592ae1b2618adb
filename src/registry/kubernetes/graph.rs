//! Graphs serve no model themselves. They lead to services, which have been judged where they are
//! services of KServe in the same namespace.

use super::known;
use super::part::Part;
use super::review::shown;

pub(super) fn check_graph(spec: Part<'_>, namespace: &str) -> Result<(), String> {
    let spec = spec.only(&[known::GRAPH])?;
    let Some(nodes) = spec.part("nodes")? else { return Ok(()) };
    for router in nodes.each()? {
        for step in router.only(&[known::ROUTER])?.parts("steps")? {
            let step = step.only(&[known::STEP])?;
            let url: Option<String> = step.get("serviceUrl")?;
            if let Some(url) = url.filter(|url| !url.is_empty())
                && !within(&url, namespace)
            {
                return Err(format!(
                    "{}: `{}` leads out of the namespace, where nobody has judged what is served; name an InferenceService with `serviceName`",
                    step.place(),
                    shown(&url)
                ));
            }
        }
    }
    Ok(())
}

/// Whether an address is one of a service in the namespace.
fn within(url: &str, namespace: &str) -> bool {
    let Some(rest) = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://")) else {
        return false;
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = match authority.split_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        Some(_) => return false,
        None => authority,
    };
    let mut labels = host.split('.');
    let is_label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    if !labels.next().is_some_and(is_label) {
        return false;
    }
    let rest: Vec<&str> = labels.collect();
    match rest.as_slice() {
        [] => true,
        [space, rest @ ..] => {
            *space == namespace && matches!(rest, [] | ["svc"] | ["svc", "cluster", "local"])
        }
    }
}
