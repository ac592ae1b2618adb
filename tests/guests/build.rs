//! Lists the guests, so that one without a test fails the build of the tests.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new(&std::env::var("CARGO_MANIFEST_DIR")?).join("wat");
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_, std::io::Error>>()?;
    files.sort();

    let mut constants = String::new();
    let mut names = String::new();
    for file in files {
        let stem =
            file.file_stem().and_then(|stem| stem.to_str()).ok_or("a guest without a name")?;
        let name = stem.replace('-', "_");
        writeln!(constants, "/// The guest `{stem}`.")?;
        writeln!(constants, "pub const {}: &str = include_str!({file:?});", name.to_uppercase())?;
        write!(names, " {name}")?;
    }
    let macro_text = format!(
        "/// Calls a macro with the name of every guest.\n\
         #[macro_export]\n\
         macro_rules! for_each_guest {{ ($call:ident) => {{ $crate::__spread!($call{names}); }} }}\n"
    );
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("guests.rs"), constants + &macro_text)?;
    println!("cargo::rerun-if-changed=wat");
    Ok(())
}
