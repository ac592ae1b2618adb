use anyhow::Context as _;
use globset::Glob;

/// Says of a name whether it is wanted.
pub(super) type Wanted = Box<dyn Fn(&str) -> bool>;

/// Whether the name of a case is wanted: one that contains the text, or matches it where it is a
/// pattern.
pub(super) fn filter(text: &str) -> anyhow::Result<Wanted> {
    if text.contains(['*', '?', '[', '{']) {
        let glob = Glob::new(text).with_context(|| format!("`{text}` is not a pattern"))?;
        let glob = glob.compile_matcher();
        return Ok(Box::new(move |name| glob.is_match(name)));
    }
    let text = text.to_owned();
    Ok(Box::new(move |name| name.contains(&text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_looked_for_and_a_pattern_is_matched() {
        let fits = |text: &str, name: &str| filter(text).unwrap()(name);
        assert!(fits("base", "no-baseline"));
        assert!(!fits("base", "other"));
        assert!(fits("no-*", "no-baseline") && !fits("no-*", "a-no-b"));
        assert!(fits("eu/*", "eu/low"));
        assert!(filter("[").is_err());
    }
}
