//! Whether a policy has the signatures that the gate file asks for.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::signature::{PublicKey, Signatures, Subject};
use crate::config::{Demand, KeySource, TrustSettings};
use crate::model::Undecided;
use crate::policy::PolicyRef;

/// The keys of a gate file, and what they have to have signed.
#[derive(Clone, Debug)]
pub struct Trust {
    settings: TrustSettings,
    keys: BTreeMap<String, PublicKey>,
}

/// A key of the gate file that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustFault {
    /// Which one, by its number in the file.
    pub key: usize,
    /// What is wrong with it.
    pub message: String,
}

impl Trust {
    /// Reads the keys of a gate file in `directory`.
    ///
    /// # Errors
    /// Every key that cannot be used.
    pub fn open(settings: &TrustSettings, directory: &Path) -> Result<Self, Vec<TrustFault>> {
        let mut keys = BTreeMap::new();
        let mut faults = Vec::new();
        for (number, key) in settings.keys.iter().enumerate() {
            let read = match &key.source {
                KeySource::Inline(pem) => PublicKey::from_pem(pem),
                KeySource::File(path) => PublicKey::read(&directory.join(path)),
            };
            match read {
                Ok(read) => {
                    keys.insert(key.name.clone(), read);
                }
                Err(error) => {
                    let message = format!("the key `{}` cannot be used: {error}", key.name);
                    faults.push(TrustFault { key: number, message });
                }
            }
        }
        if faults.is_empty() { Ok(Self { settings: settings.clone(), keys }) } else { Err(faults) }
    }

    /// The files that keys are in, below `directory`.
    pub fn files(settings: &TrustSettings, directory: &Path) -> Vec<PathBuf> {
        let files = settings.keys.iter().filter_map(|key| match &key.source {
            KeySource::File(path) => Some(directory.join(path)),
            KeySource::Inline(_) => None,
        });
        files.collect()
    }

    /// Whether a policy has to be signed by anybody.
    #[must_use]
    pub fn asks(&self, reference: &PolicyRef) -> bool {
        !matches!(self.settings.demand(reference), Demand::Nothing)
    }

    /// The names of the keys that a policy is signed by, when they are those that the gate file
    /// asks for.
    ///
    /// # Errors
    /// [`Undecided::Untrusted`], when a signature is missing.
    pub fn admit(
        &self,
        reference: &PolicyRef,
        subject: Subject,
        signatures: &Signatures,
    ) -> Result<Vec<String>, Undecided> {
        let untrusted = |detail: String| Err(Undecided::Untrusted { detail });
        let demands = match self.settings.demand(reference) {
            Demand::Nothing => Vec::new(),
            Demand::Signatures(demands) => demands,
            Demand::Uncovered => {
                return untrusted(format!(
                    "no entry of `trust` covers `{reference}`; add it to `require`, or to `unsigned`"
                ));
            }
        };
        for signed_by in demands {
            let mut problems = Vec::new();
            for name in signed_by {
                let problem = match self.keys.get(name) {
                    Some(key) => signatures.verify(key, subject).err(),
                    None => Some("there is no such key".to_owned()),
                };
                problems.extend(problem.map(|problem| format!("{name}: {problem}")));
            }
            if problems.len() == signed_by.len() {
                return untrusted(format!(
                    "`{reference}` has to be signed by {}; {}",
                    alternatives(signed_by),
                    problems.join(", ")
                ));
            }
        }
        Ok(self.signers(subject, signatures))
    }

    /// The names of all keys that have signed.
    fn signers(&self, subject: Subject, signatures: &Signatures) -> Vec<String> {
        let signed = self.keys.iter().filter(|(_, key)| signatures.verify(key, subject).is_ok());
        signed.map(|(name, _)| name.clone()).collect()
    }
}

fn alternatives(names: &[String]) -> String {
    let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(" or ")
}
