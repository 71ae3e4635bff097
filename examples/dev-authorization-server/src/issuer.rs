//! The issuer: the URL that everything else is derived from.

use url::Url;

use crate::loopback::is_loopback;

/// Other names than `localhost` and addresses have no place here, and no path needs to be longer.
const MAX_LENGTH: usize = 256;

/// An issuer identifier (RFC 8414 section 2) on this machine, with or without a path.
#[derive(Debug, Clone)]
pub(crate) struct Issuer {
    text: String,
    /// Empty, or like `/tenant`.
    path: String,
    host: String,
    port: u16,
}

/// Why a text is no issuer of this server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IssuerProblem {
    NotLoopback,
    Form,
}

impl Issuer {
    /// Clients compare the issuer letter by letter (RFC 8414 section 3.3): only the normal form, which has no second spelling, is accepted.
    pub(crate) fn parse(text: &str) -> Result<Self, IssuerProblem> {
        let url = Url::parse(text).map_err(|_| IssuerProblem::Form)?;
        if !is_loopback(&url) {
            return Err(IssuerProblem::NotLoopback);
        }
        let path = match url.path() {
            "/" => "",
            path => path,
        };
        let is_normal = url.scheme() == "http" && format!("{}{path}", url.origin().ascii_serialization()) == text;
        // These characters mean nothing to a router, a cookie or a page.
        let is_plain = path.split('/').skip(1).all(|segment| {
            !segment.is_empty()
                && segment
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
        });
        match (url.host_str(), url.port_or_known_default()) {
            (Some(host), Some(port)) if is_normal && is_plain && text.len() <= MAX_LENGTH => Ok(Self {
                text: text.to_owned(),
                path: path.to_owned(),
                host: host.to_owned(),
                port,
            }),
            _ => Err(IssuerProblem::Form),
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Returns the path of an endpoint, like `/tenant/token` for `/token`.
    pub(crate) fn path(&self, endpoint: &str) -> String {
        format!("{}{endpoint}", self.path)
    }

    /// Returns the URL of an endpoint.
    pub(crate) fn url(&self, endpoint: &str) -> String {
        format!("{}{endpoint}", self.text)
    }

    /// Returns the path of its authorization server metadata: the well-known part goes in front of the issuer's path (RFC 8414 section 3.1).
    pub(crate) fn metadata_path(&self) -> String {
        format!("/.well-known/oauth-authorization-server{}", self.path)
    }

    /// Returns the paths of its OpenID Connect document: behind the issuer's path (OpenID Connect Discovery section 4), and in front of it
    /// as RFC 8414 section 5 transforms it; MCP clients look for both.
    pub(crate) fn openid_paths(&self) -> Vec<String> {
        let name = "/.well-known/openid-configuration";
        let mut paths = vec![self.path(name), format!("{name}{}", self.path)];
        paths.dedup();
        paths
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_normal_form_of_a_loopback_url_is_an_issuer() {
        use IssuerProblem::{Form, NotLoopback};
        for (issuer, problem) in [
            ("http://localhost:3002", None),
            ("http://localhost", None),
            ("http://127.0.0.1:3002", None),
            ("http://[::1]:3002/a", None),
            ("http://localhost:3002/tenant", None),
            ("http://localhost:3002/realms/todo_1.x", None),
            ("http://localhost:3002/", Some(Form)),
            ("http://localhost:3002/tenant/", Some(Form)),
            ("http://localhost:3002//tenant", Some(Form)),
            ("http://localhost:3002/a/../tenant", Some(Form)),
            ("http://localhost:3002/{tenant}", Some(Form)),
            ("http://localhost:3002/a%20b", Some(Form)),
            ("http://localhost:3002/a;b", Some(Form)),
            ("http://localhost:3002/tenant?x=1", Some(Form)),
            ("http://localhost:3002/tenant#x", Some(Form)),
            ("http://user@localhost:3002", Some(Form)),
            ("http://LOCALHOST:3002", Some(Form)),
            ("http://localhost:80", Some(Form)),
            ("https://localhost:3002", Some(Form)),
            ("", Some(Form)),
            ("https://issuer.example/tenant", Some(NotLoopback)),
        ] {
            assert_eq!(Issuer::parse(issuer).err(), problem, "{issuer}");
        }
        let long = format!("http://localhost:3002/{}", "a".repeat(256));
        assert_eq!(Issuer::parse(&long).err(), Some(Form));
    }

    #[test]
    fn each_document_has_the_path_of_its_specification() {
        let issuer = Issuer::parse("http://localhost:3002/tenant").unwrap();
        assert_eq!(issuer.metadata_path(), "/.well-known/oauth-authorization-server/tenant");
        assert_eq!(
            issuer.openid_paths(),
            [
                "/tenant/.well-known/openid-configuration",
                "/.well-known/openid-configuration/tenant"
            ]
        );
        let issuer = Issuer::parse("http://localhost:3002").unwrap();
        assert_eq!(issuer.openid_paths(), ["/.well-known/openid-configuration"]);
    }
}
