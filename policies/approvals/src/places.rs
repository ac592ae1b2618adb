//! Who counts for which requirement.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

/// Gives each person one place at most, so that as many places as can be are filled, and tells
/// for each requirement who fills it.
///
/// A person who could fill several places must not stand in the way of somebody who could fill
/// only one of them. This is a matching in a bipartite graph, grown by one path at a time.
pub(crate) fn fill(required: &[Requirement], approvals: &[Approval]) -> Vec<Vec<String>> {
    let mut roles: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for approval in approvals {
        let held = roles.entry(name_of(&approval.approver)).or_default();
        held.extend(approval.role.as_deref().map(name_of));
    }
    // One place for each person that a requirement asks for; requirement of the place.
    let places: Vec<usize> = required
        .iter()
        .enumerate()
        .flat_map(|(index, requirement)| (0..requirement.count).map(move |_| index))
        .collect();
    let suits = |person: &str, place: usize| {
        let requirement = places.get(place).and_then(|index| required.get(*index));
        requirement.is_some_and(|requirement| match &requirement.role {
            None => true,
            Some(role) => roles.get(person).is_some_and(|held| held.contains(&name_of(role))),
        })
    };
    let mut held_by: BTreeMap<usize, &str> = BTreeMap::new();
    for person in roles.keys() {
        if held_by.len() == places.len() {
            break;
        }
        place(person, places.len(), &suits, &mut held_by);
    }
    let mut filled = vec![Vec::new(); required.len()];
    for (place, person) in held_by {
        if let Some(people) = places.get(place).and_then(|index| filled.get_mut(*index)) {
            people.push(person.to_owned());
        }
    }
    filled
}

/// Finds a place for a person, moving others to other places where that helps.
fn place<'a>(
    person: &'a str,
    places: usize,
    suits: &impl Fn(&str, usize) -> bool,
    held_by: &mut BTreeMap<usize, &'a str>,
) {
    // For each place seen, the person who would move there.
    let mut movers: BTreeMap<usize, &'a str> = BTreeMap::new();
    let mut queue = std::collections::VecDeque::from([person]);
    while let Some(mover) = queue.pop_front() {
        for place in (0..places).filter(|place| suits(mover, *place)) {
            if movers.contains_key(&place) {
                continue;
            }
            movers.insert(place, mover);
            match held_by.get(&place) {
                Some(holder) => queue.push_back(holder),
                None => return shift(place, person, &movers, held_by),
            }
        }
    }
}

/// Moves everybody on the path that ends in a free place.
fn shift<'a>(
    free: usize,
    newcomer: &str,
    movers: &BTreeMap<usize, &'a str>,
    held_by: &mut BTreeMap<usize, &'a str>,
) {
    let mut free = free;
    while let Some(mover) = movers.get(&free) {
        let left = held_by.iter().find(|(_, holder)| *holder == mover).map(|(place, _)| *place);
        held_by.insert(free, mover);
        match left {
            Some(left) if *mover != newcomer => {
                held_by.remove(&left);
                free = left;
            }
            Some(_) | None => return,
        }
    }
}
