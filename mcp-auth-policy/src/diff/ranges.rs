//! Some of the values that can be in one place, in words: `suspended or of another type`, `longer than 2000 characters`.

use std::cmp::Ordering;

use serde_json::{Number, Value};

use crate::{
    caller_classes::{axes::Axis, flow},
    value_test::{Scalar, ValueTest, compare},
};

/// The kinds of values, in the order they are said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Text,
    Number,
    Bool,
    Other,
    Missing,
}

/// What the tests of a place compare with.
struct Compared<'a> {
    texts: Vec<&'a str>,
    /// Ascending, none twice.
    lengths: Vec<u64>,
    numbers: Vec<&'a Number>,
    bools: bool,
}

/// Says which values are meant.
pub(super) fn describe(axis: &Axis, meant: &[bool]) -> String {
    let compared = Compared::by(&axis.tests);
    let positive = parts(axis, meant, &compared);
    let others: Vec<bool> = meant.iter().map(|meant| !meant).collect();
    let negative = parts(axis, &others, &compared);
    let is_plain = !negative.iter().any(|part| part.contains("other than"));
    if is_plain && negative.len() + 1 < positive.len() {
        return format!("anything but {}", one_of(&negative));
    }
    one_of(&positive)
}

/// Joins parts: `a, b or c`.
fn one_of(parts: &[String]) -> String {
    match parts {
        [first @ .., before, last] => {
            let first: String = first.iter().map(|part| format!("{part}, ")).collect();
            format!("{first}{before} or {last}")
        }
        parts => parts.concat(),
    }
}

/// The values that are meant, one part for each thing to say about them.
fn parts(axis: &Axis, meant: &[bool], compared: &Compared<'_>) -> Vec<String> {
    let all: Vec<(Option<&Value>, bool)> = (axis.values.iter().zip(meant))
        .flat_map(|(value, meant)| value.alike.iter().map(move |value| (value.as_ref(), *meant)))
        .collect();
    let of = |kind: Kind| all.iter().copied().filter(move |(value, _)| kind_of(*value) == kind);
    let mut parts = Vec::new();
    let mut untested = Vec::new();
    if compared.texts.is_empty() && compared.lengths.is_empty() {
        untested.extend(of(Kind::Text));
    } else {
        parts.extend(texts(of(Kind::Text), compared));
    }
    if compared.numbers.is_empty() {
        untested.extend(of(Kind::Number));
    } else {
        parts.extend(numbers(of(Kind::Number), &compared.numbers));
    }
    if compared.bools {
        let meant = of(Kind::Bool).filter(|(_, meant)| *meant);
        parts.extend(meant.map(|(value, _)| value.map(Value::to_string).unwrap_or_default()));
    } else {
        untested.extend(of(Kind::Bool));
    }
    untested.extend(of(Kind::Other));
    if of(Kind::Missing).any(|(_, meant)| meant) {
        parts.push("missing".to_owned());
    }
    let is_compared = untested.len() < all.iter().filter(|(value, _)| value.is_some()).count();
    if !untested.is_empty() && untested.iter().all(|(_, meant)| *meant) {
        parts.push(if is_compared { "of another type" } else { "there" }.to_owned());
    } else {
        let meant = untested.iter().filter(|(_, meant)| *meant);
        parts.extend(meant.map(|(value, _)| plain(*value)));
    }
    parts
}

fn kind_of(value: Option<&Value>) -> Kind {
    match value {
        None => Kind::Missing,
        Some(Value::String(_)) => Kind::Text,
        Some(Value::Number(_)) => Kind::Number,
        Some(Value::Bool(_)) => Kind::Bool,
        Some(_) => Kind::Other,
    }
}

fn plain(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(_)) => "a text".to_owned(),
        Some(Value::Number(_)) => "a number".to_owned(),
        Some(Value::Array(_)) => "a list".to_owned(),
        Some(Value::Object(_)) => "an object".to_owned(),
        Some(value) => value.to_string(),
        None => "missing".to_owned(),
    }
}

impl<'a> Compared<'a> {
    fn by(tests: &'a [ValueTest]) -> Self {
        let mut compared = Self {
            texts: Vec::new(),
            lengths: Vec::new(),
            numbers: Vec::new(),
            bools: false,
        };
        for test in tests {
            let scalars = match test {
                ValueTest::Is(scalar) => std::slice::from_ref(scalar),
                ValueTest::In(scalars) => scalars,
                ValueTest::Min(limit) | ValueTest::Max(limit) => {
                    compared.numbers.push(limit);
                    &[]
                }
                ValueTest::LongerThan(limit) => {
                    compared.lengths.push(*limit);
                    &[]
                }
                ValueTest::Present(_) => &[],
            };
            for scalar in scalars {
                match scalar {
                    Scalar::Text(text) => compared.texts.push(text),
                    Scalar::Number(number) => compared.numbers.push(number),
                    Scalar::Bool(_) => compared.bools = true,
                }
            }
        }
        compared.texts.sort_unstable();
        compared.texts.dedup();
        compared.lengths.sort_unstable();
        compared.lengths.dedup();
        compared
            .numbers
            .sort_by(|one, two| compare(one, two).unwrap_or(Ordering::Equal));
        compared
            .numbers
            .dedup_by(|one, two| compare(one, two) == Some(Ordering::Equal));
        compared
    }
}

type Judged<'a> = (Option<&'a Value>, bool);

fn texts<'a>(values: impl Iterator<Item = Judged<'a>>, compared: &Compared<'_>) -> Vec<String> {
    let texts: Vec<(&str, bool)> = values
        .filter_map(|(value, meant)| Some((value?.as_str()?, meant)))
        .collect();
    let (named, others): (Vec<(&str, bool)>, Vec<_>) = texts
        .iter()
        .copied()
        .partition(|(text, _)| compared.texts.contains(text));
    let quoted = |wanted: bool| -> Vec<String> {
        let named = named.iter().filter(|(_, meant)| *meant == wanted);
        named.map(|(text, _)| word(text)).collect()
    };
    if !others.is_empty() && others.iter().all(|(_, meant)| *meant) {
        let excepted = quoted(false);
        return vec![match excepted.as_slice() {
            [] => "a text".to_owned(),
            excepted => format!("a text other than {}", excepted.join(", ")),
        }];
    }
    let mut parts = quoted(true);
    // Region 0 is up to the least length, region 1 from there to the next, and so on.
    let region = |text: &str| {
        let length = text.chars().count() as u64;
        compared.lengths.iter().filter(|limit| length > **limit).count()
    };
    let mut by_region: Vec<Option<bool>> = vec![None; compared.lengths.len() + 1];
    for (text, meant) in &others {
        match by_region.get_mut(region(text)) {
            Some(same @ None) => *same = Some(*meant),
            Some(Some(same)) if same == meant => {}
            // Two texts of one length mean different things: the claim holds names too.
            _ => {
                let meant = others.iter().filter(|(_, meant)| *meant);
                parts.extend(meant.map(|(text, _)| format!("such as {}", word(text))));
                return parts;
            }
        }
    }
    let in_range: Vec<bool> = by_region.iter().map(|meant| *meant == Some(true)).collect();
    for (first, last) in runs(&in_range) {
        let above = first.checked_sub(1).and_then(|at| compared.lengths.get(at));
        parts.push(match (above, compared.lengths.get(last)) {
            (None, None) => "a text".to_owned(),
            (None, Some(most)) => format!("of at most {most} characters"),
            (Some(least), None) => format!("longer than {least} characters"),
            (Some(least), Some(most)) => format!("of {} to {most} characters", least + 1),
        });
    }
    parts
}

fn numbers<'a>(values: impl Iterator<Item = Judged<'a>>, points: &[&Number]) -> Vec<String> {
    // Region 0 is below the least number, region 1 is that number, region 2 lies between it and the next, and so on.
    let region = |number: &Number| {
        let below = points
            .iter()
            .filter(|point| compare(point, number) == Some(Ordering::Less));
        let equal = points
            .iter()
            .any(|point| compare(point, number) == Some(Ordering::Equal));
        2 * below.count() + usize::from(equal)
    };
    let mut by_region: Vec<Option<bool>> = vec![None; 2 * points.len() + 1];
    for (value, meant) in values {
        let region = value.and_then(Value::as_number).map(region);
        if let Some(place) = region.and_then(|region| by_region.get_mut(region)) {
            *place = Some(meant);
        }
    }
    // Between neighbours there may be no number at all: then it goes with the one before.
    for at in 1..by_region.len() {
        if let Some([before, this]) = by_region.get_mut(at - 1..=at)
            && this.is_none()
        {
            *this = *before;
        }
    }
    let in_range: Vec<bool> = by_region.iter().map(|meant| *meant == Some(true)).collect();
    let point = |at: usize| points.get(at).map(ToString::to_string).unwrap_or_default();
    let last_region = by_region.len() - 1;
    let described = runs(&in_range).into_iter().map(|(first, last)| {
        // An odd region is a number, an even one ends before the next number.
        let from = match first % 2 {
            1 => format!("at least {}", point(first / 2)),
            _ => format!("above {}", point((first / 2).saturating_sub(1))),
        };
        let to = match last % 2 {
            1 => format!("at most {}", point(last / 2)),
            _ => format!("below {}", point(last / 2)),
        };
        match (first, last) {
            (0, last) if last == last_region => "a number".to_owned(),
            (first, last) if first == last && first % 2 == 1 => point(first / 2),
            (0, _) => to,
            (_, last) if last == last_region => from,
            _ => format!("{from} and {to}"),
        }
    });
    described.collect()
}

/// The first and last places of each run.
fn runs(meant: &[bool]) -> Vec<(usize, usize)> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for (at, _) in meant.iter().enumerate().filter(|(_, meant)| **meant) {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == at => *last = at,
            _ => runs.push((at, at)),
        }
    }
    runs
}

/// A text of the policy, as YAML would write it, without characters that could act on a terminal.
fn word(text: &str) -> String {
    flow(&Value::from(text))
}
