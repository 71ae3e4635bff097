//! A cube in words.

use super::cubes::{Cube, Side};
use crate::{
    caller_classes::{
        IssuerAxes,
        axes::{Axis, Place},
    },
    text::printable,
};

/// Says whom a cube holds, but for their issuer: `holding read:todos without delete:todos`. Empty for everybody.
pub(super) fn phrase(cube: &Cube, axes: &[&Axis]) -> String {
    // Roles, or scopes, of two claims.
    let is_one_of_two = |axis: &Axis| {
        let alike = axes
            .iter()
            .filter(|other| other.is_set && other.are_roles == axis.are_roles);
        alike.count() > 1
    };
    let mut said = Vec::new();
    for (axis, side) in in_order(axes, cube) {
        let text = match side {
            Side::Names(conditions) => names(axis, conditions, is_one_of_two(axis)),
            Side::Values(meant) if meant.contains(&false) => Some(values(axis, meant)),
            Side::Values(_) => None,
        };
        said.extend(text);
    }
    said.join(" ")
}

/// Scopes first, then roles, then what is asked of values.
fn in_order<'a>(axes: &[&'a Axis], cube: &'a Cube) -> Vec<(&'a Axis, &'a Side)> {
    let mut sides: Vec<_> = axes.iter().copied().zip(&cube.0).collect();
    sides.sort_by_key(|(axis, _)| match axis.place {
        _ if axis.is_set => axis.are_roles as u8,
        Place::Client => 2,
        Place::Scopes(_) | Place::Claim => 3,
        Place::Argument => 4,
    });
    sides
}

fn names(axis: &Axis, conditions: &[Option<bool>], says_where: bool) -> Option<String> {
    let of = |wanted: bool| -> Vec<String> {
        let names = axis.names.iter().zip(conditions);
        let names = names.filter(|(_, condition)| **condition == Some(wanted));
        names.map(|(name, _)| alike(&name.alike, wanted)).collect()
    };
    let (with, without) = (of(true), of(false));
    let (holding, lacking) = if axis.are_roles {
        ("with role ", "without role ")
    } else {
        ("holding ", "without ")
    };
    let mut text = String::new();
    if !with.is_empty() {
        text = format!("{holding}{}", with.join(" and "));
    }
    if !without.is_empty() {
        let space = if text.is_empty() { "" } else { " " };
        text = format!("{text}{space}{lacking}{}", without.join(" or "));
    }
    if says_where && !text.is_empty() {
        text = format!("{text} in claim {}", printable(&axis.path.names().join(".")));
    }
    (!text.is_empty()).then_some(text)
}

/// Names that give the same: one of them is enough, and to be without them is to be without all.
fn alike(names: &[String], wanted: bool) -> String {
    let names: Vec<String> = names.iter().map(|name| printable(name)).collect();
    match (names.as_slice(), wanted) {
        ([one], _) => one.clone(),
        (_, true) => format!("one of {}", names.join(", ")),
        (_, false) => names.join(" or "),
    }
}

fn values(axis: &Axis, meant: &[bool]) -> String {
    let name = printable(&axis.path.names().join("."));
    let is = super::ranges::describe(axis, meant);
    match axis.place {
        Place::Client => format!("whose client is {is}"),
        Place::Scopes(_) | Place::Claim => format!("whose claim {name} is {is}"),
        Place::Argument => format!("whose argument {name} is {is}"),
    }
}

/// Says whose callers they are: `callers of https://one.example holding read`. `None` for all issuers.
pub(super) fn callers(issuers: Option<&[&IssuerAxes]>, phrase: &str) -> String {
    let issuers = issuers.map(|issuers| {
        let issuers = issuers.iter().map(|issuer| match issuer.is_other {
            true => "any other issuer".to_owned(),
            false => printable(&issuer.issuer),
        });
        format!("of {}", issuers.collect::<Vec<_>>().join(" or "))
    });
    match (issuers, phrase) {
        (None, "") => "every caller".to_owned(),
        (None, phrase) if phrase.starts_with(',') => format!("every caller{phrase}"),
        (None, phrase) => format!("callers {phrase}"),
        (Some(issuers), phrase) if phrase.is_empty() || phrase.starts_with(',') => format!("callers {issuers}{phrase}"),
        (Some(issuers), phrase) => format!("callers {issuers} {phrase}"),
    }
}
