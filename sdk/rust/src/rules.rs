use crate::Rule;

/// The rules of a policy: an enum without fields, whose documentation says what each rule checks.
///
/// Derive it. The code of a rule is its variant's name in kebab-case (`ScanComplete` is
/// `scan-complete`); the first paragraph of its documentation is the title, the rest is the
/// description. A variant without both does not compile.
///
/// ```
/// use lockgate_sdk::prelude::*;
///
/// #[derive(Clone, Copy, Rules)]
/// enum Rule {
///     /// Scan complete
///     ///
///     /// The scanner read every file. Fails when it passed over any.
///     ScanComplete,
/// }
///
/// assert_eq!(Rule::ScanComplete.code(), "scan-complete");
/// ```
pub trait Rules: Copy {
    /// Stable kebab-case code of the rule.
    fn code(self) -> &'static str;

    /// Every rule, in the order of the enum.
    fn all() -> Vec<Rule>;
}
