//! The arguments and variables of a model's server: whether they lead it to another model than the
//! one that KServe lays down for it.
//!
//! This holds against the options and variables of the servers that KServe comes with, and those
//! named like them. It is no proof: an image does what it likes.

use super::host;
use super::names::{self, Names, Takes};
use super::tokens::{self, Token};

/// Where KServe lays models down, and what else may stand for such a place.
pub(super) struct Inside<'a> {
    /// Folders in the container.
    pub(super) folders: Vec<String>,
    /// Whether variables may stand for one; in what is filled in later.
    pub(super) placeholders: bool,
    /// The namespace, whose services have been judged.
    pub(super) namespace: &'a str,
}

impl Inside<'_> {
    fn has(&self, path: &str) -> bool {
        let below = |folder: &String| {
            path.strip_prefix(folder.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let inside = self.folders.iter().any(below) || self.placeholders && begins_with_model(path);
        inside && !path.split('/').any(|segment| segment == "..")
    }

    /// Whether a token says of itself neither which option or variable it is nor that it is none,
    /// as what a variable holds makes it one.
    fn is_made_of_variables(&self, token: &str) -> bool {
        // A shell's own variables are told apart in scripts that are written for it.
        let sign = if self.placeholders { "$(" } else { "$" };
        let named = token.split_once('=').map(|(name, _)| name);
        let named = named.or_else(|| token.starts_with('-').then_some(token));
        named.is_some_and(|name| name.contains(sign))
            || token.strip_prefix("$(").is_some_and(|rest| rest.contains(')'))
    }

    /// Whether what answers at a host has been judged: a service of the namespace, or the pod
    /// itself.
    fn answers(&self, host: &str) -> bool {
        let own = host.strip_prefix("127.0.0.1").is_some_and(|port| {
            port.is_empty()
                || port.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok())
        });
        own || host::is_within(host, self.namespace)
    }

    /// Whether a pool, or its namespace, is filled in as that of the resource, as KServe does.
    fn is_own_pool(&self, told: &str) -> bool {
        let own: [&[&str]; 3] = [
            &["ChildName", ".ObjectMeta.Name", "`-inference-pool`"],
            &[".ObjectMeta.Namespace"],
            &[".GlobalConfig.InferencePoolNamespacedName"],
        ];
        let filled = tokens::filled(told);
        self.placeholders && filled.is_some_and(|words| own.contains(&words.as_slice()))
    }

    /// Whether something mounted there would lie above, at or below a model.
    pub(super) fn meets(&self, path: &str) -> bool {
        // What runs containers cleans a path before it mounts there, and takes it from the root.
        let cleaned = |path| str::split(path, '/').filter(|segment| !matches!(*segment, "" | "."));
        let own: Vec<&str> = cleaned(path).collect();
        self.folders
            .iter()
            .any(|folder| cleaned(folder).zip(&own).all(|(one, other)| one == *other))
            || own.contains(&"..")
    }
}

/// Whether a path begins with a variable whose name says that it is a model's. No service may set
/// one like that to anything but a place where its model lies.
fn begins_with_model(path: &str) -> bool {
    let Some(rest) = path.strip_prefix('$') else { return false };
    let rest = rest.trim_start_matches(['{', '(']);
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let name = rest.split(|c| !is_name(c)).next().unwrap_or_default();
    let after = rest.trim_start_matches(is_name).trim_start_matches(['}', ')']);
    names::variable_names_model(name) && (after.is_empty() || after.starts_with('/'))
}

/// A word that a server is told.
#[derive(Clone, Copy)]
pub(super) struct Word<'a> {
    pub(super) text: &'a str,
    /// Whether it is an argument, to a command that can stand elsewhere: in the image, or in the
    /// runtime.
    pub(super) argument: bool,
}

impl<'a> Word<'a> {
    /// One that is no argument by itself.
    pub(super) const fn plain(text: &'a str) -> Self {
        Self { text, argument: false }
    }
}

/// A word that leads to another model.
#[derive(Debug)]
pub(super) struct Elsewhere<'a> {
    /// Which of the words it stands in.
    pub(super) at: usize,
    pub(super) word: &'a str,
    /// What to do about it.
    pub(super) mend: &'static str,
}

const LEAVE_OUT: &str = "leave it out";
const PLACE_FIRST: &str =
    "write the place of the model, such as `/mnt/models`, right after the command that serves it";
const SAY_WHAT_IT_IS: &str = "write a program under `command`, and what an option takes as `--option=VALUE`; leave out what is neither";
const NAME_WITHIN: &str = "name a service of the namespace";

/// The first word that leads to another model.
pub(super) fn elsewhere<'a>(
    words: impl Iterator<Item = Word<'a>>,
    inside: &Inside<'_>,
) -> Option<Elsewhere<'a>> {
    let of_word = |(at, word): (usize, Word<'a>)| {
        tokens::of(at, word.text).into_iter().map(move |token| (token, word.argument))
    };
    let mut tokens = words.enumerate().flat_map(of_word).peekable();
    let mut command = Command::default();
    while let Some((token, argument)) = tokens.next() {
        let next = tokens.peek().map(|(next, _)| next);
        let mend = leads(&token, next, inside)
            .or_else(|| command.takes(&token, argument && token.alone, inside));
        if let Some(mend) = mend {
            return Some(Elsewhere { at: token.at, word: token.whole, mend });
        }
    }
    None
}

/// Whether a piece leads elsewhere by itself, or with the one after it, and what to do about it.
fn leads(token: &Token<'_>, next: Option<&Token<'_>>, inside: &Inside<'_>) -> Option<&'static str> {
    let Token { text, whole, rest, .. } = *token;
    let (name, value) = text.split_once('=').map_or((text, None), |(a, b)| (a, Some(b)));
    let plain = |value| str::trim_matches(value, ['"', '\'']);
    if name.starts_with('-') {
        let told = value.or_else(|| next.map(|next| next.text)).map_or("", plain);
        match names::option(name) {
            Some(Names::Model) if !inside.has(told) => return Some(LEAVE_OUT),
            Some(Names::Settings) => {
                let json = match value {
                    Some(_) => rest.split_once('=').map(|(_, json)| json),
                    None => next.map(|next| next.rest),
                };
                if !json.is_some_and(tokens::names_nothing) {
                    return Some(LEAVE_OUT);
                }
            }
            Some(Names::Host) if !inside.answers(told) => return Some(NAME_WITHIN),
            Some(Names::Pool) if !inside.is_own_pool(told) => return Some(LEAVE_OUT),
            _ => {}
        }
    } else if let Some(value) = value
        && names::variable_names_model(name)
        && !inside.has(plain(value))
    {
        return Some(LEAVE_OUT);
    }
    let in_json = tokens::named(whole)
        .any(|(name, value)| names::setting_names_model(name) && !inside.has(value));
    let leads = in_json
        || inside.is_made_of_variables(whole)
        || tokens::has_address(whole)
        || tokens::has_hidden(whole);
    leads.then_some(LEAVE_OUT)
}

/// The command of a server that takes a model by its place among the words, as `vllm serve MODEL`
/// does. Nothing here knows which options take a word after them, so the model's place is the word
/// that follows at once: once it stands there, the server refuses another.
#[derive(Default)]
struct Command {
    before: Before,
    /// Whether `mlserver` has been named, whose command is a common word.
    mlserver: bool,
    model: Model,
}

/// What stood before a word.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Before {
    /// What waits for a model, or for the rest of a command.
    Command,
    Option(Takes),
    #[default]
    Word,
}

/// What is known of the word that a server takes for its model.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Model {
    /// No command has been seen. One can stand elsewhere.
    #[default]
    Unasked,
    Awaited,
    Placed,
}

impl Command {
    /// What to do about a word that it takes for a model, and that is none of the resource.
    fn takes(
        &mut self,
        token: &Token<'_>,
        argument: bool,
        inside: &Inside<'_>,
    ) -> Option<&'static str> {
        let text = token.text;
        if text.starts_with('-') {
            let holds_all = text.contains('=');
            self.before =
                if holds_all { Before::Word } else { Before::Option(names::taken_by(text)) };
            return None;
        }
        let before = std::mem::replace(&mut self.before, Before::Word);
        if self.model == Model::Awaited {
            if !inside.has(text) {
                return Some(PLACE_FIRST);
            }
            if before == Before::Command {
                self.model = Model::Placed;
            }
            return None;
        }
        self.mlserver |= text.contains("mlserver");
        let program = text.rsplit('/').next().unwrap_or_default();
        let asks = match program {
            "serve" => true,
            "start" => self.mlserver,
            "render" => before == Before::Command,
            _ => program.ends_with("-serve"),
        };
        if asks || program == "launch" {
            self.before = Before::Command;
        }
        if asks {
            self.model = Model::Awaited;
        }
        let taken = argument
            && self.model == Model::Unasked
            && may_be_model(text, before)
            && !inside.has(text);
        taken.then_some(SAY_WHAT_IT_IS)
    }
}

/// Whether a server whose command stands elsewhere could take an argument for its model.
fn may_be_model(text: &str, before: Before) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.:@+~".contains(c);
    let is_path = text.contains('/') && text.chars().all(|c| is_plain(c) || c == '/');
    // As in a hub of models.
    let is_repository = text.split_once('/').is_some_and(|(owner, name)| {
        !owner.is_empty() && !owner.starts_with('.') && !name.is_empty() && !name.contains('/')
    });
    let is_mark = tokens::filled(text).is_some_and(|words| {
        words.iter().any(|word| word.starts_with(".Annotations") || word.starts_with(".Labels"))
    });
    match before {
        Before::Option(Takes::Name) => false,
        Before::Option(Takes::Anything) => is_path && is_repository || is_mark,
        Before::Option(Takes::Nothing) | Before::Command | Before::Word => is_path || is_mark,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inside() -> Inside<'static> {
        Inside { folders: vec!["/mnt/models".to_owned()], placeholders: false, namespace: "prod" }
    }

    fn found<'a>(word: &'a str, inside: &Inside<'_>) -> Option<&'a str> {
        elsewhere(std::iter::once(Word::plain(word)), inside).map(|found| found.word)
    }

    fn leads(words: &str) -> bool {
        found(words, &inside()).is_some()
    }

    #[test]
    fn sees_options_that_name_another_model() {
        for words in [
            "--model_id=org/other",
            "--model-id org/other",
            "--model_dir /other",
            "--model_dir=/mnt/models/../other",
            "--model_dir=/mnt/modelsother",
            "--model=org/other",
            "--model-uri s3://b/other",
            "--model_base_path=/other",
            "--model-store=/other",
            "--model-repository=/other",
            "--lora-modules a=/other",
            "--speculative-config {\"model\":\"org/draft\"}",
            "--config /etc/vllm.yaml",
            "sh -c 'python -m huggingfaceserver --model_id=org/other'",
            "MODEL_ID=org/other exec python",
            "vllm serve org/other",
            "exec vllm serve \\\n org/other --port 8000",
            "eval \"exec /usr/bin/vllm serve org/other",
            "hf://org/other",
            "--whatever=models:/other/3",
            "$(EXTRA)",
            "$(A)=org/other",
            "--mod$(A)=org/other",
            "--mod$A=org/other",
            "${A}del_id=org/other",
        ] {
            assert!(leads(words), "{words}");
        }
    }

    #[test]
    fn leaves_the_options_of_a_server_alone() {
        for words in [
            "--model_name=fraud --http_port=8080",
            "--model_dir=/mnt/models",
            "--model_dir /mnt/models/sub",
            "--served-model-name fraud --max-model-len=4096",
            "--model-control-mode=explicit --load-model=fraud",
            "--enable-lora --max-lora-rank 8",
            "--tensor-parallel-size=2 --otlp-traces-endpoint=http://collector:4317",
            "vllm serve /mnt/models --port 8000",
            "python -m sklearnserver",
        ] {
            assert!(!leads(words), "{words}");
        }
    }

    #[test]
    fn a_placeholder_stands_for_a_folder_only_where_it_may() {
        let filled = Inside { placeholders: true, ..inside() };
        for word in ["--model_dir=${MODEL_DIR}", "--model_dir=$(MODEL_DIR)/1", "--model $MODEL_ID"]
        {
            assert!(leads(word), "{word}");
            assert_eq!(found(word, &filled), None, "{word}");
        }
        for word in [
            "--model=$(X)",
            "--model=${X}",
            "--model=${MODEL_DIR:-/other}",
            "--model=$(MODEL_DIR)/../other",
            "--model={{.Annotations.path}}",
            "$(EXTRA)",
            "$(A)=org/other",
            "--mod$(A)=org/other",
        ] {
            assert_eq!(found(word, &filled), Some(word), "{word}");
        }
        for word in [
            "--node-ip=$(POD_IP)",
            "http://$(POD_IP):8000",
            "python -m server ${ARGS} --tensor-parallel-size=${TENSOR_PARALLEL_SIZE} $0 $@",
            "version=$(vllm --version | tail -1)",
            "ids[\"${name}\"]=\"${index}\"",
        ] {
            assert_eq!(found(word, &filled), None, "{word}");
        }
    }

    #[test]
    fn a_mount_meets_a_model_from_above_and_below() {
        for (path, met) in [
            ("/mnt/models", true),
            ("/mnt/models/1/", true),
            ("/mnt", true),
            ("/", true),
            ("/tmp/../mnt/models", true),
            ("/mnt/./models/model.joblib", true),
            ("/./mnt//models", true),
            ("/mnt/other", false),
            ("/models", false),
        ] {
            assert_eq!(inside().meets(path), met, "{path}");
        }
    }
}
