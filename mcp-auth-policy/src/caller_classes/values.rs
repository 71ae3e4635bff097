//! Values that tell tests apart.

use std::cmp::Ordering;

use serde_json::{Map, Number, Value};

use super::TooManyClasses;
use crate::value_test::{Scalar, ValueTest, compare};

/// Characters of a text at most.
const MAX_LENGTH: u64 = 1 << 20;

/// Gives values of every type such that each combination of answers that any value gets from these tests, one of these gets. The plainest come first.
pub(super) fn candidates<'t>(tests: impl Iterator<Item = &'t ValueTest> + Clone) -> Result<Vec<Value>, TooManyClasses> {
    let mut texts: Vec<&str> = Vec::new();
    let mut numbers: Vec<&Number> = Vec::new();
    let mut lengths: Vec<u64> = Vec::new();
    for test in tests {
        let scalars = match test {
            ValueTest::Is(scalar) => std::slice::from_ref(scalar),
            ValueTest::In(scalars) => scalars,
            ValueTest::Min(limit) | ValueTest::Max(limit) => {
                numbers.push(limit);
                &[]
            }
            ValueTest::LongerThan(limit) => {
                lengths.push(*limit);
                &[]
            }
            ValueTest::Present(_) => &[],
        };
        for scalar in scalars {
            match scalar {
                Scalar::Text(text) => texts.push(text),
                Scalar::Number(number) => numbers.push(number),
                Scalar::Bool(_) => {}
            }
        }
    }
    if lengths.iter().any(|length| *length > MAX_LENGTH) {
        return Err(TooManyClasses);
    }
    let mut values: Vec<Value> = texts.iter().map(|text| Value::from(*text)).collect();
    values.push(Value::from(other_text(&texts)));
    for length in lengths {
        let filled = [length, length + 1].map(|length| text_of(length, |text| !texts.contains(&text)));
        values.extend(filled.into_iter().flatten().map(Value::from));
    }
    values.extend(around(&mut numbers).into_iter().map(Value::Number));
    values.extend([Value::Bool(true), Value::Bool(false)]);
    values.extend([Value::Array(Vec::new()), Value::Object(Map::new()), Value::Null]);
    Ok(values)
}

/// A text that is none of these.
fn other_text(texts: &[&str]) -> String {
    let mut other = "other".to_owned();
    while texts.contains(&other.as_str()) {
        other.push('s');
    }
    other
}

/// A text of this many characters that is taken, if there is one.
pub(super) fn text_of(length: u64, is_taken: impl Fn(&str) -> bool) -> Option<String> {
    let length = usize::try_from(length).ok()?;
    let letters = ('x'..='z').chain('a'..='w').chain('\u{4e00}'..='\u{9fff}');
    let mut filled = letters.map(|letter| letter.to_string().repeat(length));
    if length == 0 {
        return filled.next().filter(|text| is_taken(text));
    }
    filled.find(|text| is_taken(text))
}

/// The numbers, and some between them, below the least and above the greatest.
fn around(numbers: &mut [&Number]) -> Vec<Number> {
    numbers.sort_by(|one, two| compare(one, two).unwrap_or(Ordering::Equal));
    let mut found: Vec<Number> = numbers.iter().map(|number| (*number).clone()).collect();
    let whole = |number: &&Number| number.as_i64().map(i128::from).or(number.as_u64().map(i128::from));
    for number in numbers.iter().filter_map(whole) {
        found.extend([number - 1, number + 1].into_iter().filter_map(Number::from_i128));
    }
    let floats: Vec<f64> = numbers.iter().filter_map(|number| number.as_f64()).collect();
    let between = floats.windows(2).filter_map(|pair| match pair {
        [low, high] => Some(low / 2.0 + high / 2.0),
        _ => None,
    });
    let beside = floats
        .iter()
        .flat_map(|float| [float - 1.0, float + 1.0, float.next_down(), float.next_up()]);
    found.extend(between.chain(beside).filter_map(Number::from_f64));
    // Any number at all, where no test names one.
    found.push(Number::from(1));
    found
}
