//! Requests that can have MLflow's own host run code or send requests of a client's choosing, and so
//! reach MLflow past every gate.
//!
//! MLflow refuses both itself unless it is started otherwise (`MLFLOW_SERVER_ENABLE_CUSTOM_SCORERS`,
//! `MLFLOW_GATEWAY_API_BASE_ALLOW_PRIVATE_IPS`), which lockgate cannot see.

use super::body::check_size;
use super::refusal::Refusal;
use crate::evidence::parse_json;

/// What must not be in the body of a request that otherwise passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Screen {
    /// A scorer whose source MLflow's host would run.
    ScorerCode,
    /// An address that the AI gateway would send requests to: MLflow's own, for one.
    Destination,
}

impl Screen {
    /// The keys by which it shows, and what to do instead.
    const fn looks_for(self) -> (&'static [&'static str], &'static str) {
        match self {
            Self::ScorerCode => (
                &["call_source"],
                "a scorer with code of its own runs on MLflow's host, past every gate; run it on the client",
            ),
            Self::Destination => (
                &["api_base", "base_url", "model_list", "fallbacks", "custom_llm_provider"],
                "an address for the AI gateway can be that of MLflow itself, past every gate; set it at MLflow itself",
            ),
        }
    }

    /// Looks through the whole body, JSON within strings too, however it is escaped.
    ///
    /// # Errors
    /// What it was looked for, and what two readers could read in two ways.
    pub fn check(self, body: &[u8]) -> Result<(), Refusal> {
        check_size(body)?;
        parse_json(body).map_err(|error| Refusal::unclear(format!("the body {error}")))?;
        let (keys, why) = self.looks_for();
        let text = unescaped(String::from_utf8_lossy(body).into_owned()).ok_or_else(|| {
            Refusal::unclear("the body is escaped many times over; send it plainly")
        })?;
        if keys.iter().any(|key| text.contains(key)) {
            return Err(Refusal::forbidden(why));
        }
        Ok(())
    }
}

/// How often escapes of escapes are looked behind.
const PASSES: usize = 8;

/// JSON without its escapes of ASCII, at whatever depth of strings in strings they are: what is
/// left of backslashes is of no matter to what is looked for. None when they do not end.
fn unescaped(mut text: String) -> Option<String> {
    for _ in 0..PASSES {
        if !text.contains('\\') {
            return Some(text);
        }
        text = without_escapes(&text);
    }
    None
}

fn without_escapes(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        plain.push_str(before);
        let after = after.trim_start_matches('\\');
        let code = after.strip_prefix('u').and_then(|code| code.get(..4));
        match code.and_then(|code| u32::from_str_radix(code, 16).ok()).and_then(char::from_u32) {
            Some(character) if character.is_ascii() => {
                plain.push(character);
                rest = after.get(5..).unwrap_or_default();
            }
            _ => rest = after,
        }
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_code_however_deep_and_escaped_it_is() {
        let scorer = r#"{"name": "s", "call_source": "import os"}"#;
        let escaped = scorer.replace("call", "c\\u0061ll");
        let in_string = |text: &str| serde_json::json!({ "serialized_scorer": text }).to_string();
        for body in [
            scorer.to_owned(),
            escaped.clone(),
            in_string(scorer),
            in_string(&escaped),
            in_string(&in_string(&escaped)),
            in_string(&in_string(&in_string(scorer))).replace("_source", "\\u005fsource"),
            in_string(&escaped).replace("\\\\u0061", "\\u005c\\u00750061"),
        ] {
            let refused = Screen::ScorerCode.check(body.as_bytes()).unwrap_err();
            assert!(refused.message.contains("runs on MLflow's host"), "{body}");
        }
    }

    #[test]
    fn lets_what_has_neither_code_nor_an_address_pass() {
        let judge = r#"{"serialized_scorer": "{\"name\": \"j\", \"instructions\": \"{{ inputs }} \\u00e9\\n\"}"}"#;
        assert_eq!(Screen::ScorerCode.check(judge.as_bytes()), Ok(()));
        let secret =
            br#"{"secret_name": "s", "secret_value": {"api_key": "x"}, "provider": "openai"}"#;
        assert_eq!(Screen::Destination.check(secret), Ok(()));
        let own = br#"{"auth_config": {"api_base": "http://127.0.0.1:5000"}}"#;
        assert!(Screen::Destination.check(own).is_err());
    }

    #[test]
    fn refuses_what_two_readers_could_read_in_two_ways() {
        let utf16: Vec<u8> = "{}".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let endless = format!(r#"{{"a": "\\{}"}}"#, "u005c".repeat(100_000));
        for body in [&b"{\"a\": 1, \"a\": 2}"[..], &utf16, b"{\"a\": NaN}", b"", endless.as_bytes()]
        {
            assert!(Screen::ScorerCode.check(body).is_err(), "{} bytes", body.len());
        }
    }
}
