//! Every report format against every kind of decision.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "the helpers of tests may fail as tests do"
)]

mod hostile;
mod machines;
mod people;
mod situations;

use lockgate::decision::Decision;
use lockgate::report::{Context, Format, write};

const CONTEXT: Context<'_> = Context { gate_file: Some("lockgate.yaml"), color: false, width: 100 };

fn rendered(format: Format, decision: &Decision) -> String {
    rendered_in(format, decision, &CONTEXT)
}

fn rendered_in(format: Format, decision: &Decision, context: &Context<'_>) -> String {
    let mut out = Vec::new();
    write(format, decision, context, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn every_format_tells_of_every_situation() {
    for format in Format::ALL {
        for (name, decision) in situations::all() {
            let mut settings = insta::Settings::clone_current();
            settings.set_prepend_module_to_snapshot(false);
            settings.set_omit_expression(true);
            let version = env!("CARGO_PKG_VERSION").replace('.', "\\.");
            settings
                .add_filter(&format!(r#"(ersion"?:? ?(?:value=)?"){version}""#), r#"$1[version]""#);
            let text = rendered(format, &decision);
            settings.bind(|| insta::assert_snapshot!(format!("{format}__{name}"), text));
        }
    }
}

#[test]
fn a_report_is_the_same_every_time() {
    for format in Format::ALL {
        for (name, decision) in situations::all() {
            assert_eq!(rendered(format, &decision), rendered(format, &decision), "{format} {name}");
        }
    }
}

#[test]
fn a_destination_that_takes_nothing_is_an_error_that_names_the_format() {
    struct Full;
    impl std::io::Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    for format in Format::ALL {
        let error = write(format, &situations::allow(), &CONTEXT, &mut Full).unwrap_err();
        assert!(error.to_string().contains(&format!("the {format} report")), "{error}");
    }
}
