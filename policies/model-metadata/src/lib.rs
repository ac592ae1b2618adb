//! The standard policy `model-metadata`.

mod license;

use lockgate_sdk::prelude::*;

/// What must be known of a model version; at least one requirement.
#[params]
#[schemars(extend(
    "examples" = [{
        "required": ["owner", "description", "source-commit"],
        "card-sections": ["Intended use", "Limitations"],
        "licenses": ["Apache-2.0", "MIT"]
    }]
))]
#[derive(Default)]
pub struct Params {
    /// Metadata that must be there.
    #[serde(default)]
    required: Vec<Field>,
    /// Tags that the version must carry, with any value but an empty one.
    #[serde(default)]
    required_tags: Vec<String>,
    /// Sections that the model card must have, with some text; capital letters make no
    /// difference.
    #[serde(default)]
    card_sections: Vec<String>,
    /// SPDX identifiers of the licences that are allowed; without it, any licence and none.
    #[schemars(length(min = 1))]
    licenses: Option<Vec<String>>,
}

/// A piece of metadata.
#[params]
#[derive(Copy)]
pub enum Field {
    /// Who answers for the model.
    Owner,
    /// Licence.
    License,
    /// Framework it was trained with.
    Framework,
    /// Description.
    Description,
    /// When the version was created.
    CreatedAt,
    /// Run that produced it.
    SourceRun,
    /// Commit of the training code.
    SourceCommit,
    /// Name or digest of the training dataset.
    TrainingDataset,
}

/// What this policy checks.
#[derive(Clone, Copy, Rules)]
pub enum Rule {
    /// Metadata present
    ///
    /// Each field of `required` has a value that is not blank.
    Field,
    /// Tag present
    ///
    /// The version carries each of `required-tags`, with a value that is not blank.
    Tag,
    /// Model card section present
    ///
    /// The model card has each of `card-sections`, with text that is not blank.
    CardSection,
    /// Licence allowed
    ///
    /// The licence is one of `licenses`. Of `A OR B` one must be, of `A AND B` both. Fails when
    /// no licence is stated, and for other compound expressions, which must be listed as they are.
    License,
}

/// Requires metadata, tags, model card sections and an allowed licence.
#[policy(name = "model-metadata", rules = Rule)]
fn evaluate(params: Params, evidence: &Evidence) -> Result<Vec<Check>, Refusal> {
    params.validate()?;
    let metadata = evidence.metadata();
    let mut checks = Vec::new();
    checks.extend(params.required.iter().map(|field| field.check(&metadata)));
    checks.extend(params.required_tags.iter().map(|key| tag(key, evidence.tag(key))));
    if !params.card_sections.is_empty() {
        let card = evidence.card();
        checks.extend(params.card_sections.iter().map(|name| section(name, &card)));
    }
    if let Some(allowed) = &params.licenses {
        checks.push(license::check(metadata.license.as_deref(), allowed));
    }
    Ok(checks)
}

impl Params {
    fn validate(&self) -> Result<(), Refusal> {
        let nothing = self.required.is_empty()
            && self.required_tags.is_empty()
            && self.card_sections.is_empty()
            && self.licenses.is_none();
        let problem = if nothing {
            "nothing is required; give `required`, `required-tags`, `card-sections` or `licenses`"
        } else if self.licenses.as_ref().is_some_and(Vec::is_empty) {
            "`licenses` is empty; leave it out to allow any"
        } else {
            return Ok(());
        };
        Err(Refusal::Params(problem.to_owned()))
    }
}

impl Field {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::License => "license",
            Self::Framework => "framework",
            Self::Description => "description",
            Self::CreatedAt => "created-at",
            Self::SourceRun => "source-run",
            Self::SourceCommit => "source-commit",
            Self::TrainingDataset => "training-dataset",
        }
    }

    fn check(self, metadata: &Metadata) -> Check {
        let is_there = match self {
            Self::Owner => has_text(metadata.owner.as_deref()),
            Self::License => has_text(metadata.license.as_deref()),
            Self::Framework => has_text(metadata.framework.as_deref()),
            Self::Description => has_text(metadata.description.as_deref()),
            Self::CreatedAt => metadata.created_at.is_some(),
            Self::SourceRun => has_text(metadata.source_run.as_deref()),
            Self::SourceCommit => has_text(metadata.source_commit.as_deref()),
            Self::TrainingDataset => has_text(metadata.training_dataset.as_deref()),
        };
        let name = self.as_str();
        if is_there {
            Check::pass(Rule::Field, format!("`{name}` is given"))
        } else {
            Check::fail(Rule::Field, format!("`{name}` is missing"))
                .remedy(format!("record `{name}` with the model version"))
        }
        .about(name)
    }
}

fn tag(key: &str, value: Option<String>) -> Check {
    if has_text(value.as_deref()) {
        Check::pass(Rule::Tag, format!("the tag `{key}` is set"))
    } else {
        let problem = if value.is_some() { "is blank" } else { "is missing" };
        Check::fail(Rule::Tag, format!("the tag `{key}` {problem}"))
            .remedy(format!("set the tag `{key}` on the model version"))
    }
    .about(key)
}

fn section(name: &str, card: &[CardSection]) -> Check {
    let wanted = name.trim().to_lowercase();
    let mut named = card.iter().filter(|section| section.name.trim().to_lowercase() == wanted);
    if named.clone().any(|section| has_text(Some(&section.text))) {
        Check::pass(Rule::CardSection, format!("the model card has a section `{name}`"))
    } else {
        let problem = if named.next().is_some() { "is blank" } else { "is missing" };
        Check::fail(Rule::CardSection, format!("the section `{name}` of the model card {problem}"))
            .remedy(format!("write the section `{name}` of the model card"))
    }
    .about(name)
}

fn has_text(text: Option<&str>) -> bool {
    text.is_some_and(|text| !text.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use lockgate_sdk::{EvidenceBuilder, parse_params};

    use super::*;

    fn judge(params: &str, evidence: EvidenceBuilder) -> Vec<(String, Outcome)> {
        evaluate(parse_params(params).unwrap(), &evidence.build())
            .unwrap()
            .into_iter()
            .map(|check| (check.about.unwrap_or_default(), check.outcome))
            .collect()
    }

    fn one(about: &str, outcome: Outcome) -> Vec<(String, Outcome)> {
        vec![(about.to_owned(), outcome)]
    }

    #[test]
    fn rejects_metadata_that_is_missing_or_blank() {
        let params = r#"{"required": ["owner"]}"#;
        for (owner, outcome) in [
            (Some("risk-team"), Outcome::Pass),
            (Some(" \n"), Outcome::Fail),
            (None, Outcome::Fail),
        ] {
            let metadata = Metadata { owner: owner.map(str::to_owned), ..Metadata::default() };
            let checks = judge(params, Evidence::builder().metadata(metadata));
            assert_eq!(checks, one("owner", outcome), "{owner:?}");
        }
    }

    #[test]
    fn every_field_can_be_required_and_is_missing_from_nothing() {
        let params = r#"{"required": ["owner", "license", "framework", "description", "created-at",
                                       "source-run", "source-commit", "training-dataset"]}"#;
        let checks = judge(params, Evidence::builder());
        assert_eq!(checks.len(), 8);
        assert!(checks.iter().all(|(_, outcome)| *outcome == Outcome::Fail));
        let text = || Some("x".to_owned());
        let checks = judge(
            params,
            Evidence::builder().metadata(Metadata {
                owner: text(),
                license: text(),
                framework: text(),
                description: text(),
                created_at: Some(0),
                source_run: text(),
                source_commit: text(),
                training_dataset: text(),
            }),
        );
        assert!(checks.iter().all(|(_, outcome)| *outcome == Outcome::Pass));
    }

    #[test]
    fn rejects_tags_that_are_missing_or_blank() {
        let params = r#"{"required-tags": ["team"]}"#;
        let evidence = || Evidence::builder();
        assert_eq!(judge(params, evidence().tag("team", "risk")), one("team", Outcome::Pass));
        assert_eq!(judge(params, evidence().tag("team", "")), one("team", Outcome::Fail));
        assert_eq!(judge(params, evidence().tag("Team", "risk")), one("team", Outcome::Fail));
    }

    #[test]
    fn rejects_card_sections_that_are_missing_or_blank() {
        let params = r#"{"card-sections": ["Intended use"]}"#;
        for (name, text, outcome) in [
            ("intended USE ", "Scoring.", Outcome::Pass),
            ("Intended use", " ", Outcome::Fail),
            ("Limits", "Many.", Outcome::Fail),
        ] {
            let evidence = Evidence::builder().card_section(name, text);
            assert_eq!(judge(params, evidence), one("Intended use", outcome), "{name}");
        }
    }

    #[test]
    fn rejects_a_licence_that_is_missing_or_not_allowed() {
        let params = r#"{"licenses": ["Apache-2.0"]}"#;
        let licensed = |license: Option<&str>| {
            let license = license.map(str::to_owned);
            Evidence::builder().metadata(Metadata { license, ..Metadata::default() })
        };
        for (license, outcome) in [
            (Some("apache-2.0"), Outcome::Pass),
            (Some("GPL-3.0-only"), Outcome::Fail),
            (None, Outcome::Fail),
        ] {
            let checks = judge(params, licensed(license));
            assert_eq!(checks[0].1, outcome, "{license:?}");
        }
    }

    #[test]
    fn refuses_params_that_require_nothing() {
        for params in ["{}", r#"{"licenses": []}"#] {
            let answer = evaluate(parse_params(params).unwrap(), &Evidence::builder().build());
            assert!(matches!(answer, Err(Refusal::Params(_))), "{params}");
        }
        assert!(parse_params::<Params>(r#"{"required": ["author"]}"#).is_err());
    }
}
