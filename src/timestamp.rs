//! Points in time as text.

use std::time::SystemTime;

use serde::Serializer;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// Writes a time as RFC 3339 in UTC.
pub(crate) fn rfc3339(at: SystemTime) -> String {
    // It fails only for years outside of 0 to 9999; a record with an odd clock is still a record.
    OffsetDateTime::from(at).format(&Rfc3339).unwrap_or_default()
}

pub(crate) fn serialize<S: Serializer>(at: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&rfc3339(*at))
}
