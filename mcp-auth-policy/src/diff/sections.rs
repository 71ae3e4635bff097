//! What no decision shows: compared as written.

use std::collections::BTreeSet;

use super::{Change, Direction};
use crate::{OnNotOwner, OwnerKey, Policy, Visibility, callers::Mapping};

pub(super) fn changes(old: &Policy, new: &Policy) -> Vec<Change> {
    let mut changes = subjects(old, new);
    let keys = [old, new].map(|policy| policy.owner_key().unwrap_or(OwnerKey::Subject));
    if keys[0] != keys[1] {
        let word = |key: OwnerKey| match key {
            OwnerKey::Subject => "subject",
            OwnerKey::IssuerAndSubject => "issuer_and_subject",
        };
        changes.push(owners_changed("callers.owner_key", word(keys[0]), word(keys[1])));
    }
    if old.visibility != new.visibility {
        changes.push(section(
            direction(shows(new.visibility) > shows(old.visibility)),
            "visibility",
            visibility(old.visibility),
            visibility(new.visibility),
            "what lists show to everybody",
        ));
    }
    if old.on_not_owner != new.on_not_owner {
        let word = |on_not_owner: OnNotOwner| match on_not_owner {
            OnNotOwner::Hide => "hide",
            OnNotOwner::StepUp => "step_up",
        };
        changes.push(section(
            direction(new.on_not_owner == OnNotOwner::StepUp),
            "on_not_owner",
            word(old.on_not_owner),
            word(new.on_not_owner),
            "whether callers hear that an object of somebody else exists",
        ));
    }
    changes
}

/// Whose an object is depends on the subject, and the classes do not: a subject may have become somebody else's.
fn subjects(old: &Policy, new: &Policy) -> Vec<Change> {
    let listed = [old, new].map(|policy| policy.callers.issuers.as_ref());
    let issuers: BTreeSet<&str> = (listed.iter().flatten())
        .flat_map(|issuers| issuers.keys().map(String::as_str))
        .collect();
    let list_none = listed.iter().all(Option::is_none);
    let issuers = issuers
        .into_iter()
        .map(|issuer| (issuer, format!("callers.issuers.{issuer}.subject")));
    // Where issuers are listed, no token is read by `default`.
    let default = list_none.then(|| ("", "callers.default.subject".to_owned()));
    let changed = issuers.chain(default).filter_map(|(issuer, name)| {
        let mappings = (old.callers.mapping(issuer), new.callers.mapping(issuer));
        let (Some(old), Some(new)) = mappings else {
            return None;
        };
        (old.subject != new.subject).then(|| owners_changed(&name, &subject(old), &subject(new)))
    });
    changed.collect()
}

fn subject(mapping: &Mapping) -> String {
    mapping
        .subject
        .as_ref()
        .map_or("sub".to_owned(), |claim| claim.names().join("."))
}

fn owners_changed(name: &str, old: &str, new: &str) -> Change {
    let text = "other objects may count as one's own: not proved to be narrower";
    section(Direction::Wider, name, old, new, text)
}

fn section(direction: Direction, name: &str, old: &str, new: &str, callers: &str) -> Change {
    Change {
        direction,
        kind: None,
        name: name.to_owned(),
        old: old.to_owned(),
        new: new.to_owned(),
        callers: callers.to_owned(),
        example: None,
        is_proved: false,
        line: None,
        reaches: None,
    }
}

fn direction(is_wider: bool) -> Direction {
    if is_wider {
        Direction::Wider
    } else {
        Direction::Narrower
    }
}

fn visibility(visibility: Visibility) -> &'static str {
    match visibility {
        Visibility::All => "all",
        Visibility::Obtainable => "obtainable",
        Visibility::Granted => "granted",
    }
}

/// The more a list shows, the greater.
fn shows(visibility: Visibility) -> u8 {
    match visibility {
        Visibility::Granted => 0,
        Visibility::Obtainable => 1,
        Visibility::All => 2,
    }
}
