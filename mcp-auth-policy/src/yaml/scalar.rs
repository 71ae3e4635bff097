//! What a plain scalar means.

use super::Value;

/// Resolves an unquoted scalar by the core schema of YAML 1.2 section 10.3.2.
///
/// Where readers differ (`007`, `0b1`, `+1`), the answer is "a number": the policy language takes none there, so that a
/// doubtful spelling has to be quoted.
pub(super) fn resolve_plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        number if is_number(number) => Value::Number(number.to_owned()),
        text => Value::Text(text.to_owned()),
    }
}

fn is_number(text: &str) -> bool {
    let body = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(body, ".inf" | ".Inf" | ".INF" | ".nan" | ".NaN" | ".NAN") {
        return true;
    }
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(digits) = body.strip_prefix(prefix) {
            return !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix));
        }
    }
    // The first character is looked at because Rust also reads `inf` and `nan`, which are text in YAML.
    body.starts_with(|c: char| c.is_ascii_digit() || c == '.') && body.parse::<f64>().is_ok()
}
