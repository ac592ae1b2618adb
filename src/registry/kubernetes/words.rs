//! The arguments and variables of a model's server: whether they lead it to another model than the
//! one that KServe lays down for it.
//!
//! This holds against the options and variables of the servers that KServe comes with, and those
//! named like them. It is no proof: an image does what it likes.

/// Where KServe lays models down, and what else may stand for such a place.
pub(super) struct Inside {
    /// Folders in the container.
    pub(super) folders: Vec<String>,
    /// Whether variables may stand for one; in what is filled in later.
    pub(super) placeholders: bool,
}

impl Inside {
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
    variable_names_model(name) && (after.is_empty() || after.starts_with('/'))
}

/// The first word that leads to another model.
pub(super) fn elsewhere<'a>(
    words: impl Iterator<Item = &'a str>,
    inside: &Inside,
) -> Option<&'a str> {
    let mut tokens = words
        .flat_map(str::split_whitespace)
        .map(|token| token.trim_matches(['"', '\'', ';', '\\']))
        .map(|token| (token, token.trim_matches(['"', '\'', ';', '(', ')', '\\'])))
        .filter(|(_, token)| !token.is_empty())
        .peekable();
    let (mut before, mut last) = ("", "");
    while let Some((whole, token)) = tokens.next() {
        let (name, value) = token.split_once('=').map_or((token, None), |(a, b)| (a, Some(b)));
        let plain = |value: &'a str| value.trim_matches(['"', '\'']);
        let leads = if name.starts_with('-') {
            let value = value.or_else(|| tokens.peek().map(|(_, next)| *next)).map_or("", plain);
            option_names_model(name) && !inside.has(value)
        } else if let Some(value) = value {
            variable_names_model(name) && !inside.has(plain(value))
        } else {
            // `vllm serve MODEL`
            last == "serve" && before.ends_with("vllm") && !inside.has(token)
        };
        if leads || inside.is_made_of_variables(whole) || is_address(value.map_or(token, plain)) {
            return Some(whole);
        }
        (before, last) = (last, token);
    }
    None
}

/// Whether it is an address that models are taken from.
fn is_address(text: &str) -> bool {
    let storage = [
        "abfs",
        "abfss",
        "gs",
        "hdfs",
        "hf",
        "model-registry",
        "modelscope",
        "oci",
        "oci+fetch",
        "oci+modelcar",
        "oci+native",
        "pvc",
        "s3",
        "webhdfs",
    ];
    text.starts_with("models:/")
        || text.split_once("://").is_some_and(|(scheme, _)| storage.contains(&scheme))
}

fn option_names_model(option: &str) -> bool {
    let name = option.trim_start_matches('-').to_ascii_lowercase().replace('_', "-");
    // Options about a model that do not say which.
    let harmless = name.ends_with("model-name")
        || name.ends_with("model-len")
        || name.ends_with("model-control-mode")
        || name.ends_with("model-warmup")
        || ["load-model", "model-class", "model-impl", "model-load", "model-server"]
            .iter()
            .any(|start| name.starts_with(start))
        || ["model-version-policy", "strict-model-config"].contains(&name.as_str());
    if name.contains("model") {
        return !harmless;
    }
    ["config", "hf-config-path", "speculative-config", "tokenizer", "weights"]
        .contains(&name.as_str())
        || ["adapter", "checkpoint", "draft", "lora-module", "lora-path"]
            .iter()
            .any(|part| name.contains(part))
}

/// Whether a variable says which model, or where it lies.
pub(super) fn variable_names_model(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    let says_where = [
        "DIR",
        "FILE",
        "ID",
        "LOCATION",
        "PATH",
        "REPO",
        "REPOSITORY",
        "SOURCE",
        "STORE",
        "URI",
        "URL",
    ];
    let last = name.rsplit('_').next().unwrap_or_default();
    name == "MODEL"
        || name == "HF_MODEL"
        || name.contains("MODEL") && says_where.contains(&last)
        || name.contains("LORA_MODULES")
}

/// Whether a variable says by its name that it holds further arguments.
pub(super) fn variable_holds_arguments(name: &str) -> bool {
    name.to_ascii_uppercase().ends_with("ARGS")
}

/// Whether it is a name, or a part of a name, and nothing that a shell, JSON or an option of a
/// server would be made of.
pub(super) fn is_plain_name(text: &str) -> bool {
    !text.starts_with('-')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.:/@+".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inside() -> Inside {
        Inside { folders: vec!["/mnt/models".to_owned()], placeholders: false }
    }

    fn leads(words: &str) -> bool {
        elsewhere(std::iter::once(words), &inside()).is_some()
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
            assert_eq!(elsewhere(std::iter::once(word), &filled), None, "{word}");
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
            assert_eq!(elsewhere(std::iter::once(word), &filled), Some(word), "{word}");
        }
        for word in [
            "--node-ip=$(POD_IP)",
            "http://$(POD_IP):8000",
            "python -m server ${ARGS} --tensor-parallel-size=${TENSOR_PARALLEL_SIZE} $0 $@",
            "version=$(vllm --version | tail -1)",
            "ids[\"${name}\"]=\"${index}\"",
        ] {
            assert_eq!(elsewhere(std::iter::once(word), &filled), None, "{word}");
        }
    }

    #[test]
    fn tells_variables_that_say_which_model() {
        for name in ["MODEL_ID", "HF_MODEL_ID", "MLSERVER_MODEL_URI", "MODELS_DIR", "model_path"] {
            assert!(variable_names_model(name), "{name}");
        }
        for name in ["MODEL_NAME", "MLSERVER_MODEL_IMPLEMENTATION", "MODEL_LOG_LEVEL", "HF_TOKEN"] {
            assert!(!variable_names_model(name), "{name}");
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
