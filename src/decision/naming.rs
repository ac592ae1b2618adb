use super::pattern::{InvalidPattern, Patterns};
use crate::model::{InvalidTarget, Target};

/// What names and tags of a registry mean: which models are environments of their own, and which
/// tags say where a version is used.
#[derive(Clone, Debug, Default)]
pub struct Naming {
    /// Models whose versions are in an environment by being there.
    pub environments: Vec<Environment>,
    /// Tags that put a version somewhere.
    pub tags: Vec<PromotionTag>,
}

impl Naming {
    /// The environment that a model of this name is, when it is one; the first that matches.
    #[must_use]
    pub fn environment(&self, model: &str) -> Option<&Environment> {
        self.environments.iter().find(|environment| environment.contains(model))
    }

    /// The promotion tags of this key, in whatever case.
    pub fn tags_of(&self, place: TagPlace, key: &str) -> impl Iterator<Item = &PromotionTag> {
        self.tags
            .iter()
            .filter(move |tag| tag.place == place && tag.key.eq_ignore_ascii_case(key.trim()))
    }
}

/// Registered models that stand for an environment: `prod.*` for `env:prod`.
#[derive(Clone, Debug)]
pub struct Environment {
    pattern: String,
    models: Patterns,
    target: Target,
}

/// What is wrong with the declaration of an environment.
#[derive(Debug, thiserror::Error)]
pub enum InvalidEnvironment {
    /// The pattern does not compile.
    #[error("`{0}` is not a pattern: {1}")]
    Pattern(String, InvalidPattern),
    /// The environment has no name.
    #[error("`{0}` does not begin or end with the name of an environment, as `prod.*` does")]
    Nameless(String),
    /// The name is not that of a target.
    #[error(transparent)]
    Name(#[from] InvalidTarget),
}

impl Environment {
    /// The models that match `pattern`, in whatever case, are the environment whose name the
    /// pattern begins with, or else ends with: `prod.*` and `*-prod` are both `env:prod`.
    ///
    /// # Errors
    /// A pattern that is not a glob, or that no name can be taken from.
    pub fn new(pattern: &str) -> Result<Self, InvalidEnvironment> {
        let models = Patterns::in_any_case(vec![pattern.to_owned()])
            .map_err(|error| InvalidEnvironment::Pattern(pattern.to_owned(), error))?;
        let plain = |part: Option<&'_ str>| {
            let name = part?.trim_matches(|c: char| !c.is_alphanumeric());
            (!name.is_empty()).then(|| name.to_owned())
        };
        let name = plain(pattern.split(WILD).next())
            .or_else(|| plain(pattern.rsplit(WILD).next()))
            .ok_or_else(|| InvalidEnvironment::Nameless(pattern.to_owned()))?;
        let target = format!("env:{name}").parse()?;
        Ok(Self { pattern: pattern.to_owned(), models, target })
    }

    /// The environment as a target.
    #[must_use]
    pub const fn target(&self) -> &Target {
        &self.target
    }

    /// Whether the model of this name is in the environment.
    #[must_use]
    pub fn contains(&self, model: &str) -> bool {
        self.models.matches(model)
    }

    /// The model that holds the versions of `base` in this environment: `prod.fraud` for `fraud`,
    /// where the pattern is `prod.*`. With no or several wildcards, none can be told.
    #[must_use]
    pub fn model_of(&self, base: &str) -> Option<String> {
        let (before, after) = self.pattern.split_once('*')?;
        let single = !before.contains(WILD) && !after.contains(WILD);
        single.then(|| format!("{before}{base}{after}"))
    }

    /// The name of the model without what makes it one of the environment: `fraud` for
    /// `prod.fraud`, where the pattern is `prod.*`. With no or several wildcards, the whole name.
    #[must_use]
    pub fn base<'a>(&self, model: &'a str) -> &'a str {
        let cut = || {
            let (before, after) = self.pattern.split_once('*')?;
            if before.contains(WILD) || after.contains(WILD) {
                return None;
            }
            let end = model.len().checked_sub(after.len())?;
            model.get(before.len()..end).filter(|base| !base.is_empty())
        };
        cut().unwrap_or(model)
    }
}

/// Characters with which a glob pattern stops to be a plain name.
const WILD: [char; 7] = ['*', '?', '[', ']', '{', '}', '\\'];

/// What a promotion tag hangs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TagPlace {
    /// A model version: the version with the tag is at the target.
    Version,
    /// A registered model: the value of the tag is the version that is at the target.
    Model,
}

/// A tag that means that a version is at a target.
#[derive(Clone, Debug)]
pub struct PromotionTag {
    /// The key.
    pub key: String,
    /// What it hangs on.
    pub place: TagPlace,
    /// The values that count, in any case; none for all.
    pub values: Option<Patterns>,
    /// Where the version is by that; none for the environment that the value names.
    pub target: Option<Target>,
}

impl PromotionTag {
    /// Where a version is by this tag having `value`; none when the value does not count.
    ///
    /// # Errors
    /// A value that would have to name an environment and cannot.
    pub fn target_of(&self, value: &str) -> Result<Option<Target>, InvalidTarget> {
        // As registries compare on some databases: without blanks at the end.
        if self.values.as_ref().is_some_and(|values| !values.matches(value.trim())) {
            return Ok(None);
        }
        match &self.target {
            Some(target) => Ok(Some(target.clone())),
            None => format!("env:{value}").parse().map(Some),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_environment_and_the_base_name_from_the_pattern() {
        let environment = Environment::new("prod.*").unwrap();
        assert_eq!(environment.target(), &Target::Environment("prod".into()));
        assert!(environment.contains("PROD.fraud"));
        assert!(!environment.contains("production.fraud"));
        assert_eq!(environment.base("prod.fraud"), "fraud");
        assert_eq!(environment.model_of("fraud").as_deref(), Some("prod.fraud"));
        let environment = Environment::new("*-live").unwrap();
        assert_eq!(environment.target().name(), "live");
        assert_eq!(environment.base("fraud-live"), "fraud");
        let environment = Environment::new("fraud-?-*").unwrap();
        assert_eq!(environment.base("fraud-a-b"), "fraud-a-b");
    }

    #[test]
    fn rejects_an_environment_without_a_name() {
        for pattern in ["*", "[", ".*", "a:b*"] {
            assert!(Environment::new(pattern).is_err(), "{pattern}");
        }
    }

    #[test]
    fn a_tag_means_its_target_or_the_environment_that_its_value_names() {
        let mut tag = PromotionTag {
            key: "deploy".into(),
            place: TagPlace::Version,
            values: None,
            target: None,
        };
        assert_eq!(tag.target_of("prod"), Ok(Some(Target::Environment("prod".into()))));
        assert!(tag.target_of("a:b").is_err());
        tag.values = Some(Patterns::in_any_case(vec!["prod*".into()]).unwrap());
        tag.target = Some(Target::Alias("live".into()));
        assert_eq!(tag.target_of("dev"), Ok(None));
        assert_eq!(tag.target_of("PROD-eu "), Ok(Some(Target::Alias("live".into()))));
    }
}
