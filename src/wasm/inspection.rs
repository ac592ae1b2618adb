//! What can be said of a policy before it has judged anything.

use wasmparser::{Instance, KnownCustom, Parser, Payload};

use super::component::{Interface, Names};
use super::host::Offer;
use super::policy::SandboxedPolicy;
use super::store;
use crate::model::{Description, Digest, Undecided};
use crate::policy::{Limits, Policy as _};

/// Producers that are read. A component names some ten; it is hostile text.
const MOST_PRODUCERS: usize = 50;

/// What a policy is, what it can see and what it needs.
#[derive(Clone, Debug)]
pub struct Inspection {
    /// What the policy says of itself.
    pub description: Description,
    /// Digest of the component.
    pub digest: Digest,
    /// Size of the component, bytes.
    pub size: u64,
    /// What it can see: the interfaces it imports, in alphabetical order.
    pub sees: Vec<Interface>,
    /// What it cannot see: the other interfaces with functions on offer.
    pub blind_to: Vec<String>,
    /// Every name that the component imports, as it is written there.
    pub imports: Vec<String>,
    /// Every name that it exports.
    pub exports: Vec<String>,
    /// What it takes to hold an instance of it and to have it describe itself; an evaluation takes
    /// more, by what it judges.
    pub needs: Vec<Need>,
    /// What it says that it was made with.
    pub producers: Vec<Producer>,
}

/// How much of a limited thing a policy takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    /// What it is: `fuel`, `memory`, `table-elements` or `instances`.
    pub what: &'static str,
    /// How much is taken; memory in bytes.
    pub amount: u64,
    /// How much a policy may take unless its gate says otherwise.
    pub limit: u64,
}

/// Something that had a part in making a component, by the component's own word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Producer {
    /// Its part: `language`, `processed-by` or `sdk`.
    pub part: String,
    /// What it is called.
    pub name: String,
    /// Its version; empty when it was left out.
    pub version: String,
}

pub(super) fn of(
    policy: &SandboxedPolicy,
    sees: Vec<Interface>,
    names: Names,
    offer: &Offer,
    bytes: &[u8],
) -> Result<Inspection, Undecided> {
    let is_seen = |name: &str| sees.iter().any(|seen| seen.name == name);
    let blind_to = offer
        .iter()
        .filter(|(name, functions)| !functions.is_empty() && !is_seen(name))
        .map(|(name, _)| (*name).to_owned())
        .collect();
    let Makeup { instances, producers } = makeup(bytes);
    let need = policy.need()?;
    let limits = Limits::default();
    let needs = [
        ("fuel", need.fuel, limits.fuel()),
        ("memory", number(need.memory), limits.memory()),
        ("table-elements", number(need.table_elements), number(store::TABLE_ELEMENTS)),
        ("instances", instances, u64::from(store::INSTANCES)),
    ];
    Ok(Inspection {
        description: policy.description().clone(),
        digest: policy.digest(),
        size: number(bytes.len()),
        sees: sees.into_iter().filter(|seen| !seen.functions.is_empty()).collect(),
        blind_to,
        imports: names.imports,
        exports: names.exports,
        needs: needs.map(|(what, amount, limit)| Need { what, amount, limit }).to_vec(),
        producers,
    })
}

fn number(size: usize) -> u64 {
    u64::try_from(size).unwrap_or(u64::MAX)
}

/// What the bytes of a component tell without running any of it.
#[derive(Default)]
struct Makeup {
    /// Core instances that it makes.
    instances: u64,
    producers: Vec<Producer>,
}

/// The engine has accepted the bytes before; what cannot be read here is left out.
fn makeup(bytes: &[u8]) -> Makeup {
    let mut makeup = Makeup::default();
    for payload in Parser::new(0).parse_all(bytes).map_while(Result::ok) {
        if let Payload::InstanceSection(section) = payload {
            let made = section.into_iter().flatten();
            let made = made.filter(|instance| matches!(instance, Instance::Instantiate { .. }));
            makeup.instances = makeup.instances.saturating_add(number(made.count()));
        } else if let Payload::CustomSection(section) = payload
            && let KnownCustom::Producers(fields) = section.as_known()
        {
            for field in fields.into_iter().flatten() {
                for value in field.values.into_iter().flatten() {
                    let producer = Producer {
                        part: field.name.to_owned(),
                        name: value.name.to_owned(),
                        version: value.version.to_owned(),
                    };
                    if makeup.producers.len() < MOST_PRODUCERS
                        && !makeup.producers.contains(&producer)
                    {
                        makeup.producers.push(producer);
                    }
                }
            }
        }
    }
    makeup
}
