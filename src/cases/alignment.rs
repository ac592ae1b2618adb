//! Which entries of two lists belong together.

/// Comparisons beyond which lists are no longer looked at entry for entry: both would be longer
/// than anybody reads.
const MOST_COMPARISONS: usize = 1_000_000;

/// One step through two lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// These two belong together.
    Both(usize, usize),
    /// Only in the first list.
    First(usize),
    /// Only in the second list.
    Second(usize),
}

/// The steps in which most entries that fit stand together, in the order of both lists.
pub(super) fn align(first: usize, second: usize, fits: impl Fn(usize, usize) -> bool) -> Vec<Step> {
    let shorter = first.min(second);
    let start = (0..shorter).take_while(|at| fits(*at, *at)).count();
    let back = |at: usize, length: usize| length.saturating_sub(1).saturating_sub(at);
    let end = (0..shorter.saturating_sub(start))
        .take_while(|at| fits(back(*at, first), back(*at, second)))
        .count();
    let (rows, columns) = (first.saturating_sub(start + end), second.saturating_sub(start + end));
    let mut steps: Vec<Step> = (0..start).map(|at| Step::Both(at, at)).collect();
    if rows.saturating_mul(columns) > MOST_COMPARISONS {
        steps.extend((start..start + rows).map(Step::First));
        steps.extend((start..start + columns).map(Step::Second));
    } else {
        steps.extend(between(rows, columns, start, &fits));
    }
    steps.extend((0..end).map(|at| Step::Both(first - end + at, second - end + at)));
    steps
}

/// The longest common subsequence of what lies between.
fn between(
    rows: usize,
    columns: usize,
    start: usize,
    fits: &impl Fn(usize, usize) -> bool,
) -> Vec<Step> {
    let width = columns + 1;
    // How many fit from a row and a column on.
    let mut longest = vec![0_usize; (rows + 1) * width];
    let mut fit = vec![false; rows * columns];
    let get = |table: &[usize], row: usize, column: usize| {
        table.get(row * width + column).copied().unwrap_or(0)
    };
    for row in (0..rows).rev() {
        for column in (0..columns).rev() {
            let fitting = fits(start + row, start + column);
            let best = if fitting {
                1 + get(&longest, row + 1, column + 1)
            } else {
                get(&longest, row + 1, column).max(get(&longest, row, column + 1))
            };
            if let Some(cell) = fit.get_mut(row * columns + column) {
                *cell = fitting;
            }
            if let Some(cell) = longest.get_mut(row * width + column) {
                *cell = best;
            }
        }
    }
    let mut steps = Vec::new();
    let (mut row, mut column) = (0, 0);
    while row < rows || column < columns {
        let fitting = row < rows
            && column < columns
            && fit.get(row * columns + column).copied().unwrap_or(false);
        if fitting {
            steps.push(Step::Both(start + row, start + column));
            row += 1;
            column += 1;
        } else if column >= columns
            || row < rows && get(&longest, row + 1, column) >= get(&longest, row, column + 1)
        {
            steps.push(Step::First(start + row));
            row += 1;
        } else {
            steps.push(Step::Second(start + column));
            column += 1;
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::Step::{Both, First, Second};
    use super::*;

    fn steps(first: &str, second: &str) -> Vec<Step> {
        let (first, second): (Vec<_>, Vec<_>) = (first.chars().collect(), second.chars().collect());
        align(first.len(), second.len(), |a, b| first[a] == second[b])
    }

    #[test]
    fn what_fits_stands_together() {
        assert_eq!(steps("abc", "abc"), [Both(0, 0), Both(1, 1), Both(2, 2)]);
        assert_eq!(steps("abc", "axc"), [Both(0, 0), First(1), Second(1), Both(2, 2)]);
        assert_eq!(steps("ac", "abc"), [Both(0, 0), Second(1), Both(1, 2)]);
        assert_eq!(steps("abc", ""), [First(0), First(1), First(2)]);
        assert_eq!(steps("", "a"), [Second(0)]);
        assert_eq!(steps("", ""), []);
        assert_eq!(steps("aa", "a"), [Both(0, 0), First(1)]);
    }

    #[test]
    fn lists_without_end_are_not_compared_entry_for_entry() {
        let steps = align(4000, 4000, |_, _| false);
        assert_eq!(steps.len(), 8000);
    }

    proptest::proptest! {
        #[test]
        fn every_entry_comes_once_and_in_order(first in "[abc]{0,12}", second in "[abc]{0,12}") {
            let (mut ones, mut others) = (Vec::new(), Vec::new());
            for step in steps(&first, &second) {
                match step {
                    Both(one, other) => {
                        assert_eq!(first.as_bytes()[one], second.as_bytes()[other]);
                        ones.push(one);
                        others.push(other);
                    }
                    First(one) => ones.push(one),
                    Second(other) => others.push(other),
                }
            }
            assert_eq!(ones, (0..first.len()).collect::<Vec<_>>());
            assert_eq!(others, (0..second.len()).collect::<Vec<_>>());
        }
    }
}
