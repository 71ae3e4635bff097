//! JSON objects in which no member appears twice.
//!
//! Two parsers that disagree on which of two equal members counts are a way around a check: one sees the signed issuer, the other the
//! attacker's. RFC 8725 section 2.4 and RFC 7519 section 4 let a receiver refuse such documents; this crate does.

use std::{collections::HashSet, fmt};

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// Why bytes are no strict JSON object. Carries nothing of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum JsonError {
    #[error("it is not a JSON object")]
    NotAnObject,
    #[error("a member of a JSON object appears twice")]
    DuplicateMember,
}

/// Parses one object, at any depth without duplicate members.
pub(crate) fn parse_object(bytes: &[u8]) -> Result<Map<String, Value>, JsonError> {
    let object = serde_json::from_slice(bytes).map_err(|_| JsonError::NotAnObject)?;
    // A second pass instead of one strict visitor: it also holds when a crate of the user's tree turns on serde_json's
    // `arbitrary_precision`, which shows numbers to visitors as maps.
    match serde_json::from_slice(bytes) {
        Ok(UniqueMembers) => Ok(object),
        Err(_) => Err(JsonError::DuplicateMember),
    }
}

/// Deserializes from any JSON in which no object has a duplicate member, and keeps nothing of it.
struct UniqueMembers;

impl<'de> Deserialize<'de> for UniqueMembers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(UniqueMembersVisitor)
    }
}

struct UniqueMembersVisitor;

impl<'de> Visitor<'de> for UniqueMembersVisitor {
    type Value = UniqueMembers;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON without duplicate members")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<UniqueMembers, A::Error> {
        let mut seen = HashSet::new();
        while let Some(name) = map.next_key::<String>()? {
            if !seen.insert(name) {
                return Err(serde::de::Error::custom("duplicate member"));
            }
            map.next_value::<UniqueMembers>()?;
        }
        Ok(UniqueMembers)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<UniqueMembers, A::Error> {
        while seq.next_element::<UniqueMembers>()?.is_some() {}
        Ok(UniqueMembers)
    }

    fn visit_unit<E>(self) -> Result<UniqueMembers, E> {
        Ok(UniqueMembers)
    }

    fn visit_bool<E>(self, _: bool) -> Result<UniqueMembers, E> {
        Ok(UniqueMembers)
    }

    fn visit_i64<E>(self, _: i64) -> Result<UniqueMembers, E> {
        Ok(UniqueMembers)
    }

    fn visit_u64<E>(self, _: u64) -> Result<UniqueMembers, E> {
        Ok(UniqueMembers)
    }

    fn visit_f64<E>(self, _: f64) -> Result<UniqueMembers, E> {
        Ok(UniqueMembers)
    }

    fn visit_str<E>(self, _: &str) -> Result<UniqueMembers, E> {
        Ok(UniqueMembers)
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
    fn depth_without_end_is_refused_and_not_followed() {
        let deep = format!("{{\"a\":{}", "[".repeat(100_000));
        assert_eq!(parse_object(deep.as_bytes()), Err(JsonError::NotAnObject));
    }
}
