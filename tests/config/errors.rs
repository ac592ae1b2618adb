//! Everything that is wrong is reported together, with its place.

use super::{messages, refused, with};

#[test]
fn reports_everything_that_is_wrong_together() {
    let text = include_str!("many-errors.yaml");
    insta::assert_snapshot!(refused(text).to_string());
}

#[test]
fn one_broken_entry_hides_nothing_of_the_others() {
    let text = "version: 1
gates:
  - 7
  - name: a
    models: [1]
    targets: ['role:x']
    policies:
      - enforce: never
      - use: std/model-scam
waivers:
  - expires: soon
";
    assert_eq!(
        messages(&refused(text)),
        [
            "3:5 entry 1 of `gates` takes a mapping, not `7`",
            "5:14 entry 1 of `models` takes text, not `1`",
            "6:15 `role:x` is not a target; write `stage:NAME`, `alias:NAME` or `env:NAME`",
            "8:9 entry 1 of `policies` lacks the key `use`",
            "8:18 `enforce` takes `deny`, `warn` or `shadow`, not `never`",
            "9:14 there is no standard policy `std/model-scam`",
            "11:5 entry 1 of `waivers` lacks the keys `policy`, `rule`, `models`, `reason`, `ticket`, `approved-by`",
            "11:14 `soon` is not a date",
        ]
    );
}

#[test]
fn one_mistake_is_reported_once() {
    for (more, message) in [
        ("        limits: {fuel: 0}\n", "8:24 `fuel` is `0`; the least is `1`"),
        ("        params:\n", "8:15 `params` takes a mapping, not nothing"),
        ("        id: ''\n", "8:13 `` is not an id"),
        ("waivers:\n", "8:8 `waivers` takes a list, not nothing"),
        ("unmatched: alow\n", "8:12 `unmatched` takes `deny`, `undecided` or `allow`, not `alow`"),
        ("gates: []\n", "8:1 key `gates` is given twice; first on line 2"),
    ] {
        assert_eq!(messages(&refused(&with(more))), [message]);
    }
}

#[test]
fn rejects_empty_lists_and_patterns() {
    let text = "version: 1
gates:
  - {name: ' ', models: [], targets: [''], policies: []}
  - {name: b, models: [''], targets: [], policies: []}
";
    assert_eq!(
        messages(&refused(text)),
        [
            "3:12 `name` is empty",
            "3:25 `models` is empty",
            "3:39 `` is not a target; write `stage:NAME`, `alias:NAME` or `env:NAME`",
            "3:54 `policies` is empty",
            "4:24 an empty pattern matches nothing",
            "4:38 `targets` is empty",
            "4:52 `policies` is empty",
        ]
    );
    assert_eq!(messages(&refused("version: 1\ngates: []\n")), ["2:8 `gates` is empty"]);
}

#[test]
fn rejects_patterns_that_are_none() {
    let more = "  - name: other
    models: ['[a', 'fine-*']
    targets: ['env:{a']
    policies: [{use: std/model-scan}]
";
    let found = messages(&refused(&with(more)));
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found.iter().any(|message| message.starts_with("9:14 `[a` is not a pattern")));
    assert!(found.iter().any(|message| message.starts_with("10:15 `{a` is not a pattern")));
}

#[test]
fn rejects_names_that_are_there_twice() {
    let more = "      - use: std/model-scan
      - {id: model-scan, use: x.wasm}
  - name: production
    models: [a]
    targets: [b]
    policies: [{use: std/model-scan}]
";
    assert_eq!(
        messages(&refused(&with(more))),
        [
            "8:9 two policies of the gate are called `model-scan`; the first on line 7",
            "9:9 two policies of the gate are called `model-scan`; the first on line 7",
            "10:11 two gates are called `production`; the first on line 3",
        ]
    );
}

#[test]
fn rejects_policies_that_are_none() {
    for (used, message, hint) in [
        (
            "std/metric-treshold",
            "there is no standard policy",
            "did you mean `std/metric-threshold`?",
        ),
        ("std/zzz", "there is no standard policy", "`lockgate policy list` shows them all"),
        ("metric-threshold", "names no policy", "did you mean `std/metric-threshold`?"),
        (
            "./policies/tenure.js",
            "names no policy",
            "write `std/NAME`, the path of a `.wasm` file, or `oci://…`",
        ),
        (".wasm", "names no policy", "write `std/NAME`, the path of a `.wasm` file, or `oci://…`"),
        ("\"a b.wasm\"", "cannot serve as an id", "give the policy an `id`"),
    ] {
        let diagnostics = refused(&with(&format!("      - use: {used}\n")));
        let first = diagnostics.iter().next().unwrap();
        assert!(first.message.contains(message), "{}", first.message);
        assert_eq!(first.hint.as_deref(), Some(hint));
        assert_eq!(first.place.map(|place| (place.line, place.column)), Some((8, 14)));
    }
}

#[test]
fn rejects_ages_and_limits_out_of_range() {
    let more = "    require: {metrics: 7 days, security: 0d, cost: any, tests: 7}
      
  - name: other
    models: [a]
    targets: [b]
    policies:
      - use: std/model-scan
        limits: {memory-mib: 4096, deadline-ms: -1, fuel: 1.5}
";
    assert_eq!(
        messages(&refused(&with(more))),
        [
            "8:24 `7 days` is not an age",
            "8:42 `0d` is not an age",
            "8:64 `tests` takes text, not `7`",
            "15:30 `memory-mib` is `4096`; the most is `1024`",
            "15:49 `deadline-ms` is `-1`; the least is `1`",
            "15:59 `fuel` takes a whole number, not `1.5`",
        ]
    );
}

#[test]
fn rejects_a_whole_number_written_with_a_decimal_point() {
    let diagnostics = refused(&with("        limits: {fuel: 5.0}\n"));
    assert!(messages(&diagnostics)[0].contains("without a decimal point"), "{diagnostics}");
}

#[test]
fn rejects_a_waiver_for_a_policy_that_no_gate_has() {
    let more = "waivers:
  - {policy: model-scam, rule: unsafe-code, models: ['*'], reason: r, ticket: t, approved-by: a, expires: 2030-01-01}
";
    let diagnostics = refused(&with(more));
    assert_eq!(messages(&diagnostics), ["9:14 no gate has a policy with the id `model-scam`"]);
    assert!(diagnostics.to_string().contains("did you mean `model-scan`?"));
}

#[test]
fn rejects_waivers_without_grounds() {
    let more = "waivers:
  - {policy: model-scan, rule: Unsafe Code, models: ['*'], reason: ' ', ticket: '', approved-by: \"a\\nb\", expires: 2030-13-01}
";
    assert_eq!(
        messages(&refused(&with(more))),
        [
            "9:32 `Unsafe Code` is not the code of a rule",
            "9:68 `reason` is empty",
            "9:81 `ticket` is empty",
            "9:98 `approved-by` is more than one line",
            "9:115 `2030-13-01` is not a date",
        ]
    );
}

#[test]
fn rejects_evidence_assignments_that_say_nothing() {
    let more = "evidence:
  - {match: '*.json', format: trivvy}
  - {match: '[', format: trivy, currency: USD}
  - {match: x, format: document}
  - {match: x, format: opencost, currency: dollars, name: y}
";
    let found = messages(&refused(&with(more)));
    assert_eq!(found.len(), 6, "{found:?}");
    assert_eq!(found[0], "9:31 there is no evidence format `trivvy`");
    assert!(found[1].starts_with("10:13 `[` is not a pattern"));
    assert_eq!(
        found[2..],
        [
            "10:43 `currency` goes with `format: opencost`, not `trivy`",
            "11:24 a document needs a `name`, by which policies read it",
            "12:44 `dollars` is not a currency",
            "12:59 `name` goes with `format: document`, not `opencost`",
        ]
    );
}

#[test]
fn refuses_another_version_of_the_format() {
    let text = with("").replace("version: 1", "version: 2");
    assert_eq!(messages(&refused(&text)), ["1:10 `version` takes `1`, not `2`"]);
    let text = with("").replace("version: 1\n", "");
    assert_eq!(messages(&refused(&text)), ["1:1 the gate file lacks the key `version`"]);
}

#[test]
fn says_what_is_no_gate_file_at_all() {
    for (text, message) in [
        ("", "the file is empty; `lockgate init` writes a first one"),
        ("- 1\n", "1:1 the gate file takes a mapping, not a list"),
        ("yes", "1:1 the gate file takes a mapping, not `yes`"),
    ] {
        assert_eq!(messages(&refused(text)), [message]);
    }
}

#[test]
fn hints_at_quotes_for_a_bare_star() {
    let shown = refused("version: 1\ngates:\n  - models: [*]\n").to_string();
    assert!(shown.contains("lockgate.yaml:3:14") && shown.contains("quote a pattern"), "{shown}");
}

#[test]
fn rejects_names_and_tags_that_mean_nothing() {
    let text = with(
        "    removal: maybe
mlflow:
  environments: ['*', 'prod.*', '[']
  promotion-tags:
    - {tag: 'déploy', values: []}
    - {tag: lockgate.x, target: 'x:y'}
    - {tag: a, on: model, values: [b]}
    - {on: version}
  webhooks: {}
",
    );
    assert_eq!(
        messages(&refused(&text)),
        [
            "8:14 `removal` takes `deny` or `allow`, not `maybe`",
            "10:18 `*` does not begin or end with the name of an environment, as `prod.*` does",
            "10:33 `[` is not a pattern: unclosed character class; missing ']'",
            "12:13 `déploy` is not the key of a tag",
            "12:31 `values` is empty",
            "13:13 `lockgate.x` is a tag that lockgate writes itself",
            "13:33 `x:y` is not a target; write `stage:NAME`, `alias:NAME` or `env:NAME`",
            "14:20 a tag on the model needs a `target`",
            "14:35 `values` does not go with `on: model`",
            "15:7 entry 4 of `promotion-tags` lacks the key `tag`",
            "16:3 unknown key `webhooks`",
        ]
    );
}
