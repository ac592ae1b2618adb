//! Graphs serve no model themselves. They lead to services, which have been judged where they are
//! services of KServe in the same namespace.

use super::host;
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
    host::is_within(authority, namespace)
}
