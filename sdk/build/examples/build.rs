//! Builds policies and says how large each is and what it imports:
//! `cargo run -p lockgate-build --example build -- MANIFEST OUTPUT-DIRECTORY PACKAGE…`.

#![expect(clippy::print_stdout, reason = "an example prints")]

use std::error::Error;
use std::fs;
use std::path::Path;

use lockgate_build::{Crates, Toolchain, componentize, imports};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [manifest, output, packages @ ..] = arguments.as_slice() else {
        return Err("name a manifest, an output directory and the packages to build".into());
    };
    let packages: Vec<&str> = packages.iter().map(String::as_str).collect();
    let (manifest, output) = (Path::new(manifest), Path::new(output));
    fs::create_dir_all(output)?;

    let toolchain = Toolchain::find()?;
    println!("{toolchain}");
    let target_dir = manifest.with_file_name("target").join("policies");
    let crates = Crates { manifest, packages: &packages, target_dir: &target_dir };
    for module in toolchain.build(&crates)? {
        let component = componentize(&module.bytes)?;
        println!("{}: {} bytes", module.package, component.len());
        for import in imports(&component)? {
            println!("  {import}");
        }
        fs::write(output.join(module.package).with_extension("wasm"), component)?;
    }
    Ok(())
}
