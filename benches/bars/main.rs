//! The bars that lockgate has set itself, as ratios measured in one run. See `benches/README.md`.

mod bare;
mod document;
mod evaluation;
mod evidence;
mod memory;
mod policies;
mod process;
mod sampling;
mod table;

use anyhow::Result;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [memory::MODE, command @ ..] =
        arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice()
    {
        return memory::measure(command);
    }
    evaluation::run()?;
    process::run()
}
