//! `lockgate policy lock` and `vendor`: what the policies of a gate file are, written down and
//! kept beside it.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::path::Path;

use clap::Args;

use super::failure::told;
use crate::cli::Exit;
use crate::cli::gate_file::GateFile;
use crate::cli::sandbox::SandboxOptions;
use crate::cli::sources::{RegistryOptions, signatures_for, trust};
use crate::cli::terminal::Terminal;
use crate::config::Config;
use crate::distribution::{
    DistributionError, Fetched, FilePin, LOCK_FILE, Lock, Pin, Signatures, Store, Subject, Trust,
    Used, VENDOR, With, fetch, write_whole,
};
use crate::model::Digest;
use crate::policy::{OciRef, PolicyRef};
use crate::text::line;
use crate::wasm::COMPONENT_BYTES;

/// Write down what the tags in the gate file mean, in `lockgate.lock` beside it.
///
/// So are the digests of policies in files that have to be signed: a signature says whose a
/// component is, and not which of theirs. What is locked stays as it is until --update; what is new
/// is looked up, and what the gate file no longer uses is dropped. A policy without the signatures
/// that `trust` asks for is not locked.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  lockgate policy lock                    # after adding `use: oci://…:TAG`; commit the lock file\n  lockgate policy lock --update           # take what the tags mean now\n  lockgate policy lock --check            # in CI: exits with 1 when the lock file is not up to date\n  lockgate policy lock --update --check   # also when a tag means something else by now\n\nExits with 3 when a policy cannot be had or is not trusted; nothing is written then."
)]
pub(in crate::cli) struct LockPolicies {
    #[command(flatten)]
    gate_file: GateFile,

    /// Look up every tag and file again, also where the lock file cannot be read.
    #[arg(long)]
    update: bool,

    /// Write nothing; exit with 1 when something would be written. Asks no registry without
    /// --update.
    #[arg(long)]
    check: bool,

    #[command(flatten)]
    registry: RegistryOptions,

    #[command(flatten)]
    sandbox: SandboxOptions,
}

impl LockPolicies {
    pub(super) fn run(&self, terminal: &Terminal) -> anyhow::Result<Exit> {
        let Some((config, trust)) = read(&self.gate_file, terminal)? else {
            return Ok(Exit::Usage);
        };
        let path = config.directory().join(LOCK_FILE);
        let (old, sound) = match Lock::read(&path) {
            Ok(old) => (old, true),
            Err(error @ (DistributionError::Lock(_) | DistributionError::TooLarge { .. }))
                if self.update && !self.check =>
            {
                terminal.warning(&error);
                (Lock::default(), false)
            }
            Err(error) => return Ok(told(terminal, error)),
        };
        let used = Used::of(&config);
        if self.check && !self.update {
            let drift = old.drift(&used);
            for drifted in &drift {
                terminal.tell(format_args!("{}\n", line(drifted)));
            }
            return Ok(if drift.is_empty() { Exit::Done } else { Exit::Deny });
        }
        let new = match self.new_lock(&old, &used, &config, trust.as_ref(), terminal) {
            Ok(new) => new,
            Err(exit) => return Ok(exit),
        };
        for stray in old.stray(&used) {
            terminal.tell(format_args!("`{}` is not used\n", line(&stray)));
        }
        let changed = new != old;
        if self.check {
            return Ok(if changed { Exit::Deny } else { Exit::Done });
        }
        if changed || !sound || !path.exists() {
            write_whole(&path, new.text().as_bytes())?;
            terminal.note(format_args!("written to {}", path.display()));
        }
        Ok(Exit::Done)
    }

    /// What is locked from now on.
    fn new_lock(
        &self,
        old: &Lock,
        used: &Used<'_>,
        config: &Config,
        trust: Option<&Trust>,
        terminal: &Terminal,
    ) -> Result<Lock, Exit> {
        let mut new = Lock::default();
        let locked = |reference| old.get(reference).filter(|_| !self.update);
        let cache = if self.check || used.floating().all(|reference| locked(reference).is_some()) {
            None
        } else {
            self.sandbox.store(self.sandbox.cache(terminal).as_ref())
        };
        for reference in used.floating() {
            let pin = match locked(reference) {
                Some(pin) => pin.clone(),
                None => self.look_up(reference, trust, cache.as_ref(), terminal)?,
            };
            let before = old.get(reference).map(|pin| (pin.manifest, pin.signed_by.as_slice()));
            tell_change(terminal, reference, before, (pin.manifest, pin.signed_by.as_slice()));
            new.pin(reference.clone(), pin);
        }
        for path in &used.files {
            let pin = match old.file(path).filter(|_| !self.update) {
                Some(pin) => pin.clone(),
                None => read_file(path, config, trust, terminal)?,
            };
            let before = old.file(path).map(|pin| (pin.component, pin.signed_by.as_slice()));
            let shown = line(&path.display().to_string());
            tell_change(terminal, shown, before, (pin.component, pin.signed_by.as_slice()));
            new.pin_file(path.to_path_buf(), pin);
        }
        Ok(new)
    }

    fn look_up(
        &self,
        reference: &OciRef,
        trust: Option<&Trust>,
        cache: Option<&Store>,
        terminal: &Terminal,
    ) -> Result<Pin, Exit> {
        terminal.progress(format_args!("pulling {reference}"));
        let options = self.registry.options(terminal);
        let with = signatures_for(&PolicyRef::Oci(reference.clone()), trust);
        let fetched = fetch(reference, COMPONENT_BYTES, with, &options);
        let fetched = fetched.map_err(|error| told(terminal, error))?;
        terminal.end_progress();
        let signed_by = trusted(reference, &fetched, trust, terminal).ok_or(Exit::Undecided)?;
        if let Some(cache) = cache {
            // Without it, it is pulled again when it is needed.
            let _ = cache.put(&fetched);
        }
        Ok(Pin::new(&fetched.manifest, signed_by))
    }
}

/// Says what changes: the digest, or who has signed it.
fn tell_change(
    terminal: &Terminal,
    name: impl Display,
    old: Option<(Digest, &[String])>,
    new: (Digest, &[String]),
) {
    match old {
        Some(old) if old == new => {}
        Some((digest, _)) if digest == new.0 => {
            terminal.tell(format_args!("`{name}` has other signatures than were locked\n"));
        }
        Some((digest, _)) => {
            terminal.tell(format_args!("`{name}` was {digest} and is {} now\n", new.0));
        }
        None => terminal.tell(format_args!("`{name}` is {}\n", new.0)),
    }
}

/// What is in a component's file, if it is signed as it has to be; else that has been told.
fn read_file(
    named: &Path,
    config: &Config,
    trust: Option<&Trust>,
    terminal: &Terminal,
) -> Result<FilePin, Exit> {
    let path = config.directory().join(named);
    let read = FilePin::read(&path, COMPONENT_BYTES)
        .and_then(|pin| Ok((pin, Signatures::read_beside(&path)?)));
    let (mut pin, signatures) = read.map_err(|error| told(terminal, error))?;
    let reference = PolicyRef::Path(named.to_owned());
    pin.signed_by =
        admitted(&reference, pin.component, &signatures, trust, terminal).ok_or(Exit::Undecided)?;
    Ok(pin)
}

/// Keep the gate file's policies beside it, in `vendor/lockgate`, for use without a network.
///
/// Takes every `oci://` policy at the digest that the gate file or `lockgate.lock` says, with its
/// signatures, and removes those that are no longer used. What is vendored is used before anything
/// else, and is held against its digests whenever it is loaded.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  lockgate policy lock && lockgate policy vendor\n  git add lockgate.lock vendor/lockgate\n  lockgate check fraud-detector/3 --to stage:Production --evidence evidence/ --locked --offline\n\nExits with 3 when a policy cannot be had or is not trusted."
)]
pub(in crate::cli) struct Vendor {
    #[command(flatten)]
    gate_file: GateFile,

    #[command(flatten)]
    registry: RegistryOptions,
}

impl Vendor {
    pub(super) fn run(&self, terminal: &Terminal) -> anyhow::Result<Exit> {
        let Some((config, trust)) = read(&self.gate_file, terminal)? else {
            return Ok(Exit::Usage);
        };
        match self.vendor(&config, trust.as_ref(), terminal) {
            Ok(exit) => Ok(exit),
            Err(error) => Ok(told(terminal, error)),
        }
    }

    fn vendor(
        &self,
        config: &Config,
        trust: Option<&Trust>,
        terminal: &Terminal,
    ) -> Result<Exit, DistributionError> {
        let lock = Lock::read(&config.directory().join(LOCK_FILE))?;
        let store = Store::vendored(config.directory());
        let options = self.registry.options(terminal);
        let mut digests = BTreeSet::new();
        for reference in Used::of(config).pulled {
            let digest = lock.digest(reference)?;
            terminal.progress(format_args!("pulling {reference}"));
            let fetched =
                fetch(&reference.at(digest), COMPONENT_BYTES, With::Signatures, &options)?;
            terminal.end_progress();
            if let Some(pin) = lock.get(reference) {
                pin.check(&fetched.manifest, &format!("`{reference}`"))?;
            }
            if trusted(reference, &fetched, trust, terminal).is_none() {
                return Ok(Exit::Undecided);
            }
            store.put(&fetched)?;
            digests.insert(digest);
        }
        let removed = store.retain(&digests)?;
        let count = |count: usize| match count {
            1 => "1 policy".to_owned(),
            count => format!("{count} policies"),
        };
        let gone =
            if removed == 0 { String::new() } else { format!(", {} removed", count(removed)) };
        terminal.note(format_args!("{} in {VENDOR}{gone}", count(digests.len())));
        Ok(Exit::Done)
    }
}

/// The gate file and its trusted keys; none when they are not sound, which has been told.
fn read(
    gate_file: &GateFile,
    terminal: &Terminal,
) -> anyhow::Result<Option<(Config, Option<Trust>)>> {
    let Ok(config) = gate_file.load(terminal, None, || None)? else { return Ok(None) };
    match trust(&config) {
        Ok(trust) => Ok(Some((config, trust))),
        Err(faults) => {
            for diagnostics in faults {
                terminal.tell(format_args!("{diagnostics}\n"));
            }
            Ok(None)
        }
    }
}

/// Who has signed a policy that was pulled; none when somebody is missing, which has been told.
fn trusted(
    reference: &OciRef,
    fetched: &Fetched,
    trust: Option<&Trust>,
    terminal: &Terminal,
) -> Option<Vec<String>> {
    let reference = PolicyRef::Oci(reference.clone());
    admitted(&reference, fetched.manifest.digest(), &fetched.signatures, trust, terminal)
}

/// The same of any policy, by the digest that is signed.
fn admitted(
    reference: &PolicyRef,
    signed: Digest,
    signatures: &Signatures,
    trust: Option<&Trust>,
    terminal: &Terminal,
) -> Option<Vec<String>> {
    let Some(trust) = trust else { return Some(Vec::new()) };
    match trust.admit(reference, Subject(signed), signatures) {
        Ok(signers) => Some(signers),
        Err(reason) => {
            terminal.error(&reason.into());
            None
        }
    }
}
