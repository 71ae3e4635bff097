//! Tests of one value that the policy's author does not control: a claim or an argument.

use std::cmp::Ordering;

use serde::{Serialize, Serializer};
use serde_json::{Number, Value};

use crate::claim_path::Found;

/// What an atom asks of a value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ValueTest {
    Is(Scalar),
    /// Never empty.
    In(Vec<Scalar>),
    Min(Number),
    Max(Number),
    /// Characters (Unicode scalar values) of a text.
    LongerThan(u64),
    Present(bool),
}

/// A value that a policy can compare with.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub(crate) enum Scalar {
    Text(String),
    Number(Number),
    Bool(bool),
}

/// What the author wants of a forbid whose data is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IfMissing {
    /// The forbid stands.
    Deny,
    /// The forbid is skipped.
    Skip,
}

/// Where an atom stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    When,
    Unless,
}

/// The answer of a value to a test.
pub(crate) enum Answer {
    Yes,
    No,
    Missing,
    WrongType,
}

impl ValueTest {
    /// Tells whether the atom holds. Total: whatever the token or the arguments say, there is an answer.
    ///
    /// A value of the wrong type, `null` included, makes the forbid stand: it holds in `when` and does not hold in `unless`.
    pub(crate) fn holds(&self, found: Found<'_>, if_missing: IfMissing, side: Side) -> bool {
        match self.answer(found) {
            Answer::Yes => true,
            Answer::No => false,
            Answer::WrongType => side == Side::When,
            Answer::Missing => (if_missing == IfMissing::Deny) == (side == Side::When),
        }
    }

    /// Tells whether the test compares with this text.
    pub(crate) fn names(&self, text: &str) -> bool {
        let is_text = |scalar: &Scalar| matches!(scalar, Scalar::Text(named) if named == text);
        match self {
            Self::Is(scalar) => is_text(scalar),
            Self::In(scalars) => scalars.iter().any(is_text),
            _ => false,
        }
    }

    pub(crate) fn answer(&self, found: Found<'_>) -> Answer {
        let value = match (self, found) {
            (_, Found::WrongType | Found::Value(Value::Null)) => return Answer::WrongType,
            (Self::Present(wanted), Found::Missing) => return yes_or_no(!wanted),
            (Self::Present(wanted), Found::Value(_)) => return yes_or_no(*wanted),
            (_, Found::Missing) => return Answer::Missing,
            (_, Found::Value(value)) => value,
        };
        match self {
            Self::Is(scalar) => one_of(value, std::slice::from_ref(scalar)),
            Self::In(scalars) => one_of(value, scalars),
            Self::Min(least) => number(value, least, Ordering::is_ge),
            Self::Max(most) => number(value, most, Ordering::is_le),
            Self::LongerThan(limit) => match value {
                Value::String(text) => yes_or_no(is_longer(text, *limit)),
                _ => Answer::WrongType,
            },
            Self::Present(_) => Answer::WrongType,
        }
    }
}

fn yes_or_no(yes: bool) -> Answer {
    if yes { Answer::Yes } else { Answer::No }
}

/// The type is right if one of the scalars has it.
fn one_of(value: &Value, scalars: &[Scalar]) -> Answer {
    let mut answer = Answer::WrongType;
    for scalar in scalars {
        let equal = match (scalar, value) {
            (Scalar::Text(wanted), Value::String(text)) => wanted == text,
            (Scalar::Bool(wanted), Value::Bool(value)) => wanted == value,
            (Scalar::Number(wanted), Value::Number(number)) => match compare(number, wanted) {
                Some(order) => order.is_eq(),
                None => continue,
            },
            _ => continue,
        };
        if equal {
            return Answer::Yes;
        }
        answer = Answer::No;
    }
    answer
}

fn number(value: &Value, limit: &Number, wanted: impl Fn(Ordering) -> bool) -> Answer {
    match value {
        Value::Number(number) => compare(number, limit).map_or(Answer::WrongType, |order| yes_or_no(wanted(order))),
        _ => Answer::WrongType,
    }
}

/// Counts no further than it must: an argument may be megabytes long.
fn is_longer(text: &str, limit: u64) -> bool {
    usize::try_from(limit).is_ok_and(|limit| text.chars().nth(limit).is_some())
}

/// Compares by value: 5 equals 5.0, and large integers are not rounded. `None` for a number outside of what JSON readers hold.
pub(crate) fn compare(one: &Number, two: &Number) -> Option<Ordering> {
    match (integer(one), integer(two)) {
        (Some(one), Some(two)) => Some(one.cmp(&two)),
        (Some(one), None) => against_float(one, two.as_f64()?),
        (None, Some(two)) => against_float(two, one.as_f64()?).map(Ordering::reverse),
        (None, None) => one.as_f64()?.partial_cmp(&two.as_f64()?),
    }
}

fn integer(number: &Number) -> Option<i128> {
    let unsigned = number.as_u64().map(i128::from);
    number.as_i64().map(i128::from).or(unsigned)
}

fn against_float(integer: i128, float: f64) -> Option<Ordering> {
    if float.is_nan() {
        return None;
    }
    // The cast saturates, and every integer here is far inside its range.
    let whole = float.trunc();
    let by_whole = integer.cmp(&(whole as i128));
    Some(by_whole.then_with(|| whole.partial_cmp(&float).unwrap_or(Ordering::Equal)))
}

impl Serialize for IfMissing {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match self {
            Self::Deny => "deny",
            Self::Skip => "skip",
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_compare_by_value_and_without_rounding() {
        let order = |one: Value, two: Value| compare(one.as_number().unwrap(), two.as_number().unwrap());
        assert_eq!(order(json!(5), json!(5.0)), Some(Ordering::Equal));
        assert_eq!(order(json!(5), json!(5.5)), Some(Ordering::Less));
        assert_eq!(order(json!(-5), json!(-5.5)), Some(Ordering::Greater));
        assert_eq!(order(json!(1e300), json!(u64::MAX)), Some(Ordering::Greater));
        assert_eq!(order(json!(u64::MAX), json!(u64::MAX - 1)), Some(Ordering::Greater));
        assert_eq!(
            order(json!(9_007_199_254_740_993_u64), json!(9_007_199_254_740_992.0)),
            Some(Ordering::Greater)
        );
    }

    #[test]
    fn missing_data_follows_the_author_and_a_wrong_type_always_makes_the_forbid_stand() {
        let value = json!({"text": "five!", "null": null, "list": ["five!"], "five": 5, "yes": true});
        let found = |name: &str| value.get(name).map_or(Found::Missing, Found::Value);
        let text = |text: &str| Scalar::Text(text.to_owned());
        let table = [
            (ValueTest::Is(text("five!")), "text", "yes"),
            (ValueTest::Is(text("other")), "text", "no"),
            (ValueTest::Is(text("five!")), "list", "wrong"),
            (ValueTest::Is(text("five!")), "null", "wrong"),
            (ValueTest::Is(text("five!")), "none", "missing"),
            (ValueTest::Is(Scalar::Bool(true)), "yes", "yes"),
            (ValueTest::In(vec![text("x"), Scalar::Number(5.into())]), "five", "yes"),
            (ValueTest::In(vec![text("x"), Scalar::Number(5.into())]), "text", "no"),
            (ValueTest::In(vec![text("x"), Scalar::Number(5.into())]), "yes", "wrong"),
            (ValueTest::Min(5.into()), "five", "yes"),
            (ValueTest::Min(6.into()), "five", "no"),
            (ValueTest::Max(5.into()), "text", "wrong"),
            (ValueTest::LongerThan(4), "text", "yes"),
            (ValueTest::LongerThan(5), "text", "no"),
            (ValueTest::LongerThan(4), "five", "wrong"),
            (ValueTest::Present(true), "five", "yes"),
            (ValueTest::Present(true), "none", "no"),
            (ValueTest::Present(false), "none", "yes"),
            (ValueTest::Present(false), "null", "wrong"),
        ];
        for (test, name, expected) in table {
            for if_missing in [IfMissing::Deny, IfMissing::Skip] {
                let holds = |side| test.holds(found(name), if_missing, side);
                let deny = if_missing == IfMissing::Deny;
                let expected = match expected {
                    "yes" => (true, true),
                    "no" => (false, false),
                    "wrong" => (true, false),
                    _ => (deny, !deny),
                };
                assert_eq!((holds(Side::When), holds(Side::Unless)), expected, "{test:?} of {name}");
            }
        }
    }
}
