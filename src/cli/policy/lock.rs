//! `lockgate policy lock` and `vendor`: what the policies of a gate file are, written down and
//! kept beside it.

use std::collections::BTreeSet;

use clap::Args;

use super::failure::told;
use crate::cli::Exit;
use crate::cli::gate_file::GateFile;
use crate::cli::sandbox::SandboxOptions;
use crate::cli::sources::{RegistryOptions, trust, used};
use crate::cli::terminal::Terminal;
use crate::config::Config;
use crate::distribution::{
    DistributionError, Fetched, LOCK_FILE, Lock, Pin, Store, Subject, Trust, VENDOR, fetch,
    write_whole,
};
use crate::model::Digest;
use crate::policy::{OciRef, PolicyRef};
use crate::wasm::COMPONENT_BYTES;

/// Write down what the tags in the gate file mean, in `lockgate.lock` beside it.
///
/// Tags that are locked stay as they are until --update; those that are new are looked up, and
/// those that the gate file no longer uses are dropped. A policy without the signatures that
/// `trust` asks for is not locked.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  lockgate policy lock                    # after adding `use: oci://…:TAG`; commit the lock file\n  lockgate policy lock --update           # take what the tags mean now\n  lockgate policy lock --check            # in CI: exits with 1 when the lock file is not up to date\n  lockgate policy lock --update --check   # also when a tag means something else by now\n\nExits with 3 when a policy cannot be had or is not trusted; nothing is written then."
)]
pub(in crate::cli) struct LockPolicies {
    #[command(flatten)]
    gate_file: GateFile,

    /// Look up every tag again.
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
        let old = match Lock::read(&path) {
            Ok(old) => old,
            Err(error) if self.check => return Ok(told(terminal, error)),
            Err(error) => {
                terminal.warning(&error);
                terminal.warning("every tag is looked up again");
                Lock::default()
            }
        };
        if self.check && !self.update {
            let drift = old.drift(used(&config));
            for drifted in &drift {
                terminal.tell(format_args!("{drifted}\n"));
            }
            return Ok(if drift.is_empty() { Exit::Done } else { Exit::Deny });
        }
        let mut new = Lock::default();
        let cache = self.sandbox.store();
        for reference in floating(&config) {
            let kept = old.get(reference).filter(|_| !self.update);
            let pin = match kept {
                Some(pin) => pin.clone(),
                None => match self.look_up(reference, trust.as_ref(), cache.as_ref(), terminal) {
                    Ok(pin) => pin,
                    Err(exit) => return Ok(exit),
                },
            };
            tell_change(terminal, reference, old.get(reference), &pin);
            new.pin(reference.clone(), pin);
        }
        for stray in old.stray(&used(&config).collect()) {
            terminal.tell(format_args!("`{stray}` is not used\n"));
        }
        let changed = new != old;
        if self.check {
            return Ok(if changed { Exit::Deny } else { Exit::Done });
        }
        if changed || !path.exists() {
            write_whole(&path, new.text().as_bytes(), false)?;
            terminal.note(format_args!("written to {}", path.display()));
        }
        Ok(Exit::Done)
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
        let fetched = fetch(reference, COMPONENT_BYTES, &options);
        let fetched = fetched.map_err(|error| told(terminal, error))?;
        terminal.end_progress();
        let signed_by = trusted(reference, &fetched, trust, terminal).ok_or(Exit::Undecided)?;
        if let Some(cache) = cache.filter(|_| !self.check) {
            // Without it, it is pulled again when it is needed.
            let _ = cache.put(&fetched);
        }
        Ok(Pin::new(&fetched.manifest, signed_by))
    }
}

fn tell_change(terminal: &Terminal, reference: &OciRef, old: Option<&Pin>, new: &Pin) {
    match old {
        Some(old) if old == new => {}
        Some(old) if old.manifest == new.manifest => {
            terminal.tell(format_args!("`{reference}` has other signatures than were locked\n"));
        }
        Some(old) => terminal
            .tell(format_args!("`{reference}` was {} and is {} now\n", old.manifest, new.manifest)),
        None => terminal.tell(format_args!("`{reference}` is {}\n", new.manifest)),
    }
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
        for reference in used(config).collect::<BTreeSet<_>>() {
            let digest = lock.digest(reference)?;
            terminal.progress(format_args!("pulling {reference}"));
            let fetched = fetch(&reference.at(digest), COMPONENT_BYTES, &options)?;
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

/// The tags that nothing but a lock file says the meaning of, each once.
fn floating(config: &Config) -> BTreeSet<&OciRef> {
    used(config).filter(|reference| reference.digest().is_none()).collect()
}

/// Who has signed a policy; none when somebody is missing, which has been told.
fn trusted(
    reference: &OciRef,
    fetched: &Fetched,
    trust: Option<&Trust>,
    terminal: &Terminal,
) -> Option<Vec<String>> {
    let Some(trust) = trust else { return Some(Vec::new()) };
    let subject: Digest = fetched.manifest.digest();
    let reference = PolicyRef::Oci(reference.clone());
    match trust.admit(&reference, Subject(subject), &fetched.signatures) {
        Ok(signers) => Some(signers),
        Err(reason) => {
            terminal.error(&reason.into());
            None
        }
    }
}
