//! Asking, and looking at what was decided.

use serde_json::{Value, json};

use super::http::{get, post, post_bytes};
use super::served::{Folder, GATE, Served, question};

#[test]
fn a_decision_is_answered_with_its_reasons_and_is_on_record() {
    let served = Folder::new(GATE).serve("");
    for (auc, verdict) in [(0.95, "allow"), (0.5, "deny")] {
        let answer = served.decide(auc).is(200).json();
        assert_eq!(answer["decision"]["verdict"], verdict, "{answer}");
        assert_eq!(answer["origin"], "api");
        let id = answer["id"].as_str().unwrap();
        let recorded = served.get(&format!("/v1/decisions/{id}")).is(200).json();
        assert_eq!(recorded, answer);
    }
}

/// The question at the start of `docs/server.md`, to the gate that `lockgate init` writes.
#[test]
fn the_question_of_the_documentation_is_allowed() {
    let page = include_str!("../../docs/server.md");
    let (_, question) = page.split_once("-d '").unwrap();
    let (question, _) = question.split_once("\n}'").unwrap();
    let now = jiff::Timestamp::now().strftime("%FT%TZ").to_string();
    let question = question.replace("\"'\"$(date -u +%FT%TZ)\"'\"", &format!("\"{now}\"")) + "}";
    let question: Value = serde_json::from_str(&question).unwrap();
    let served = Folder::new(lockgate::config::template()).serve("");
    let answer = served.post("/v1/decisions", &question).is(200).json();
    assert_eq!(answer["decision"]["verdict"], "allow", "{answer}");
}

#[test]
fn what_cannot_be_judged_is_undecided_and_on_record_too() {
    let served = Folder::new(GATE).serve("");
    let mut unreadable = question(0.95);
    unreadable["evidence"]["inline"][0]["content"] = json!({"what": "is this"});
    let mut twice = question(0.95);
    let piece = twice["evidence"]["inline"][0].clone();
    twice["evidence"]["inline"].as_array_mut().unwrap().push(piece);
    let mut empty = question(0.95);
    empty["evidence"]["inline"] = json!([]);
    for question in [unreadable, twice] {
        let answer = served.post("/v1/decisions", &question).is(200).json();
        assert_eq!(answer["decision"]["verdict"], "undecided", "{answer}");
        let id = answer["id"].as_str().unwrap();
        served.get(&format!("/v1/decisions/{id}")).is(200);
    }
    let answer = served.post("/v1/decisions", &empty).is(200).json();
    assert_ne!(answer["decision"]["verdict"], "allow", "{answer}");
}

#[test]
fn no_gate_is_no_allow() {
    let served = Folder::new(GATE).serve("");
    let mut other = question(0.95);
    other["model"] = json!("other");
    let answer = served.post("/v1/decisions", &other).is(200).json();
    assert_eq!(answer["decision"]["verdict"], "deny");
}

#[test]
fn the_baseline_is_told_apart_from_the_candidate() {
    let gate = GATE.split("      - use").next().unwrap().to_owned()
        + "      - use: std/baseline-regression\n        params: {metrics: [{name: auc, higher-is-better: true, max-drop: 0.01}]}\n";
    let served = Folder::new(&gate).serve("");
    let mut question = question(0.95);
    let mut baseline = question["evidence"]["inline"][0].clone();
    baseline["about"] = json!("baseline");
    baseline["content"]["metrics"][0]["value"] = json!(0.99);
    question["evidence"]["inline"].as_array_mut().unwrap().push(baseline);
    let answer = served.post("/v1/decisions", &question).is(200).json();
    assert_eq!(answer["decision"]["verdict"], "deny", "{answer}");
}

fn ids(page: &Value) -> Vec<String> {
    let decisions = page["decisions"].as_array().unwrap();
    decisions.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn decisions_are_listed_newest_first_by_filter_and_page() {
    let served = Folder::new(GATE).serve("");
    let mut made: Vec<String> = [0.95, 0.5, 0.96, 0.4, 0.97]
        .into_iter()
        .map(|auc| served.decide(auc).is(200).json()["id"].as_str().unwrap().to_owned())
        .collect();
    made.reverse();
    let all = served.get("/v1/decisions").is(200).json();
    assert_eq!(ids(&all), made);
    assert_eq!(all["next"], Value::Null);

    let denied = served.get("/v1/decisions?verdict=deny&model=fraud-detector").is(200).json();
    assert_eq!(ids(&denied), [made[1].clone(), made[3].clone()]);
    for nothing in [
        "model=other",
        "target=alias:x",
        "verdict=undecided",
        "origin=mlflow",
        "until=2026-01-01T00:00:00Z",
        "since=9999-01-01T00:00:00Z",
        "version=4",
    ] {
        let page = served.get(&format!("/v1/decisions?{nothing}")).is(200).json();
        assert_eq!(ids(&page), Vec::<String>::new(), "{nothing}");
    }

    let mut found = Vec::new();
    let mut path = "/v1/decisions?limit=2".to_owned();
    loop {
        let page = served.get(&path).is(200).json();
        found.extend(ids(&page));
        let Some(cursor) = page["next"].as_str() else { break };
        path = format!("/v1/decisions?limit=2&cursor={cursor}");
    }
    assert_eq!(found, made);
}

#[test]
fn a_request_that_is_not_understood_is_refused_and_decides_nothing() {
    let served = Folder::new(GATE).serve("");
    let mut broken: Vec<Value> = Vec::new();
    for (key, value) in [
        ("model", json!("")),
        ("model", json!("a\u{0}b")),
        ("model", json!("x".repeat(300))),
        ("model", json!(7)),
        ("version", json!(3)),
        ("target", json!("role:x")),
        ("target", json!("")),
        ("source", json!("a:b:c")),
        ("digest", json!("sha1:00")),
        ("requested_by", json!("")),
        ("modell", json!("x")),
        ("evidence", json!({})),
        ("evidence", json!({"inline": [], "registry": "x"})),
        ("evidence", json!({"inline": [{"name": "a"}]})),
        ("evidence", json!({"inline": [{"name": "a", "content": {}, "side": "baseline"}]})),
    ] {
        let mut question = question(0.95);
        question[key] = value;
        broken.push(question);
    }
    for question in broken {
        served.post("/v1/decisions", &question).refused(400, "invalid_request");
    }
    let mut elsewhere = question(0.95);
    elsewhere["evidence"] = json!({"registry": "nowhere"});
    served.post("/v1/decisions", &elsewhere).refused(404, "not_found");
    for body in ["", "{", "null", "[]", "{} {}", "{\"model\":\"a\",\"model\":\"b\"}"] {
        let request = post_bytes("/v1/decisions", body.as_bytes());
        let request = request.header("content-type", "application/json");
        served.send(&request).refused(400, "invalid_request");
    }
    let good = question(0.95).to_string();
    let twice = good.replacen("\"model\":", "\"model\":\"x\",\"model\":", 1);
    let request = post_bytes("/v1/decisions", twice.as_bytes());
    served
        .send(&request.header("content-type", "application/json"))
        .refused(400, "invalid_request");
    for query in ["verdict=maybe", "limit=0", "limit=501", "since=now", "a=b", "model=a&model=b"] {
        served.get(&format!("/v1/decisions?{query}")).refused(400, "invalid_request");
    }
    served.get("/v1/decisions/none").refused(400, "invalid_request");
    let decided = served.get("/v1/decisions").is(200).json();
    assert_eq!(ids(&decided), Vec::<String>::new());
}

#[test]
fn a_body_that_is_not_plain_json_is_refused() {
    let served = Folder::new(GATE).serve("");
    let body = question(0.95).to_string();
    let plain = || post_bytes("/v1/decisions", body.as_bytes());
    for request in [
        plain(),
        plain().header("content-type", "text/plain"),
        plain().header("content-type", "application/json; charset=utf-16"),
        plain().header("content-type", "application/json").header("content-encoding", "gzip"),
        plain()
            .header("content-type", "application/json")
            .header("content-type", "application/json"),
    ] {
        served.send(&request).refused(415, "unsupported_media_type");
    }
    let utf8 = plain().header("content-type", "application/json; charset=UTF-8");
    served.send(&utf8).is(200);
}

#[test]
fn other_paths_and_methods_are_refused() {
    let served = Folder::new(GATE).serve("");
    served.get("/v2/decisions").refused(404, "not_found");
    served.get("/v1/decisions/").refused(404, "not_found");
    let gone = "/v1/decisions/0198c6a5-6f2e-7b1a-9c3d-2f4e5a6b7c8d";
    served.get(gone).refused(404, "not_found");
    let refused = served.post("/livez", &json!({})).refused(405, "method_not_allowed");
    assert_eq!(refused.header("allow"), Some("GET,HEAD"));
    let mut delete = get(gone);
    delete.method = "DELETE".to_owned();
    served.send(&delete).refused(405, "method_not_allowed");
}

#[test]
fn every_answer_has_a_request_id_that_the_log_has_too() {
    let served = Folder::new(GATE).serve("--log debug");
    let own = get("/v1/decisions?x=y").header("x-request-id", "from-outside-1");
    assert_eq!(served.send(&own).header("x-request-id"), Some("from-outside-1"));
    for strange in ["short", "with blank in it", "strange/one"] {
        let request = get("/livez").header("x-request-id", strange);
        let given = served.send(&request).header("x-request-id").unwrap().to_owned();
        assert_eq!(given.len(), 32, "{given}");
    }
    let asked = post("/v1/decisions", &question(0.95)).header("x-request-id", "from-outside-2");
    served.send(&asked).is(200);
    served.until_logged("from-outside-2");
}

#[test]
fn says_whether_it_lives_and_is_ready_and_counts() {
    let served = Folder::new(GATE).serve("");
    assert_eq!(served.get("/livez").is(200).text(), "live\n");
    let ready = served.get("/readyz").is(200).json();
    assert_eq!(ready["ready"], true);
    assert_eq!(ready["gates"], "loaded");
    assert_eq!(ready["record"], "writable");
    served.decide(0.95).is(200);
    served.decide(0.5).is(200);
    served.decide(0.4).is(200);
    let metrics = served.metrics();
    for (name, value) in [
        ("lockgate_decisions_total{origin=\"api\",verdict=\"deny\"}", 2.0),
        ("lockgate_decisions_total{origin=\"api\",verdict=\"allow\"}", 1.0),
        (
            "lockgate_policy_verdicts_total{gate=\"production\",policy=\"metric-threshold\",verdict=\"deny\"}",
            2.0,
        ),
        (
            "lockgate_policy_evaluation_seconds_count{gate=\"production\",policy=\"metric-threshold\"}",
            3.0,
        ),
        ("lockgate_queue_wait_seconds_count", 3.0),
        ("lockgate_record_append_seconds_count", 3.0),
        ("lockgate_gates_stale", 0.0),
    ] {
        assert_eq!(metrics.get(name), Some(&value), "{name}: {metrics:#?}");
    }
}

#[test]
fn what_a_request_says_is_no_label() {
    let served = Folder::new(GATE).serve("");
    let mut strange = question(0.95);
    strange["model"] = json!("fraud-stranger");
    served.post("/v1/decisions", &strange).is(200);
    served.get("/strange/path").is(404);
    let text = served.get("/metrics").text();
    assert!(!text.contains("strange"), "{text}");
}

#[test]
fn an_answer_says_nothing_of_the_inside() {
    let served: Served = Folder::new(GATE).serve("");
    served.folder.write("lockgate.yaml", "nonsense: 1\n");
    let problem = served.post("/v1/reload", &json!({})).refused(409, "gates_unusable");
    assert!(!problem.text().contains("nonsense"), "{}", problem.text());
    assert!(!problem.text().contains("lockgate.yaml"), "{}", problem.text());
    served.until_logged("nonsense");
}

/// Whoever looks at the verdict alone never takes a problem for an answer.
#[test]
fn a_question_that_is_refused_is_undecided_whyever() {
    let folder = Folder::new(GATE);
    let token = folder.token("ci", &["ask"]);
    let reader = folder.token("reader", &["read"]);
    let served = folder.serve("--tokens tokens --max-body 1 --body-timeout 1");
    let asked = || post("/v1/decisions", &question(0.95));
    let large = post_bytes("/v1/decisions", &vec![b' '; (1 << 20) + 1]);
    let large = large.header("content-type", "application/json");
    let review = || post("/k8s/validate", &json!({}));
    for (request, status) in [
        (asked(), 401),
        (asked().bearer(&reader), 403),
        (asked().bearer(&token), 403),
        (post("/v1/decisions", &json!({})).bearer(&token), 400),
        (post_bytes("/v1/decisions", b"{}").bearer(&token), 415),
        (large.bearer(&token), 413),
        (review(), 401),
        (review().bearer(&reader), 403),
        (review().bearer(&token), 400),
        (post_bytes("/k8s/validate", b"{}").bearer(&token), 415),
    ] {
        let answer = served.send(&request).is(status).json();
        assert_eq!(answer["verdict"], "undecided", "{answer}");
    }
    let whole = asked().bearer(&token).bytes();
    let mut stream = super::http::connect(served.address);
    std::io::Write::write_all(&mut stream, &whole[..whole.len() - 5]).unwrap();
    let late = super::http::Response::read(&mut stream).refused(408, "request_timeout");
    assert_eq!(late.json()["verdict"], "undecided");
    // Nothing was to be decided there.
    let listed = served.get("/v1/decisions").refused(401, "unauthenticated").json();
    assert_eq!(listed["verdict"], Value::Null);
}

#[test]
fn what_is_an_object_is_not_taken_as_a_list_and_what_is_wrong_is_told_in_words_of_the_api() {
    let served = Folder::new(GATE).serve("");
    let told = |question: &Value, words: &str| {
        let problem = served.post("/v1/decisions", question).refused(400, "invalid_request");
        let detail = problem.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(words), "{detail}");
        for inside in ["struct", "Posed", "Inline", "variant identifier"] {
            assert!(!detail.contains(inside), "{detail}");
        }
    };
    let list = json!(["fraud", "1", "stage:Production", null, null, null, {"inline": []}]);
    told(&list, "expected an object");
    told(&json!(7), "expected an object");
    let with = |evidence: Value| {
        let mut question = question(0.95);
        question["evidence"] = evidence;
        question
    };
    told(&with(json!({"inline": [["m", {}, "candidate"]]})), "expected an object");
    told(&with(json!({"inline": ["m"]})), "expected an object");
    let one = "give `inline` or `registry`, one of them";
    told(&with(json!({})), one);
    told(&with(json!({"inline": [], "registry": "mlflow"})), one);
    told(&with(json!("inline")), one);
    told(&with(json!([])), one);
    told(&with(json!({"inlined": []})), "`inlined`");
}

#[test]
fn counts_are_there_before_there_is_anything_to_count() {
    let metrics = Folder::new(GATE).serve("").metrics();
    for name in [
        "lockgate_decisions_total{origin=\"api\",verdict=\"deny\"}",
        "lockgate_decisions_total{origin=\"bypassed\",verdict=\"undecided\"}",
        "lockgate_decisions_refused_total{reason=\"record_unavailable\"}",
        "lockgate_decisions_refused_total{reason=\"overloaded\"}",
        "lockgate_gate_reloads_total{result=\"failed\"}",
        "lockgate_certificate_reloads_total{result=\"failed\"}",
        "lockgate_connections_refused_total{reason=\"too_many\"}",
        "lockgate_mlflow_bypassed_total{verdict=\"deny\"}",
        "lockgate_mlflow_bypassed_total{verdict=\"unjudged\"}",
        "lockgate_mlflow_webhook_deliveries_total{outcome=\"signature\"}",
        "lockgate_mlflow_requests_total{outcome=\"denied\"}",
    ] {
        assert_eq!(metrics.get(name), Some(&0.0), "{name}: {metrics:#?}");
    }
    let built = format!("lockgate_build_info{{version=\"{}\"}}", env!("CARGO_PKG_VERSION"));
    assert_eq!(metrics.get(&built), Some(&1.0), "{metrics:#?}");
}
