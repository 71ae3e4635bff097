//! Everything that sets of names can give together.

use std::collections::HashSet;

use super::{MAX_CLASSES, TooManyClasses};

/// Some of the names, and what they give together.
#[derive(Debug)]
pub(super) struct Join {
    /// The numbers of the names, ascending. No smaller set gives the same.
    pub(super) members: Vec<usize>,
    gives: Vec<bool>,
}

/// Finds every different thing that sets of names can give, with the smallest set for each; the smallest sets come first.
///
/// `gives` says what each name gives alone. What is given together is the sum, so sets need not be tried one by one.
pub(super) fn joins(gives: &[Vec<bool>]) -> Result<Vec<Join>, TooManyClasses> {
    let nothing = vec![false; gives.first().map_or(0, Vec::len)];
    let mut seen = HashSet::from([nothing.clone()]);
    let mut found = vec![Join {
        members: Vec::new(),
        gives: nothing,
    }];
    let mut at = 0;
    while let Some(join) = found.get(at) {
        let mut more = Vec::new();
        for (number, alone) in gives.iter().enumerate() {
            let together: Vec<bool> = join.gives.iter().zip(alone).map(|(one, two)| *one || *two).collect();
            if seen.insert(together.clone()) {
                let mut members = join.members.clone();
                members.push(number);
                members.sort_unstable();
                more.push(Join {
                    members,
                    gives: together,
                });
            }
        }
        found.append(&mut more);
        if found.len() > MAX_CLASSES {
            return Err(TooManyClasses);
        }
        at += 1;
    }
    Ok(found)
}
