//! The tags of a model version that lockgate writes and reads.

use crate::model::Target;

/// What the keys of the tags begin with that lockgate writes.
const DECISION: &str = "lockgate.decision.";

/// What the keys of tags begin with that state an approval.
pub(super) const APPROVAL: &str = "lockgate.approval.";

/// Key of the tag that holds the id of the decision by which a version came to `target`.
#[must_use]
pub fn decision_key(target: &Target) -> String {
    format!("{DECISION}{}.{}", target.kind(), target.name())
}

/// The target that the key of a tag speaks of, when it is one that [`decision_key`] makes.
pub(super) fn decided_target(key: &str) -> Option<Target> {
    let (kind, name) = key.strip_prefix(DECISION)?.split_once('.')?;
    format!("{kind}:{name}").parse().ok()
}

/// Whether only lockgate writes tags of this key: all of its own, approvals apart.
pub(super) fn is_reserved(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    key.starts_with("lockgate.") && !key.starts_with(APPROVAL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_tells_the_target_it_was_made_for() {
        for target in ["stage:Production", "alias:champion", "env:eu.prod"] {
            let target: Target = target.parse().unwrap();
            assert_eq!(decided_target(&decision_key(&target)), Some(target));
        }
        assert_eq!(decided_target("lockgate.decision.x"), None);
        assert_eq!(decided_target("team"), None);
    }

    #[test]
    fn keeps_its_own_tags_in_any_case_and_leaves_approvals() {
        assert!(is_reserved("Lockgate.Decision.env.prod") && is_reserved("lockgate.x"));
        assert!(!is_reserved("lockgate.approval.1") && !is_reserved("team"));
    }
}
