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
    let mut bools = false;
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
                Scalar::Bool(_) => bools = true,
            }
        }
    }
    if lengths.iter().any(|length| *length > MAX_LENGTH) {
        return Err(TooManyClasses);
    }
    let tested = [!(texts.is_empty() && lengths.is_empty()), !numbers.is_empty(), bools];
    let mut of_text: Vec<Value> = texts.iter().map(|text| Value::from(*text)).collect();
    of_text.push(Value::from(other_text(&texts)));
    for length in lengths {
        let filled = [length, length + 1].map(|length| text_of(length, |text| !texts.contains(&text)));
        of_text.extend(filled.into_iter().flatten().map(Value::from));
    }
    let of_number = around(&mut numbers).into_iter().map(Value::Number).collect();
    let of_bool = vec![Value::Bool(true), Value::Bool(false)];
    // Values of a type that nothing tests come last: they are the odd ones.
    let by_type = [of_text, of_number, of_bool].into_iter().zip(tested);
    let (tested, others): (Vec<_>, Vec<_>) = by_type.partition(|(_, tested)| *tested);
    let values = tested.into_iter().chain(others).flat_map(|(values, _)| values);
    let rest = [Value::Array(Vec::new()), Value::Object(Map::new()), Value::Null];
    Ok(values.chain(rest).collect())
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::*;
    use crate::{
        claim_path::Found,
        value_test::{IfMissing, Side},
    };

    #[test]
    fn every_value_is_seen_like_one_of_the_candidates() {
        use ValueTest::{In, Is, LongerThan, Max, Min, Present};
        let text = |text: &str| Scalar::Text(text.to_owned());
        let number = |value: Value| value.as_number().unwrap().clone();
        let tables = [
            vec![Is(text("other")), In(vec![text("others"), Scalar::Bool(true)])],
            vec![
                LongerThan(0),
                LongerThan(2),
                Is(text("x")),
                Is(text("xxx")),
                Is(text("")),
            ],
            vec![Min(5.into()), Max(number(json!(4.5))), Is(Scalar::Number(6.into()))],
            vec![
                Min(u64::MAX.into()),
                Max(i64::MIN.into()),
                Is(Scalar::Number((u64::MAX - 1).into())),
            ],
            vec![Min(number(json!(0.1))), Max(number(json!(0.1_f64.next_up())))],
            vec![Min(number(json!(1e308))), Max(number(json!(-1e308)))],
            vec![Present(true), Is(Scalar::Number(1.into())), LongerThan(3)],
        ];
        let mut pool = vec![json!(true), json!(false), json!(null), json!([]), json!({"a": 1})];
        pool.extend(["", "x", "y", "xx", "xxx", "yyy", "xxxx", "other", "others", "else"].map(Value::from));
        pool.extend([-1, 0, 1, 2, 4, 5, 6, 7, i64::MIN, i64::MIN + 1].map(Value::from));
        pool.extend([u64::MAX, u64::MAX - 1, u64::MAX - 2].map(Value::from));
        let floats = [
            4.4,
            4.5,
            4.7,
            0.05,
            0.1,
            0.1_f64.next_up(),
            0.2,
            1e308,
            1.1e308,
            -1e308,
            -1.1e308,
            f64::MAX,
        ];
        pool.extend(floats.map(Value::from));
        for tests in tables {
            let seen = |value: &Value| -> Vec<bool> {
                let found = Found::Value(value);
                let answers = tests.iter();
                answers
                    .flat_map(|test| [Side::When, Side::Unless].map(|side| test.holds(found, IfMissing::Deny, side)))
                    .collect()
            };
            let candidates = candidates(tests.iter()).unwrap();
            let told_apart: BTreeSet<Vec<bool>> = candidates.iter().map(seen).collect();
            for value in &pool {
                assert!(told_apart.contains(&seen(value)), "{value} in {tests:?}");
            }
        }
    }
}
