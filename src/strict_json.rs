//! JSON objects in which no member appears twice, and none that would make `serde_json` do something else than read.
//!
//! Two parsers that disagree on which of two equal members counts are a way around a check: one sees the signed issuer, the other the
//! attacker's. RFC 8725 section 2.4 and RFC 7519 section 4 let a receiver refuse such documents; this crate does.

use std::{collections::HashSet, fmt};

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// Why bytes are no strict JSON object. Carries nothing of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum JsonError {
    #[error("it is not a JSON object")]
    NotAnObject,
    #[error("a member of a JSON object appears twice")]
    DuplicateMember,
    #[error("a member of a JSON object has a name that is reserved")]
    ReservedMember,
}

/// With its feature `raw_value`, which a crate of the tree turns on, `serde_json` reads `{"$serde_json::private::RawValue": "<json>"}` as the
/// JSON inside of the string, and counts depth from zero again: a few kilobytes of it overflow the stack, and inner members may repeat.
const RESERVED_MEMBER: &str = "$serde_json::private::RawValue";

/// Parses one object that passes [`check`].
pub(crate) fn parse_object(bytes: &[u8]) -> Result<Map<String, Value>, JsonError> {
    // A pass of its own instead of one strict visitor: it also holds when a crate of the user's tree turns on serde_json's
    // `arbitrary_precision`, which shows numbers to visitors as maps.
    check(bytes)?;
    serde_json::from_slice(bytes).map_err(|_| JsonError::NotAnObject)
}

/// Checks that bytes are one JSON object without duplicate or reserved members at any depth, which nests at most 127 times.
pub(crate) fn check(bytes: &[u8]) -> Result<(), JsonError> {
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return Err(JsonError::NotAnObject);
    }
    let mut found = None;
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let walked = Strict { found: &mut found }
        .deserialize(&mut deserializer)
        .and_then(|()| deserializer.end());
    match (walked, found) {
        (_, Some(error)) => Err(error),
        (Err(_), None) => Err(JsonError::NotAnObject),
        (Ok(()), None) => Ok(()),
    }
}

/// Walks through JSON, keeps nothing of it, and stops at the first member that may not be there.
struct Strict<'a> {
    found: &'a mut Option<JsonError>,
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON without duplicate members")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        while let Some(name) = map.next_key::<String>()? {
            let error = if name == RESERVED_MEMBER {
                Some(JsonError::ReservedMember)
            } else {
                (!seen.insert(name)).then_some(JsonError::DuplicateMember)
            };
            if let Some(error) = error {
                *self.found = Some(error);
                return Err(serde::de::Error::custom(error));
            }
            map.next_value_seed(Strict { found: self.found })?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(Strict { found: self.found })?.is_some() {}
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn duplicates_are_found_at_any_depth_and_through_escapes() {
        for (text, expected) in [
            (r#"{"a":1,"b":[{"a":null},{"a":true}],"c":-1.5e3,"d":"x"}"#, None),
            (r#"{"a":1,"a":1}"#, Some(JsonError::DuplicateMember)),
            (r#"{"a":1,"\u0061":2}"#, Some(JsonError::DuplicateMember)),
            (r#"{"x":[{"y":{"a":1,"a":2}}]}"#, Some(JsonError::DuplicateMember)),
            (
                r#"{"a":{"$serde_json::private::RawValue":"1"}}"#,
                Some(JsonError::ReservedMember),
            ),
            (
                r#"{"\u0024serde_json::private::RawValue":"{}"}"#,
                Some(JsonError::ReservedMember),
            ),
            ("[]", Some(JsonError::NotAnObject)),
            ("", Some(JsonError::NotAnObject)),
            (r#"{"a":1} {"b":2}"#, Some(JsonError::NotAnObject)),
            (r#"{"a":1"#, Some(JsonError::NotAnObject)),
            ("{\"a\":\"\u{0}\"}", Some(JsonError::NotAnObject)),
        ] {
            assert_eq!(parse_object(text.as_bytes()).err(), expected, "{text}");
        }
    }

    #[test]
    fn json_within_strings_that_serde_json_would_unfold_is_not_followed() {
        let name = serde_json::to_string(RESERVED_MEMBER).unwrap();
        let mut bomb = String::from("1");
        while bomb.len() < 1_000_000 {
            let nested = format!("{}{bomb}{}", "[".repeat(100), "]".repeat(100));
            bomb = format!("{{{name}:{}}}", serde_json::to_string(&nested).unwrap());
        }
        assert_eq!(parse_object(bomb.as_bytes()), Err(JsonError::ReservedMember));
    }

    #[test]
    fn depth_without_end_is_refused_and_not_followed() {
        let deep = format!("{{\"a\":{}", "[".repeat(100_000));
        assert_eq!(parse_object(deep.as_bytes()), Err(JsonError::NotAnObject));
    }
}
