//! `Authorization` header → bearer token (RFC 6750 section 2.1), the only place a token is read from.

use http::{HeaderMap, header::AUTHORIZATION};

use crate::BearerToken;

/// Why a request carries no usable bearer token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoToken {
    /// No `Authorization` header.
    Absent,
    /// A scheme other than `Bearer`: like no credentials at all (RFC 6750 section 3.1).
    OtherScheme,
    /// `Bearer` and nothing behind it.
    Missing,
    /// More than one header, more than one token, or characters outside `b64token`; a sentence for the client.
    Malformed(&'static str),
}

/// Reads exactly one bearer token.
///
/// A token in the query string or in a form body is never looked at: MCP forbids both.
pub(crate) fn bearer_token(headers: &HeaderMap) -> Result<BearerToken, NoToken> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Err(NoToken::Absent);
    };
    if values.next().is_some() {
        return Err(NoToken::Malformed("The request has more than one Authorization header"));
    }
    let Ok(value) = value.to_str() else {
        return Err(NoToken::Malformed("The Authorization header is not ASCII"));
    };
    let (scheme, rest) = value.split_once(' ').unwrap_or((value, ""));
    if !scheme.eq_ignore_ascii_case("Bearer") {
        return Err(NoToken::OtherScheme);
    }
    // RFC 9110 section 11.6.2 allows one or more spaces between scheme and token.
    match rest.trim_matches(' ') {
        "" => Err(NoToken::Missing),
        token if is_b64token(token) => Ok(BearerToken::new(token)),
        _ => Err(NoToken::Malformed("The Authorization header is not one bearer token")),
    }
}

/// RFC 6750 section 2.1: `1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="`.
fn is_b64token(token: &str) -> bool {
    let body = token.trim_end_matches('=');
    !body.is_empty()
        && body
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-._~+/".contains(&b))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn read(values: &[&[u8]]) -> Result<String, &'static str> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, HeaderValue::from_bytes(value).unwrap());
        }
        match bearer_token(&headers) {
            Ok(token) => Ok(token.dangerous_raw_token().to_owned()),
            Err(NoToken::Absent) => Err("absent"),
            Err(NoToken::OtherScheme) => Err("other scheme"),
            Err(NoToken::Missing) => Err("missing"),
            Err(NoToken::Malformed(_)) => Err("malformed"),
        }
    }

    #[test]
    fn authorization_header_grammar() {
        type Row = (&'static [&'static [u8]], Result<&'static str, &'static str>);
        let table: &[Row] = &[
            (&[], Err("absent")),
            (&[b"Basic YTpi"], Err("other scheme")),
            (&[b"BearerX abc"], Err("other scheme")),
            (&[b"DPoP abc"], Err("other scheme")),
            (&[b""], Err("other scheme")),
            (&[b"Bearer abc"], Ok("abc")),
            (&[b"bearer abc"], Ok("abc")),
            (&[b"BEARER   a.b-c_d~e+f/g=="], Ok("a.b-c_d~e+f/g==")),
            (&[b"Bearer"], Err("missing")),
            (&[b"Bearer "], Err("missing")),
            (&[b"Bearer ="], Err("malformed")),
            (&[b"Bearer a b"], Err("malformed")),
            (&[b"Bearer a,b"], Err("malformed")),
            (&[b"Bearer a=b"], Err("malformed")),
            (&[b"Bearer\tabc"], Err("other scheme")),
            (&[b"Bearer \xc3\xa9"], Err("malformed")),
            (&[b"Bearer a", b"Bearer a"], Err("malformed")),
            (&[b"Basic YTpi", b"Bearer a"], Err("malformed")),
        ];
        for (headers, expected) in table {
            assert_eq!(read(headers), expected.map(str::to_owned), "{headers:?}");
        }
    }
}
