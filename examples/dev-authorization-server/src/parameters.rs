//! The parameters of an OAuth request, from a query or a form.

use axum::extract::{RawForm, rejection::RawFormRejection};
use url::form_urlencoded;

use crate::oauth_error::{OAuthError, invalid_request};

/// Decoded parameters. One without a value counts as absent (RFC 6749 section 3.1).
#[derive(Debug)]
pub(crate) struct Parameters(Vec<(String, String)>);

/// A parameter that was sent twice, which RFC 6749 section 3.1 forbids: two readers could believe different ones.
#[derive(Debug)]
pub(crate) struct RepeatedParameter(pub(crate) String);

impl Parameters {
    /// Decodes `application/x-www-form-urlencoded` text. Only `resource` may be repeated (RFC 8707 section 2).
    pub(crate) fn parse(form: &[u8]) -> Result<Self, RepeatedParameter> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for (name, value) in form_urlencoded::parse(form) {
            if name != "resource" && pairs.iter().any(|(known, _)| *known == name) {
                return Err(RepeatedParameter(name.into_owned()));
            }
            pairs.push((name.into_owned(), value.into_owned()));
        }
        Ok(Self(pairs))
    }

    /// Decodes the body of a request to an endpoint for programs.
    pub(crate) fn of_form(form: Result<RawForm, RawFormRejection>) -> Result<Self, OAuthError> {
        let RawForm(form) = form
            .map_err(|_| invalid_request("send the parameters as application/x-www-form-urlencoded, at most 16 KiB"))?;
        Self::parse(&form).map_err(|_| invalid_request("a parameter was sent twice"))
    }

    pub(crate) fn required(&self, name: &'static str) -> Result<&str, OAuthError> {
        self.get(name)
            .ok_or_else(|| invalid_request(format!("`{name}` is missing")))
    }

    /// Returns the requested scopes (RFC 6749 section 3.3), or nothing if the request names none.
    pub(crate) fn scopes(&self) -> Option<Vec<String>> {
        let scopes = self.get("scope")?.split(' ').filter(|scope| !scope.is_empty());
        Some(scopes.map(str::to_owned).collect())
    }

    pub(crate) fn get(&self, name: &'static str) -> Option<&str> {
        self.all(name).next()
    }

    pub(crate) fn all(&self, name: &'static str) -> impl Iterator<Item = &str> {
        self.0
            .iter()
            .filter(move |(known, value)| known == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_resource_may_be_repeated() {
        let parameters = Parameters::parse(b"resource=a&resource=b&scope=x").unwrap();
        assert_eq!(parameters.all("resource").collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(Parameters::parse(b"state=a&state=b").unwrap_err().0, "state");
    }

    #[test]
    fn an_empty_parameter_is_absent() {
        assert_eq!(Parameters::parse(b"scope=&state=s").unwrap().get("scope"), None);
    }
}
