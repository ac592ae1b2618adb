//! `lockgate policy sign`, `verify` and `key new`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand, ValueEnum};

use super::failure::told;
use crate::cli::Exit;
use crate::cli::sources::RegistryOptions;
use crate::cli::terminal::Terminal;
use crate::distribution::{
    self, DistributionError, KeyPair, Manifest, Options, PublicKey, Signatures, SigningKey,
    Subject, publish_signature, pull_manifest, signatures, write_secret, write_whole,
};
use crate::model::Digest;
use crate::policy::{OciRef, PolicyRef};

/// Sign a policy, in a registry or in a file.
///
/// The signature is a Sigstore bundle, as cosign makes it with a key pair: an in-toto statement in
/// a DSSE envelope. That of a policy in a registry is put beside it there; that of a file into
/// FILE.sigstore.json. What a tag means is the registry's word, so a policy there is named by the
/// digest that `lockgate policy push` printed, or by a tag and the component that it has to be.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  lockgate policy key new risk\n  ref=$(lockgate policy push tenure.wasm oci://registry.example.org/risk/tenure:1.4) &&\n    lockgate policy sign \"$ref\" --key risk.key\n  lockgate policy sign oci://registry.example.org/risk/tenure:1.4 \\\n    --component tenure.wasm --key risk.key\n  lockgate policy sign policies/tenure.wasm --key risk.key\n\nExits with 3 when the registry cannot be reached or does not take it."
)]
pub(in crate::cli) struct Sign {
    /// Which: `oci://REGISTRY/REPOSITORY@sha256:HEX`, `…:TAG` with --component, or a component file.
    #[arg(value_name = "oci://…|FILE")]
    policy: String,

    /// The component that the policy in the registry has to be; another is not signed.
    #[arg(long, value_name = "FILE")]
    component: Option<PathBuf>,

    /// The private key: ed25519 or ECDSA P-256, PEM (PKCS#8).
    #[arg(long, value_name = "FILE")]
    key: PathBuf,

    #[command(flatten)]
    registry: RegistryOptions,
}

impl Sign {
    pub(super) fn run(&self, terminal: &Terminal) -> anyhow::Result<Exit> {
        let shown = self.key.display();
        let key = SigningKey::read(&self.key).with_context(|| format!("the key `{shown}`"))?;
        match Policy::parse(&self.policy)? {
            Policy::File(_) if self.component.is_some() => {
                bail!("--component goes with a policy in a registry; a file is what it is")
            }
            Policy::File(path) => {
                let digest = digest_of(&path)?;
                let public = key.public();
                if Signatures::read_beside(&path)?.verify(&public, Subject(digest)).is_ok() {
                    terminal.note(format_args!("it is signed by this key already"));
                    return Ok(Exit::Done);
                }
                let bundle = Signatures::sign(&key, Subject(digest))?;
                let written = Signatures::add_beside(&path, &bundle)?;
                terminal.note(format_args!("written to {}", written.display()));
                terminal.print(&format!("{digest}\n"))?;
                Ok(Exit::Done)
            }
            Policy::Pulled(reference) => {
                let component = self.component.as_deref().map(digest_of).transpose()?;
                if reference.digest().is_none() && component.is_none() {
                    bail!(
                        "what `{reference}` means is the registry's word, and may have changed since it was pushed; name the digest that `lockgate policy push` printed, or the component that it has to be with --component FILE"
                    );
                }
                let options = self.registry.options(terminal);
                match in_registry(&reference, component, &key, &options, terminal) {
                    Ok(digest) => {
                        terminal.print(&format!("{}\n", reference.at(digest)))?;
                        Ok(Exit::Done)
                    }
                    Err(error) => Ok(told(terminal, error)),
                }
            }
        }
    }
}

fn in_registry(
    reference: &OciRef,
    component: Option<Digest>,
    key: &SigningKey,
    options: &Options,
    terminal: &Terminal,
) -> Result<Digest, DistributionError> {
    let manifest: Manifest = pull_manifest(reference, options)?;
    let (digest, found) = (manifest.digest(), manifest.component());
    if let Some(expected) = component.filter(|expected| *expected != found) {
        let what = format!("the component of `{reference}`");
        return Err(DistributionError::Altered { what, expected, found });
    }
    // Two signatures by one key say no more than one.
    let there = signatures(reference, digest, options)?;
    if there.verify(&key.public(), Subject(digest)).is_ok() {
        terminal.note(format_args!("it is signed by this key already"));
        return Ok(digest);
    }
    let bundle = Signatures::sign(key, Subject(digest))
        .map_err(|error| DistributionError::Client(error.to_string()))?;
    publish_signature(reference, &manifest, bundle, options)?;
    Ok(digest)
}

/// Verify the signatures of a policy, in a registry or in a file.
///
/// Takes Sigstore bundles and signatures of cosign's older form, made with a key pair. With several
/// keys, each has to have signed. Gates verify by themselves what their `trust` asks for.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  lockgate policy verify oci://registry.example.org/risk/tenure:1.4 --key risk.pub\n  lockgate policy verify policies/tenure.wasm --key risk.pub --key cosign.pub\n\nExits with 0 when every key has signed, with 1 when one has not, and with 3 when that cannot be\ntold."
)]
pub(in crate::cli) struct Verify {
    /// Which: `oci://REGISTRY/REPOSITORY:TAG`, `…@sha256:HEX`, or a component file.
    #[arg(value_name = "oci://…|FILE")]
    policy: String,

    /// A public key: ed25519 or ECDSA P-256, PEM, such as a `cosign.pub`. Can be given several
    /// times.
    #[arg(long, value_name = "FILE", required = true)]
    key: Vec<PathBuf>,

    #[command(flatten)]
    registry: RegistryOptions,
}

impl Verify {
    pub(super) fn run(&self, terminal: &Terminal) -> anyhow::Result<Exit> {
        let mut keys = Vec::new();
        for path in &self.key {
            let shown = path.display().to_string();
            let key = PublicKey::read(path).with_context(|| format!("the key `{shown}`"))?;
            keys.push((shown, key));
        }
        let (found, digest, shown) = match Policy::parse(&self.policy)? {
            Policy::File(path) => {
                let digest = digest_of(&path)?;
                (Signatures::read_beside(&path)?, digest, digest.to_string())
            }
            Policy::Pulled(reference) => {
                let options = self.registry.options(terminal);
                let found = pull_manifest(&reference, &options).and_then(|manifest| {
                    let digest = manifest.digest();
                    Ok((signatures(&reference, digest, &options)?, digest))
                });
                match found {
                    Ok((found, digest)) => (found, digest, reference.at(digest).to_string()),
                    Err(error) => return Ok(told(terminal, error)),
                }
            }
        };
        let mut exit = Exit::Done;
        for (name, key) in keys {
            match found.verify(&key, Subject(digest)) {
                Ok(()) => terminal.print(&format!("{shown} is signed by {name}\n"))?,
                Err(problem) => {
                    terminal
                        .error(&anyhow::anyhow!("`{shown}` is not signed by `{name}`: {problem}"));
                    exit = Exit::Deny;
                }
            }
        }
        Ok(exit)
    }
}

/// A policy as these commands name it.
enum Policy {
    File(PathBuf),
    Pulled(OciRef),
}

impl Policy {
    fn parse(text: &str) -> anyhow::Result<Self> {
        match text.parse()? {
            PolicyRef::Path(path) => Ok(Self::File(path)),
            PolicyRef::Oci(reference) => Ok(Self::Pulled(reference)),
            PolicyRef::Standard(_) => {
                bail!("`{text}` is part of lockgate and carries no signature of its own")
            }
        }
    }
}

fn digest_of(path: &Path) -> anyhow::Result<Digest> {
    let bytes = std::fs::read(path).with_context(|| format!("`{}`", path.display()))?;
    Ok(Digest::of(&bytes))
}

/// Make keys that policies are signed with.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Key {
    New(NewKey),
}

impl Key {
    pub(super) fn run(&self, terminal: &Terminal) -> anyhow::Result<Exit> {
        match self {
            Self::New(command) => command.run(terminal),
        }
    }
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Algorithm {
    /// ECDSA on the curve P-256, which every tool around signatures knows.
    #[default]
    EcdsaP256,
    /// Ed25519.
    Ed25519,
}

/// Make a pair of keys: NAME.key to sign with and to keep secret, NAME.pub to verify with.
///
/// Both are PEM, as OpenSSL reads and writes them. Neither replaces a file that is there.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  lockgate policy key new risk\n  openssl genpkey -algorithm ed25519 -out risk.key     # the same with OpenSSL\n  openssl pkey -in risk.key -pubout -out risk.pub"
)]
pub(in crate::cli) struct NewKey {
    /// Name of the two files, without their endings.
    #[arg(value_name = "NAME")]
    name: PathBuf,

    /// The kind of keys.
    #[arg(long, value_enum, default_value_t)]
    algorithm: Algorithm,
}

impl NewKey {
    fn run(&self, terminal: &Terminal) -> anyhow::Result<Exit> {
        let named = |ending: &str| {
            let mut name = self.name.as_os_str().to_owned();
            name.push(ending);
            PathBuf::from(name)
        };
        let (private, public) = (named(".key"), named(".pub"));
        for path in [&private, &public] {
            if path.symlink_metadata().is_ok() {
                bail!(
                    "there is a `{}` already, which is not replaced; take another name",
                    path.display()
                );
            }
        }
        let pair = KeyPair::new(match self.algorithm {
            Algorithm::EcdsaP256 => distribution::Algorithm::EcdsaP256,
            Algorithm::Ed25519 => distribution::Algorithm::Ed25519,
        })?;
        write_secret(&private, pair.private.as_bytes())?;
        write_whole(&public, pair.public.as_bytes())?;
        terminal.note(format_args!(
            "{} signs and is to be kept secret; {} verifies",
            private.display(),
            public.display()
        ));
        Ok(Exit::Done)
    }
}
