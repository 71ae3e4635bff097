//! The JSON Schema of test suites has the keys that reading takes, and no others.

use super::{cases, invariants, principals, read};
use crate::schema_keys::{assert_keys, words};

const SUITE: &str = include_str!("../../schema/mcp-policy-test.schema.json");

#[test]
fn the_schema_has_the_keys_that_a_suite_has() {
    assert_keys(
        SUITE,
        &[
            ("", read::KNOWN),
            ("/definitions/principal", principals::PRINCIPAL),
            ("/definitions/case", cases::CASE),
            ("/definitions/invariant", invariants::INVARIANT),
        ],
    );
    assert_eq!(
        words(SUITE, "/properties/principals/propertyNames/not/enum"),
        principals::OWNERS
    );
}
