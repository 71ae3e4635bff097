//! Resource URIs and URI templates: RFC 6570 level 1, matched on the raw text.
//!
//! A variable stands for the text of one path segment or a part of it, never for a `/`. What two readers could understand
//! differently matches no variable: dot segments, and percent-encoded slashes, backslashes, dots and NUL.

/// One path segment of a template.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Segment {
    Literal(String),
    /// Text, a variable, text.
    Variable {
        prefix: String,
        suffix: String,
    },
}

/// A template with at least one variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UriTemplate {
    pub(crate) segments: Vec<Segment>,
}

/// What a key under `resources:` is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ResourceName {
    Exact,
    Template(UriTemplate),
}

impl ResourceName {
    /// Reads a key.
    ///
    /// # Errors
    /// What is wrong with it, as the end of a sentence that begins with the key.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let (scheme, rest) = text.split_once(':').unwrap_or_default();
        let in_scheme = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
        if rest.is_empty() || !scheme.starts_with(|c: char| c.is_ascii_alphabetic()) || !scheme.chars().all(in_scheme) {
            return Err("does not begin with a scheme, such as `notes:`");
        }
        if !text.chars().all(|c| c.is_ascii_graphic() && !"\"<>\\^`|".contains(c)) {
            return Err("has a character that a URI must percent-encode");
        }
        if !text.contains(['{', '}']) {
            return Ok(Self::Exact);
        }
        let segments: Vec<Segment> = text.split('/').map(Segment::parse).collect::<Result<_, _>>()?;
        Ok(Self::Template(UriTemplate { segments }))
    }
}

impl UriTemplate {
    /// Tells whether some URI fits both.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        let mut segments = self.segments.iter().zip(&other.segments);
        self.segments.len() == other.segments.len() && segments.all(|(one, two)| one.overlaps(two))
    }

    /// Tells whether every URI that fits this one fits the other; `false` where that is not plain.
    pub(crate) fn is_within(&self, other: &Self) -> bool {
        let mut segments = self.segments.iter().zip(&other.segments);
        self.segments.len() == other.segments.len() && segments.all(|(one, two)| one.is_within(two))
    }
}

impl Segment {
    fn parse(text: &str) -> Result<Self, &'static str> {
        let Some((prefix, rest)) = text.split_once('{') else {
            return match text.contains('}') {
                true => Err("closes a variable that was not opened"),
                false => Ok(Self::Literal(text.to_owned())),
            };
        };
        let Some((name, suffix)) = rest.split_once('}') else {
            return Err("has a variable that is not closed before the next `/`");
        };
        let in_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.is_empty() || !name.chars().all(in_name) {
            return Err("has a variable that is no plain name; only `{name}` is supported (RFC 6570 level 1)");
        }
        if prefix.contains('}') {
            return Err("closes a variable that was not opened");
        }
        if suffix.contains(['{', '}']) {
            return Err("has two variables in one segment");
        }
        Ok(Self::Variable {
            prefix: prefix.to_owned(),
            suffix: suffix.to_owned(),
        })
    }

    /// Tells whether the segment of a URI fits.
    pub(crate) fn matches(&self, text: &str) -> bool {
        match self {
            Self::Literal(literal) => literal == text,
            Self::Variable { prefix, suffix } => {
                let value = text
                    .strip_prefix(prefix.as_str())
                    .and_then(|rest| rest.strip_suffix(suffix.as_str()));
                text != "." && text != ".." && value.is_some_and(is_value)
            }
        }
    }

    fn is_within(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Literal(text), other) => other.matches(text),
            (Self::Variable { .. }, Self::Literal(_)) => false,
            (
                Self::Variable { prefix, suffix },
                Self::Variable {
                    prefix: other_prefix,
                    suffix: other_suffix,
                },
            ) => {
                // What the other one's value has around this one's must not make it something that is no value.
                let is_plain = |text: &str| {
                    text.bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || b"-_~".contains(&byte))
                };
                let before = prefix.strip_prefix(other_prefix.as_str());
                let after = suffix.strip_suffix(other_suffix.as_str());
                before.is_some_and(is_plain) && after.is_some_and(is_plain)
            }
        }
    }

    /// Tells whether some segment of a URI fits both.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Literal(text), segment) | (segment, Self::Literal(text)) => segment.matches(text),
            (
                Self::Variable { prefix, suffix },
                Self::Variable {
                    prefix: other_prefix,
                    suffix: other_suffix,
                },
            ) => {
                let begin_alike =
                    prefix.starts_with(other_prefix.as_str()) || other_prefix.starts_with(prefix.as_str());
                let end_alike = suffix.ends_with(other_suffix.as_str()) || other_suffix.ends_with(suffix.as_str());
                begin_alike && end_alike
            }
        }
    }
}

/// Tells whether a text can be the value of a variable: `pchar` of RFC 3986 section 3.3, and nothing that hides a separator.
fn is_value(text: &str) -> bool {
    if text.is_empty() || text == "." || text == ".." {
        return false;
    }
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => {
                let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
                match (digit(bytes.next()), digit(bytes.next())) {
                    // NUL, `.`, `/` and `\`.
                    (Some(0), Some(0)) | (Some(2), Some(14 | 15)) | (Some(5), Some(12)) => return false,
                    (Some(_), Some(_)) => {}
                    _ => return false,
                }
            }
            byte if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&byte) => {}
            _ => return false,
        }
    }
    true
}

/// Returns the bytes that a URI stands for when everything in it is percent-decoded. What is no encoding stays as it is.
pub(crate) fn decoded(uri: &str) -> Vec<u8> {
    let mut rest = uri.as_bytes();
    let mut bytes = Vec::with_capacity(rest.len());
    while let Some((first, behind)) = rest.split_first() {
        let digit = |digit: &u8| {
            char::from(*digit)
                .to_digit(16)
                .and_then(|digit| u8::try_from(digit).ok())
        };
        let byte = match behind {
            [high, low, ..] if *first == b'%' => digit(high).zip(digit(low)).map(|(high, low)| high * 16 + low),
            _ => None,
        };
        bytes.push(byte.unwrap_or(*first));
        rest = match byte {
            Some(_) => behind.get(2..).unwrap_or_default(),
            None => behind,
        };
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(template: &str, uri: &str) -> bool {
        let ResourceName::Template(template) = ResourceName::parse(template).unwrap() else {
            panic!("no template");
        };
        let texts: Vec<&str> = uri.split('/').collect();
        texts.len() == template.segments.len() && template.segments.iter().zip(texts).all(|(s, text)| s.matches(text))
    }

    #[test]
    fn a_variable_matches_one_plain_segment_and_nothing_that_hides_another() {
        let template = "notes://{owner}/{id}";
        for uri in [
            "notes://alice/1",
            "notes://al%20ice/a@b:c",
            "notes://a/...",
            "notes://a/.x",
        ] {
            assert!(matches(template, uri), "{uri}");
        }
        for uri in [
            "notes://alice/1/2",
            "notes://alice/",
            "notes:///1",
            "notes://alice/1?x",
            "notes://alice/1#x",
            "notes://alice/..",
            "notes://alice/.",
            "notes://alice/%2e%2E",
            "notes://alice/%2e.",
            "notes://alice%2Fbob/1",
            "notes://alice%5cbob/1",
            "notes://alice/1%00",
            "notes://alice/1%",
            "notes://alice/1%2",
            "notes://alice/1%zz",
            "notes://alice/ü",
            "notes://alice/a b",
            "NOTES://alice/1",
            " notes://alice/1",
        ] {
            assert!(!matches(template, uri), "{uri}");
        }
        assert!(matches("file:///v{x}.txt", "file:///v1.txt"));
        assert!(!matches("file:///v{x}.txt", "file:///v.txt"));
        assert!(!matches("file:///.{x}", "file:///.."));
    }

    #[test]
    fn a_template_within_another_matches_nothing_else() {
        let template = |text: &str| match ResourceName::parse(text) {
            Ok(ResourceName::Template(template)) => template,
            other => panic!("{other:?}"),
        };
        let table = [
            ("notes://{a}", "notes://{b}", true),
            ("notes://x{a}", "notes://{b}", true),
            ("notes://x{a}.md", "notes://x{b}", false),
            ("notes://x{a}-md", "notes://{b}md", true),
            ("notes://{a}", "notes://x{b}", false),
            ("notes://{a}/1", "notes://{a}/{b}", true),
            ("notes://{a}/{b}", "notes://{a}/1", false),
            ("notes://{a}/..", "notes://{a}/{b}", false),
            ("notes://{a}", "notes://{a}/{b}", false),
            // `%2` and a value that begins with `e` are an encoded dot.
            ("notes://%2{a}", "notes://{b}", false),
        ];
        for (one, two, expected) in table {
            assert_eq!(template(one).is_within(&template(two)), expected, "{one} {two}");
        }
    }

    #[test]
    fn what_is_no_uri_and_no_level_1_template_is_refused() {
        for text in [
            "",
            "notes",
            "://x",
            "1a:x",
            "a b:c",
            "notes:",
            "notes://{a",
            "notes://a}",
            "notes://{}",
            "notes://{a}{b}",
            "notes://{+a}",
            "notes://{a,b}",
            "notes://{a*}",
            "notes://{a:3}",
            "notes://{a/b}",
            "notes://ü",
            "notes://a|b",
            "notes://}{a}",
            "{scheme}://x",
        ] {
            assert!(ResourceName::parse(text).is_err(), "{text}");
        }
    }
}
