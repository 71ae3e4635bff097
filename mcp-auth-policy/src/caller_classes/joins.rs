//! Everything that sets of names can give together.

use std::collections::HashSet;

use super::{MAX_CLASSES, TooManyClasses};
use crate::bits::Bits;

/// Some of the names, and what they give together.
#[derive(Debug)]
pub(super) struct Join {
    /// The numbers of the names, ascending. No smaller set gives the same.
    pub(super) members: Vec<usize>,
    gives: Bits,
}

/// Finds every different thing that sets of names can give, with the smallest set for each; the smallest sets come first.
///
/// `gives` says what each name gives alone. What is given together is the sum, so sets need not be tried one by one.
pub(super) fn joins(gives: &[&Bits]) -> Result<Vec<Join>, TooManyClasses> {
    let nothing = Bits::empty(0);
    let mut seen = HashSet::new();
    let mut found = vec![Join {
        members: Vec::new(),
        gives: nothing,
    }];
    let mut at = 0;
    while let Some(join) = found.get(at) {
        let mut more = Vec::new();
        for (number, alone) in gives.iter().enumerate() {
            let mut together = (*alone).clone();
            together.extend(&join.gives);
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
