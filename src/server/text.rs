//! What texts in requests may look like: the patterns that the OpenAPI document shows, and the
//! same for the server itself.

/// Characters of a name.
const LONGEST: usize = 255;

/// A name: of a model, a version, a registry, a person, a piece of evidence.
pub(super) const NAME: &str = r"^[^\u0000-\u001f\u007f-\u009f]{1,255}$";

/// Whether a text fits [`NAME`].
pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 4 * LONGEST
        && text.chars().count() <= LONGEST
        && !text.chars().any(char::is_control)
}

/// A target: no blank at either end of its name, no colon in it.
pub(super) const TARGET: &str = r"^((stage|alias|env):)?[^\u0000-\u0020:\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]([^\u0000-\u001f:\u007f-\u009f]{0,200}[^\u0000-\u0020:\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000])?$";

/// A digest.
pub(super) const DIGEST: &str = "^sha256:[0-9a-f]{64}$";

/// The id of a decision.
pub(super) const ID: &str = "^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$";

/// A time in UTC, to the second, of days that there are: February has 29 in years that four divides,
/// and of full centuries in those that 400 does. Times end within the year 9999, so none of the
/// last thousand years is promised.
pub(super) const TIME: &str = "^((19[7-9][0-9]|[2-8][0-9]{3})-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))|(19(7[26]|8[048]|9[26])|[2-8][0-9](0[48]|[2468][048]|[13579][26])|([2468][048]|[357][26])00)-02-29)T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z$";
