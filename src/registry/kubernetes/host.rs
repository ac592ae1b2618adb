//! Hosts that requests are passed on to: whether what answers there has been judged.

/// Whether a host, with or without a port, is a service in the namespace.
pub(super) fn is_within(authority: &str, namespace: &str) -> bool {
    let host = match authority.split_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        Some(_) => return false,
        None => authority,
    };
    let mut labels = host.split('.');
    // Names of services begin with a letter. A number would be an address.
    let is_service = |label: &str| {
        label.starts_with(|c: char| c.is_ascii_lowercase())
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    if !labels.next().is_some_and(is_service) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_within_by_its_name_alone() {
        for (host, within) in [
            ("fraud", true),
            ("localhost:8085", true),
            ("fraud.prod", true),
            ("fraud.prod.svc:80", true),
            ("fraud.prod.svc.cluster.local", true),
            ("fraud.dev", false),
            ("fraud.prod.example.org", false),
            ("fraud.prod.svc.cluster.local@example.org", false),
            ("10.0.0.1", false),
            ("3232235777", false),
            ("0xc0a80101", false),
            ("", false),
        ] {
            assert_eq!(is_within(host, "prod"), within, "{host}");
        }
    }
}
