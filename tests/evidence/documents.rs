//! JSON of other kinds, kept under a name.

use super::*;

fn documents(
    assignments: Vec<Assignment>,
    files: &[(&str, &str)],
) -> Result<Frozen, Vec<EvidenceError>> {
    let mut collector = Collector::new(about(), assignments);
    for (name, text) in files {
        collector.add_bytes(name, text.as_bytes(), Side::Candidate);
    }
    collector.freeze()
}

fn energy() -> Vec<Assignment> {
    vec![assign("energy*.json", Assigned::Document("energy".to_owned()))]
}

#[test]
fn keeps_an_assigned_document_whatever_it_looks_like() {
    let frozen =
        documents(energy(), &[("energy.json", r#"{"SchemaVersion": 2, "b": [1.50]}"#)]).unwrap();
    let document = &frozen.snapshot.documents[0];
    assert_eq!((document.name.as_str(), &document.content["b"][0]), ("energy", &1.5.into()));
    assert_eq!(frozen.snapshot.sources[0].format, "document");
    let canonical = String::from_utf8(frozen.canonical.to_vec()).unwrap();
    assert!(canonical.contains(r#"{"SchemaVersion":2,"b":[1.5]}"#), "{canonical}");
}

#[test]
fn rejects_two_documents_of_one_name() {
    let errors =
        documents(energy(), &[("energy-a.json", "1"), ("energy-b.json", "2")]).unwrap_err();
    assert_eq!(errors[0].source_name, "energy-b.json");
}

#[test]
fn rejects_bare_nan_in_a_document() {
    assert_eq!(
        documents(energy(), &[("energy.json", "[NaN]")]).unwrap_err()[0].place,
        "line 1, column 2"
    );
}
