//! The bars that lockgate has set itself, as ratios measured in one run. See `benches/README.md`.

mod admission;
mod bare;
mod document;
mod evaluation;
mod evidence;
mod memory;
mod policies;
mod process;
mod sampling;
mod table;

use anyhow::{Result, bail};

/// A part that can be chosen by its name.
type Part = (&'static str, fn() -> Result<()>);

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [memory::MODE, command @ ..] =
        arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice()
    {
        return memory::measure(command);
    }
    // Cargo adds `--bench`; a name that is left chooses one part: `cargo bench -- process`.
    let chosen: Vec<&String> =
        arguments.iter().filter(|argument| !argument.starts_with("--")).collect();
    let parts: [Part; 3] =
        [("evaluation", evaluation::run), ("process", process::run), ("admission", admission::run)];
    if let Some(unknown) = chosen.iter().find(|name| parts.iter().all(|(part, _)| part != **name)) {
        let parts = parts.map(|(part, _)| part).join(", ");
        bail!("there is no part `{unknown}`; the parts are {parts}");
    }
    for (part, run) in parts {
        if chosen.is_empty() || chosen.iter().any(|name| *name == part) {
            run()?;
        }
    }
    Ok(())
}
