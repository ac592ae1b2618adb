//! The options and variables of the servers that KServe comes with, and those named like them:
//! which of them say what is served.

/// What an option leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Names {
    /// A model, or a file that names one.
    Model,
    /// Settings, one of which may be where a model lies.
    Settings,
    /// A host that requests are passed on to.
    Host,
    /// The pods that an LLM's requests are passed on to.
    Pool,
}

/// Options that Python's argparse, and getopt, also take by a beginning of theirs.
const OPTIONS: [(&str, Names); 13] = [
    ("config", Names::Model),
    ("hf-config-path", Names::Model),
    ("lora-adapters", Names::Model),
    ("lora-modules", Names::Model),
    ("lora-paths", Names::Model),
    ("pretrained", Names::Model),
    ("prompt-adapters", Names::Model),
    ("qlora-adapter-name-or-path", Names::Model),
    ("speculative-config", Names::Model),
    ("tokenizer", Names::Model),
    ("ts-config", Names::Model),
    ("weights", Names::Model),
    ("predictor-host", Names::Host),
];

/// Options that are taken by their whole name alone.
const WHOLE: [(&str, Names); 6] = [
    ("endpoint-selector", Names::Pool),
    ("inference-pool", Names::Pool),
    ("model-loader-extra-config", Names::Settings),
    ("pool-name", Names::Pool),
    ("pool-namespace", Names::Pool),
    // Of vLLM, for its `--speculative-config`.
    ("sc", Names::Model),
];

/// Options about a model that do not say which.
const HARMLESS: [&str; 13] = [
    "load-model",
    // More than one option of every server begins like that, so it is short for none.
    "mode",
    "model-control-mode",
    "model-impl",
    "model-implementation",
    "model-load-gpu-limit",
    "model-load-retry-count",
    "model-load-thread-count",
    "model-type",
    "model-version-policy",
    "model-warmup",
    "no-model-warmup",
    "strict-model-config",
];

/// What an option names, `--lora-modules`. Those of vLLM may be followed by the name of a setting,
/// `--speculative-config.model`.
pub(super) fn option(word: &str) -> Option<Names> {
    let (name, setting) = match word.split_once('.') {
        Some((name, setting)) => (name, Some(setting)),
        None => (word, None),
    };
    let name = spelled(name.trim_start_matches('-'));
    if name.is_empty() {
        return None;
    }
    let may_be_short = word.starts_with("--");
    let is = |own: &str| own == name || may_be_short && own.starts_with(&name);
    let whole = WHOLE.iter().find(|(own, _)| *own == name);
    if setting.is_some_and(setting_names_model) {
        return Some(Names::Model);
    }
    if is_harmless(&name) {
        return None;
    }
    let known = whole.or_else(|| OPTIONS.iter().find(|(own, _)| is(own)));
    known.map(|(_, names)| *names).or_else(|| speaks_of_model(&name).then_some(Names::Model))
}

/// What an option does with the word after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    /// Leaves it alone, by its name: a switch.
    Nothing,
    /// Takes it for what the model is called.
    Name,
    /// Takes it, or does not.
    Anything,
}

pub(super) fn taken_by(option: &str) -> Takes {
    let name = spelled(option.trim_start_matches('-'));
    let is_switch = ["disable-", "enable-", "no-"].iter().any(|start| name.starts_with(start))
        || ["enforce-eager", "headless", "trust-remote-code"].contains(&name.as_str());
    if is_switch {
        Takes::Nothing
    } else if name.ends_with("model-name") {
        Takes::Name
    } else {
        Takes::Anything
    }
}

/// Whether a name in JSON, or the setting of an option, says which model.
pub(super) fn setting_names_model(name: &str) -> bool {
    name.split('.').any(|name| {
        let name = spelled(name);
        !is_harmless(&name)
            && (speaks_of_model(&name)
                || name.starts_with("tensorizer-")
                || ["lora-dir", "tokenizer"].contains(&name.as_str()))
    })
}

fn spelled(name: &str) -> String {
    name.to_ascii_lowercase().replace('_', "-")
}

fn is_harmless(name: &str) -> bool {
    HARMLESS.contains(&name)
        || ["model-name", "modelname", "model-len"].iter().any(|end| name.ends_with(end))
        || ["model-class", "model-server"].iter().any(|start| name.starts_with(start))
}

fn speaks_of_model(name: &str) -> bool {
    ["adapter", "checkpoint", "draft", "lora-module", "lora-path", "model", "pretrained"]
        .iter()
        .any(|part| name.contains(part))
}

/// Whether a variable says which model, or where it lies, or lets others be added to it.
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
    let of_mlserver = name.strip_prefix("MLSERVER_MODEL_");
    last == "MODEL"
        || name.contains("MODEL") && says_where.contains(&last)
        || ["LORA_MODULES", "LORA_RESOLVER", "PRETRAINED", "RUNTIME_LORA"]
            .iter()
            .any(|part| name.contains(part))
        || of_mlserver
            .is_some_and(|rest| ["EXTRA", "PARAMETERS"].iter().any(|field| rest.starts_with(field)))
        || ["TS_CONFIG_FILE", "TS_LOAD_MODELS", "TS_MODELS"].contains(&name.as_str())
}

/// Whether a variable says by its name that it holds further arguments.
pub(super) fn variable_holds_arguments(name: &str) -> bool {
    name.to_ascii_uppercase().ends_with("ARGS")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_told_by_their_beginnings_too() {
        for (word, names) in [
            ("--lora-modul", Some(Names::Model)),
            ("--speculative_conf", Some(Names::Model)),
            ("--speculative-config.model", Some(Names::Model)),
            ("-sc", Some(Names::Model)),
            ("--ts-conf", Some(Names::Model)),
            ("--tokeniz", Some(Names::Model)),
            ("--Model_Id", Some(Names::Model)),
            ("--model-loader-extra-config", Some(Names::Settings)),
            ("--model-loader-extra", Some(Names::Model)),
            ("--model", Some(Names::Model)),
            ("--model-loader-extra-config.tensorizer_dir", Some(Names::Model)),
            ("--model-loader-extra-config.num_threads", Some(Names::Settings)),
            ("--predictor_host", Some(Names::Host)),
            ("--predictor_h", Some(Names::Host)),
            ("-pool-name", Some(Names::Pool)),
            ("--", None),
            ("-c", None),
            ("-m", None),
            ("--mode", None),
            ("--model_name", None),
            ("--model-load-thread-count", None),
            ("--model-server-metrics-scheme", None),
            ("--served-model-name", None),
            ("--predictor_protocol", None),
            ("--tokenizer-mode", None),
            ("--kv-transfer-config", None),
            ("--hf-overrides.model_type", None),
            ("--port", None),
            ("--host", None),
        ] {
            assert_eq!(option(word), names, "{word}");
        }
    }

    #[test]
    fn tells_variables_that_say_which_model() {
        for name in [
            "MODEL",
            "MODEL_ID",
            "HF_MODEL_ID",
            "MLSERVER_MODEL_URI",
            "MODELS_DIR",
            "model_path",
            "MLSERVER_MODEL_HUGGINGFACE_PRETRAINED_MODEL",
            "MLSERVER_MODEL_PARAMETERS",
            "MLSERVER_MODEL_EXTRA",
            "TS_CONFIG_FILE",
            "TS_LOAD_MODELS",
            "VLLM_ALLOW_RUNTIME_LORA_UPDATING",
            "VLLM_LORA_RESOLVER_CACHE_DIR",
        ] {
            assert!(variable_names_model(name), "{name}");
        }
        for name in ["MODEL_NAME", "MLSERVER_MODEL_IMPLEMENTATION", "MODEL_LOG_LEVEL", "HF_TOKEN"] {
            assert!(!variable_names_model(name), "{name}");
        }
    }
}
