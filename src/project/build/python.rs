use super::{BuildError, Project};

/// Builds the module that is the project's source.
pub(super) fn component(_project: &Project, _say: &dyn Fn(&str)) -> Result<Vec<u8>, BuildError> {
    Err(BuildError::MissingTool {
        tool: "the Python build".to_owned(),
        language: super::Language::Python,
        remedy: "use a lockgate that has it".to_owned(),
    })
}
