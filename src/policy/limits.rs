use std::time::Duration;

/// What one evaluation of a policy may use. There is no value that means "no limit".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    fuel: u64,
    memory_mib: u64,
    deadline: Duration,
}

/// A limit outside the range that the host grants.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{name}` is {value}; it takes {least} to {most}")]
pub struct LimitOutOfRange {
    /// Key in the gate file.
    pub name: &'static str,
    /// The value asked for.
    pub value: u64,
    /// Least value.
    pub least: u64,
    /// Greatest value.
    pub most: u64,
}

impl Limits {
    /// A JavaScript policy uses some ten million units; a thousand times a Rust one's.
    pub const DEFAULT_FUEL: u64 = 500_000_000;
    /// Some 30 s of execution.
    pub const MOST_FUEL: u64 = 50_000_000_000;
    /// A Python policy's interpreter takes some 30 MiB before the first line of the author's.
    pub const DEFAULT_MEMORY_MIB: u64 = 64;
    /// The whole address space of a 32-bit guest would be four times this.
    pub const MOST_MEMORY_MIB: u64 = 1024;
    /// Far more than the default fuel takes: on a machine so busy that this runs out, a rerun
    /// may decide, whereas fuel decides the same everywhere.
    pub const DEFAULT_DEADLINE_MS: u64 = 10_000;
    /// Five minutes.
    pub const MOST_DEADLINE_MS: u64 = 300_000;

    /// Limits from a gate file.
    ///
    /// # Errors
    /// One [`LimitOutOfRange`] for each value that is zero or above its maximum.
    pub fn new(fuel: u64, memory_mib: u64, deadline_ms: u64) -> Result<Self, Vec<LimitOutOfRange>> {
        let ranges = [
            ("fuel", fuel, Self::MOST_FUEL),
            ("memory-mib", memory_mib, Self::MOST_MEMORY_MIB),
            ("deadline-ms", deadline_ms, Self::MOST_DEADLINE_MS),
        ];
        let errors: Vec<_> = ranges
            .into_iter()
            .filter(|(_, value, most)| *value == 0 || value > most)
            .map(|(name, value, most)| LimitOutOfRange { name, value, least: 1, most })
            .collect();
        if errors.is_empty() {
            Ok(Self { fuel, memory_mib, deadline: Duration::from_millis(deadline_ms) })
        } else {
            Err(errors)
        }
    }

    /// Units of fuel; roughly one per Wasm instruction.
    #[must_use]
    pub const fn fuel(&self) -> u64 {
        self.fuel
    }

    /// Linear memory of all instances together, bytes.
    #[must_use]
    pub const fn memory(&self) -> u64 {
        self.memory_mib << 20
    }

    /// The same, but stopped after `time` at the latest.
    #[must_use]
    pub fn within(self, time: Duration) -> Self {
        Self { deadline: self.deadline.min(time), ..self }
    }

    /// The same, but with `fuel` at the most.
    #[must_use]
    pub fn with_fuel_of(self, fuel: u64) -> Self {
        Self { fuel: self.fuel.min(fuel), ..self }
    }

    /// Wall-clock time after which the run is stopped.
    #[must_use]
    pub const fn deadline(&self) -> Duration {
        self.deadline
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            fuel: Self::DEFAULT_FUEL,
            memory_mib: Self::DEFAULT_MEMORY_MIB,
            deadline: Duration::from_millis(Self::DEFAULT_DEADLINE_MS),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_zero_and_values_past_the_maximum_together() {
        let errors = Limits::new(0, 4096, 0).unwrap_err();
        let names: Vec<_> = errors.iter().map(|error| error.name).collect();
        assert_eq!(names, ["fuel", "memory-mib", "deadline-ms"]);
    }

    #[test]
    fn the_defaults_are_within_the_ranges() {
        let limits = Limits::new(
            Limits::DEFAULT_FUEL,
            Limits::DEFAULT_MEMORY_MIB,
            Limits::DEFAULT_DEADLINE_MS,
        );
        assert_eq!(limits, Ok(Limits::default()));
    }
}
