//! What a path may turn into on its way through other people's routers.
//!
//! MLflow's server decodes a path once before it routes (`registered%2Dmodels` and
//! `registered-models%2Falias` reach the alias route), and Flask redirects doubled slashes. A
//! proxy between lockgate and MLflow may decode again, resolve dots or fold case. So a path is
//! looked at in every form it may take.

use crate::net::percent_decoded;

/// How often a path is decoded before it counts as unreadable.
const DECODINGS: usize = 4;

/// A path in all the forms that a router may see.
pub(super) struct Forms {
    /// Decoded none, one, … times, in lower case, until decoding changes nothing.
    forms: Vec<Vec<u8>>,
    settled: bool,
}

impl Forms {
    pub(super) fn of(path: &str) -> Self {
        let mut forms = vec![path.as_bytes().to_ascii_lowercase()];
        for _ in 0..DECODINGS {
            let Some(last) = forms.last() else { break };
            let next = percent_decoded(last).0.to_ascii_lowercase();
            if next == *last {
                return Self { forms, settled: true };
            }
            forms.push(next);
        }
        Self { forms, settled: false }
    }

    /// Whether any of the forms contains `needle`, which is in lower case.
    pub(super) fn mention(&self, needle: &str) -> bool {
        let needle = needle.as_bytes();
        self.forms.iter().any(|form| form.windows(needle.len()).any(|part| part == needle))
    }

    /// What makes routers disagree on the path, when something does.
    pub(super) fn ambiguity(&self) -> Option<&'static str> {
        if !self.settled {
            return Some("is percent-encoded several times over");
        }
        // An encoded slash is only told by what decoding adds.
        let slashes = |form: &[u8]| form.iter().filter(|byte| **byte == b'/').count();
        let mut counts = self.forms.iter().map(|form| slashes(form));
        let first = counts.next();
        if counts.any(|count| Some(count) != first) {
            return Some("has an encoded slash");
        }
        for form in &self.forms {
            if form.contains(&b'\\') {
                return Some("has a backslash");
            }
            if form.iter().any(|byte| byte.is_ascii_control()) {
                return Some("has a control character");
            }
            // The first segment is empty, as a path begins with a slash; the last may be.
            let mut segments = form.split(|byte| *byte == b'/').skip(1).peekable();
            while let Some(segment) = segments.next() {
                // What follows `;` is a parameter to some routers.
                let name = segment.split(|byte| *byte == b';').next().unwrap_or(segment);
                if name == b"." || name == b".." {
                    return Some("has `.` or `..` for a segment");
                }
                if segment.is_empty() && segments.peek().is_some() {
                    return Some("has a doubled slash");
                }
            }
        }
        None
    }
}

/// Percent-decodes once; what is no escape stays.
/// A text as part of a query: everything but unreserved characters is encoded.
pub(super) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sees_through_encoding_and_case() {
        for path in [
            "/api/registered-models/alias",
            "/API/Registered-Models/alias",
            "/api/registered%2dmodels/alias",
            "/api/registered%252Dmodels/alias",
            "/api/%72egistered-models",
        ] {
            assert!(Forms::of(path).mention("registered-models"), "{path}");
        }
        assert!(!Forms::of("/api/registered%-models").mention("registered-models"));
    }

    #[test]
    fn tells_what_routers_disagree_on() {
        for (path, told) in [
            ("/a%2fb", "encoded slash"),
            ("/a%252Fb", "encoded slash"),
            ("/a//b", "doubled"),
            ("/a/../b", "`.` or `..`"),
            ("/a/%2e%2E/b", "`.` or `..`"),
            ("/a/..;x/b", "`.` or `..`"),
            ("/a\\b", "backslash"),
            ("/a%5cb", "backslash"),
            ("/a%00", "control"),
            ("/%25252525252561", "several times"),
        ] {
            let ambiguity = Forms::of(path).ambiguity();
            assert!(ambiguity.is_some_and(|text| text.contains(told)), "{path}: {ambiguity:?}");
        }
        for path in ["/", "/a/b", "/a/b/", "/a/100%25.txt", "/a/b%20c", "/a/..b/c..", "/a/%C3%A9"] {
            assert_eq!(Forms::of(path).ambiguity(), None, "{path}");
        }
    }

    #[test]
    fn encodes_what_decoding_takes_back() {
        let text = "a b/é&=%+'";
        assert_eq!(percent_decoded(encode(text).as_bytes()), (text.as_bytes().to_vec(), false));
        assert!(!encode(text).contains(['&', '=', '+', '/', ' ']));
    }
}
