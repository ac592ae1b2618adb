//! `policy.yaml`: what a project's policy is called, what it is written in and what it reads.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Component, Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::Language;
use crate::config::{Diagnostics, Document, Fault, Shape, schema_of};
use crate::policy::answer::is_code;

/// Name of the file that makes a folder a policy project.
pub const MANIFEST: &str = "policy.yaml";

/// A manifest takes some ten lines.
const MOST_BYTES: usize = 64 << 10;

/// An interface of the contract that a policy may import.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Import {
    /// What is asked for: subject, target, who asks, when.
    Promotion,
    /// Metadata, tags, card and files of the model.
    Model,
    /// Evaluation metrics of the candidate and of what it would replace.
    Metrics,
    /// Results of test suites.
    Tests,
    /// GPU time and money, spent and expected.
    Cost,
    /// Security scans and their findings.
    Security,
    /// Who has agreed.
    Approvals,
    /// Where the model has been before.
    History,
    /// Where each piece of evidence came from.
    Sources,
    /// Evidence of any other kind, as JSON.
    Documents,
    /// Lines for the policy's author.
    Log,
}

impl Import {
    /// Every interface, in the order of the contract.
    pub const ALL: [Self; 11] = [
        Self::Promotion,
        Self::Model,
        Self::Metrics,
        Self::Tests,
        Self::Cost,
        Self::Security,
        Self::Approvals,
        Self::History,
        Self::Sources,
        Self::Documents,
        Self::Log,
    ];

    /// Its name in the contract and in `reads`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Promotion => "promotion",
            Self::Model => "model",
            Self::Metrics => "metrics",
            Self::Tests => "tests",
            Self::Cost => "cost",
            Self::Security => "security",
            Self::Approvals => "approvals",
            Self::History => "history",
            Self::Sources => "sources",
            Self::Documents => "documents",
            Self::Log => "log",
        }
    }
}

impl fmt::Display for Import {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A policy project: what it is called, what it is written in and what it reads.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(title = "lockgate policy manifest")]
struct Raw {
    /// Version of this file's format: `1`.
    #[serde(rename = "version")]
    #[schemars(extend("const" = 1))]
    _version: Value,
    /// Name of the policy, in kebab-case, as the policy itself gives it: `region-floor`. The
    /// component is built as `NAME.wasm`.
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$"))]
    name: String,
    /// What it is written in: `rust`, `js` or `python`.
    language: Language,
    /// The interfaces of the contract that the policy imports, which is all that it can see. The
    /// build refuses a policy that imports another.
    #[schemars(length(max = 11), extend("uniqueItems" = true))]
    reads: Vec<Import>,
    /// What the policy is made from, beside this file or below it: `Cargo.toml`, `src/policy.js` or
    /// `src/policy.py` unless given.
    #[schemars(length(min = 1, max = 250))]
    source: Option<String>,
    /// Folder of the policy's cases, beside this file or below it; `cases` unless given.
    #[schemars(length(min = 1, max = 250))]
    cases: Option<String>,
}

/// A sound `policy.yaml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// Name of the policy, in kebab-case.
    pub name: String,
    /// What it is written in.
    pub language: Language,
    /// What it imports.
    pub reads: BTreeSet<Import>,
    /// What it is made from, relative to the project.
    pub source: PathBuf,
    /// Folder of its cases, relative to the project; it may not be there.
    pub cases: PathBuf,
}

/// A folder with a sound `policy.yaml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// The folder.
    pub root: PathBuf,
    /// What its `policy.yaml` says.
    pub manifest: Manifest,
}

impl Project {
    /// Reads the project in the folder `root`.
    ///
    /// # Errors
    /// Everything that is wrong with its `policy.yaml`.
    pub fn open(root: &Path) -> Result<Self, Diagnostics> {
        let schema = schema();
        let manifest = Document::read(&root.join(MANIFEST), &shape(&schema))?.resolve(sound)?;
        Ok(Self { root: root.to_owned(), manifest })
    }

    /// Where its component is built unless another file is named.
    #[must_use]
    pub fn component(&self) -> PathBuf {
        self.root.join(format!("{}.wasm", self.manifest.name))
    }

    /// What its policy is made from.
    #[must_use]
    pub fn source(&self) -> PathBuf {
        self.root.join(&self.manifest.source)
    }

    /// The folder of its cases.
    #[must_use]
    pub fn cases(&self) -> PathBuf {
        self.root.join(&self.manifest.cases)
    }
}

impl Manifest {
    /// Reads the text of a `policy.yaml`; `file` is what messages call it.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parse(text: &str, file: &str) -> Result<Self, Diagnostics> {
        let schema = schema();
        Document::parse(text, file, &shape(&schema))?.resolve(sound)
    }
}

/// JSON Schema (2020-12) of `policy.yaml`, for editors; published as
/// `sdk/schema/policy.schema.json`.
#[must_use]
pub fn schema() -> Value {
    schema_of::<Raw>()
}

const fn shape(schema: &Value) -> Shape<'_> {
    Shape {
        name: "policy manifest",
        empty: "`lockgate policy new` writes a whole project",
        schema,
        most_bytes: MOST_BYTES,
    }
}

fn sound(raw: Raw) -> Result<Manifest, Vec<Fault>> {
    let Raw { _version, name, language, reads, source, cases } = raw;
    let source = source.unwrap_or_else(|| language.default_source().to_owned());
    let cases = cases.unwrap_or_else(|| "cases".to_owned());
    let mut faults = Vec::new();
    if !is_code(&name) {
        faults.push(Fault {
            pointer: "/name".to_owned(),
            message: format!("`name` is `{name}`, which is not kebab-case"),
            hint: Some(
                "write lower-case words and digits with single hyphens between: `region-floor`"
                    .to_owned(),
            ),
        });
    }
    for (key, path) in [("source", &source), ("cases", &cases)] {
        if !is_within(path) {
            faults.push(Fault {
                pointer: format!("/{key}"),
                message: format!("`{key}` is `{path}`, which leads out of the project"),
                hint: Some("name something beside `policy.yaml` or below it".to_owned()),
            });
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let (source, cases) = (PathBuf::from(source), PathBuf::from(cases));
    Ok(Manifest { name, language, reads: reads.into_iter().collect(), source, cases })
}

/// Whether a path stays below the folder that it is relative to.
fn is_within(path: &str) -> bool {
    let inner = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
    Path::new(path).components().all(inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: &str = "version: 1\nname: region-floor\nlanguage: rust\nreads: [metrics, log]\n";

    fn refused(text: &str) -> String {
        Manifest::parse(text, "policy.yaml").unwrap_err().to_string()
    }

    #[test]
    fn reads_a_manifest_and_fills_in_what_is_left_out() {
        let manifest = Manifest::parse(SOUND, "policy.yaml").unwrap();
        assert_eq!(manifest.name, "region-floor");
        assert_eq!(manifest.reads, BTreeSet::from([Import::Metrics, Import::Log]));
        assert_eq!(manifest.source, Path::new("Cargo.toml"));
        assert_eq!(manifest.cases, Path::new("cases"));
        let python = SOUND.replace("rust", "python") + "source: app/main.py\n";
        let python = Manifest::parse(&python, "policy.yaml").unwrap();
        assert_eq!(python.source, Path::new("app/main.py"));
    }

    #[test]
    fn says_what_is_wrong_and_where() {
        for (wrong, messages) in [
            (SOUND.replace("rust", "ruby"), ["`language` takes `rust`", "policy.yaml:3:11"]),
            (SOUND.replace("metrics", "metric"), ["did you mean `metrics`?", "policy.yaml:4:9"]),
            (SOUND.replace("log", "metrics"), ["`reads` lists something twice", ":4:8"]),
            (SOUND.replace("region-floor", "Region"), ["not kebab-case", "policy.yaml:2:7"]),
            (SOUND.replace("name:", "nam:"), ["unknown key `nam`", "lacks the key `name`"]),
            (SOUND.replace("1\n", "2\n"), ["`version` takes `1`", "policy.yaml:1:10"]),
            (format!("{SOUND}source: ../x.py\n"), ["leads out of the project", ":5:9"]),
            (format!("{SOUND}cases: /etc\n"), ["leads out of the project", ":5:8"]),
            (String::new(), ["the file is empty", "lockgate policy new"]),
        ] {
            let error = refused(&wrong);
            for message in messages {
                assert!(error.contains(message), "no `{message}` in\n{error}");
            }
            assert!(!error.contains("pattern"), "{error}");
        }
    }

    #[test]
    fn a_long_name_is_refused() {
        let error = refused(&SOUND.replace("region-floor", &"x".repeat(65)));
        assert!(error.contains("`name`"), "{error}");
    }

    /// An interface that a later contract adds must be one that a manifest can name.
    #[test]
    fn every_interface_of_the_contract_can_be_named() {
        let contract = crate::project::sdk::CONTRACT;
        let world = contract.split("world policy").nth(1).unwrap();
        let imported: Vec<&str> = world
            .lines()
            .filter_map(|line| line.trim().strip_prefix("import ")?.strip_suffix(';'))
            .collect();
        assert_eq!(imported, Import::ALL.map(Import::as_str));
    }
}
