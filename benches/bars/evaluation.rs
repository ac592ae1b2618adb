//! One decision's policies within a process: against bare wasmtime code, and with more evidence
//! than they read.

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use lockgate::config::{self, KnownNames};
use lockgate::decision::Verdict;
use lockgate::evaluation::{Case, MatchedGate, Policies, evaluate};
use lockgate::evidence::{About, Collector, Frozen, Side};
use lockgate::model::{Digest, ModelVersion, Promotion, Snapshot, Target, Timestamp};
use lockgate::policy::{Facts, Limits, Policy, PolicyLoader, PolicyRef};
use lockgate::wasm::{Sandbox, standard_component, standard_names};
use wasmtime::component::Component;

use crate::bare::{self, Bare, BarePolicy};
use crate::evidence::METRICS;
use crate::sampling::{Samples, in_turn};
use crate::{document, evidence, policies, table};

const SAMPLES: usize = 3_000;
const FINDINGS: u32 = 200;
const MANY_FINDINGS: u32 = 20_000;

/// Policies that read metrics and no findings.
const METRICS_ONLY: [&str; 3] = ["metric-threshold", "baseline-regression", "slice-gap"];

/// Policies that bring an interpreter, and the files that the set-up builds them to.
const INTERPRETED: [(&str, &str); 2] =
    [("JavaScript", "javascript.wasm"), ("Python", "python.wasm")];

/// A policy, made ready by both sides.
struct Pair {
    name: &'static str,
    params: String,
    ours: Arc<dyn Policy>,
    bare: BarePolicy,
}

impl Pair {
    fn ours(&self, facts: &Facts) -> Result<usize> {
        let evaluation = self.ours.evaluate(facts, &self.params, &Limits::default());
        let checks = black_box(evaluation).result.map_err(|reason| anyhow!("{reason}"))?;
        Ok(checks.len())
    }

    fn bare(&self, facts: &Arc<bare::Facts>) -> Result<usize> {
        match black_box(self.bare.evaluate(facts, &self.params)?) {
            Ok(checks) => Ok(checks.len()),
            Err(refusal) => bail!("{refusal}"),
        }
    }
}

/// The evidence as both sides have it.
struct Scene {
    promotion: Promotion,
    snapshot: Arc<Snapshot>,
    digest: Digest,
    bare: Arc<bare::Facts>,
}

impl Scene {
    fn new(findings: u32) -> Result<Self> {
        let bare = Arc::new(evidence::facts(findings));
        let promotion = promotion(&bare)?;
        let mut collector = Collector::new(
            About {
                model: None,
                version: None,
                digests: Vec::new(),
                target: promotion.target.clone(),
            },
            Vec::new(),
        );
        let candidate = serde_json::to_vec(&document::candidate(&bare))?;
        let baseline = serde_json::to_vec(&document::baseline(&bare))?;
        collector.add_bytes("evidence.json", &candidate, Side::Candidate);
        collector.add_bytes("evidence.json", &baseline, Side::Baseline);
        let Frozen { snapshot, digest, .. } = collector.freeze().map_err(|errors| {
            anyhow!("{}", errors.first().map(ToString::to_string).unwrap_or_default())
        })?;
        Ok(Self { promotion, snapshot, digest, bare })
    }

    /// A decision's facts, as they are at its start.
    fn facts(&self) -> Facts {
        Facts::new(self.promotion.clone(), Arc::clone(&self.snapshot))
    }
}

fn promotion(facts: &bare::Facts) -> Result<Promotion> {
    let subject = &facts.request.subject;
    Ok(Promotion {
        subject: ModelVersion {
            registry: subject.registry.clone(),
            model: subject.model.clone(),
            version: subject.version.clone(),
            digest: None,
        },
        source: None,
        target: Target::Stage("Production".to_owned()),
        requested_by: facts.request.requested_by.clone(),
        at: Timestamp::from_seconds(facts.request.at).context("a time")?,
    })
}

pub(crate) fn run() -> Result<()> {
    let sandbox = Sandbox::new(None, |_| ())?;
    let bare = Bare::new()?;
    let pairs = pairs(&sandbox, &bare)?;
    let (few, many) = (Scene::new(FINDINGS)?, Scene::new(MANY_FINDINGS)?);
    against_bare(&pairs, &few)?;
    with_an_interpreter(&sandbox, &bare, &few)?;
    with_more_findings(&sandbox, &pairs, &few, &many)
}

fn pairs(sandbox: &Sandbox, bare: &Bare) -> Result<Vec<Pair>> {
    let pair = |(name, params): (&'static str, String)| {
        let ours = sandbox
            .load(&PolicyRef::Standard(name.to_owned()))
            .map_err(|reason| anyhow!("{name}: {reason}"))?;
        let bytes = standard_component(name).context(name)?;
        let bare = bare.prepare(&Component::from_binary(bare.engine(), bytes)?)?;
        Ok(Pair { name, params, ours, bare })
    };
    policies::standard().into_iter().map(pair).collect()
}

fn against_bare(pairs: &[Pair], scene: &Scene) -> Result<()> {
    table::heading(
        "Standard policies, 50 metrics and 200 findings: evaluated by lockgate, called by bare wasmtime code",
        "lockgate",
        "bare",
    );
    for pair in pairs {
        let (checks, others) = (pair.ours(&scene.facts())?, pair.bare(&scene.bare)?);
        if checks != others {
            bail!("`{}` makes {checks} checks in lockgate and {others} outside", pair.name);
        }
        let (ours, bare) = in_turn(
            SAMPLES,
            || pair.ours(&scene.facts()).map(drop),
            || pair.bare(&scene.bare).map(drop),
        )?;
        table::compare(&format!("{} ({checks} checks)", pair.name), &ours, &bare, None);
    }
    let (ours, bare) = all(pairs, scene)?;
    table::compare("all eight", &ours, &bare, Some(1.5));
    table::single(
        "all eight in lockgate, 99 of 100 below",
        ours.quantile(0.99),
        Some(Duration::from_millis(1)),
    );
    Ok(())
}

/// Policies that bring the interpreter of their language, if they have been built.
fn with_an_interpreter(sandbox: &Sandbox, bare: &Bare, scene: &Scene) -> Result<()> {
    table::heading(
        "Policies in JavaScript and Python, 50 metrics: evaluated by lockgate, called by bare wasmtime code",
        "lockgate",
        "bare",
    );
    for (name, file) in INTERPRETED {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench").join(file);
        if !path.is_file() {
            continue;
        }
        let component = Component::from_file(bare.engine(), &path)?;
        let limits = METRICS.map(|name| format!(r#"{{"name": "{name}", "min": 0.92}}"#));
        let pair = Pair {
            name,
            params: format!(r#"{{"metrics": [{}]}}"#, limits.join(", ")),
            ours: sandbox
                .load(&PolicyRef::Path(path))
                .map_err(|reason| anyhow!("{name}: {reason}"))?,
            bare: bare.prepare(&component)?,
        };
        let (checks, others) = (pair.ours(&scene.facts())?, pair.bare(&scene.bare)?);
        if checks != others {
            bail!("`{name}` makes {checks} checks in lockgate and {others} outside");
        }
        let (ours, bare) = in_turn(
            SAMPLES,
            || pair.ours(&scene.facts()).map(drop),
            || pair.bare(&scene.bare).map(drop),
        )?;
        table::compare(&format!("{name} ({checks} checks)"), &ours, &bare, Some(3.0));
    }
    Ok(())
}

fn all(pairs: &[Pair], scene: &Scene) -> Result<(Samples, Samples)> {
    in_turn(
        SAMPLES,
        || {
            let facts = scene.facts();
            pairs.iter().try_for_each(|pair| pair.ours(&facts).map(drop))
        },
        || pairs.iter().try_for_each(|pair| pair.bare(&scene.bare).map(drop)),
    )
}

fn with_more_findings(sandbox: &Sandbox, pairs: &[Pair], few: &Scene, many: &Scene) -> Result<()> {
    table::heading(
        "Policies that read metrics: 20,000 findings in the snapshot, and 200",
        "20,000",
        "200",
    );
    for pair in pairs.iter().filter(|pair| METRICS_ONLY.contains(&pair.name)) {
        let (many_facts, few_facts) = (many.facts(), few.facts());
        let (with_many, with_few) = in_turn(
            SAMPLES,
            || pair.ours(&many_facts).map(drop),
            || pair.ours(&few_facts).map(drop),
        )?;
        table::compare(&format!("{}, facts shared", pair.name), &with_many, &with_few, Some(1.1));
        let (with_many, with_few) = in_turn(
            SAMPLES,
            || pair.ours(&many.facts()).map(drop),
            || pair.ours(&few.facts()).map(drop),
        )?;
        let what = format!("{}, facts of its own", pair.name);
        table::compare(&what, &with_many, &with_few, Some(1.1));
    }
    whole_decisions(sandbox, few, many)
}

/// All that a decision takes once evidence and policies are there, up to the verdict.
fn whole_decisions(sandbox: &Sandbox, few: &Scene, many: &Scene) -> Result<()> {
    let mut wanted = policies::standard();
    wanted.retain(|(name, _)| METRICS_ONLY.contains(name));
    let text = policies::gate_file(&wanted, &[]);
    let names: Vec<&str> = standard_names().collect();
    let known = KnownNames { policies: &names, formats: &[] };
    let config = config::parse(&text, "lockgate.yaml", &known)
        .map_err(|diagnostics| anyhow!("{diagnostics}"))?;
    let configured = config.gates.first().context("a gate")?;
    let references = configured.invocations.iter().map(|invocation| &invocation.reference);
    let policies = Policies::load(sandbox, Path::new("."), references);
    let gates = [MatchedGate { gate: &configured.gate, invocations: &configured.invocations }];
    let decide = |scene: &Scene| {
        let case = Case {
            promotion: scene.promotion.clone(),
            gate_file: scene.digest,
            snapshot: Ok((Arc::clone(&scene.snapshot), scene.digest)),
            gates: &gates,
            waivers: &[],
            unmatched: config.unmatched,
            until: None,
        };
        match black_box(evaluate(case, &policies)).verdict {
            Verdict::Allow | Verdict::Deny => Ok(()),
            Verdict::Undecided => bail!("undecided"),
        }
    };
    let (with_many, with_few) = in_turn(SAMPLES, || decide(many), || decide(few))?;
    table::compare("a decision by the three", &with_many, &with_few, Some(1.1));
    Ok(())
}
