//! Redirect URIs: which may be registered, and which request matches a registered one.

use url::Url;

use crate::loopback::is_loopback;

const MAX_LENGTH: usize = 2048;

/// A redirect URI that a client may register: `https`, `http` to loopback (RFC 8252 section 7.3), or a private-use scheme with a dot in its
/// name (RFC 8252 section 7.1, which keeps `javascript:` and the like out).
#[derive(Debug, Clone)]
pub(crate) struct RedirectUri {
    /// As the client wrote it. Comparison is on this text.
    text: String,
    url: Url,
}

impl RedirectUri {
    /// # Errors
    /// What is wrong with it, as the end of a sentence that begins with the URI.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        if text.len() > MAX_LENGTH {
            return Err("is longer than 2048 characters");
        }
        // The characters of RFC 3986. The URL parser forgives others (it drops line breaks and turns a backslash into a slash), and a
        // text that two programs read differently has no place here.
        if !text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-._~:/?[]@!$&'()*+,;=%#".contains(&b))
        {
            return Err("has a character that no URI may have");
        }
        let url = Url::parse(text).map_err(|_| "is not an absolute URI")?;
        if text.contains('#') {
            return Err("has a fragment, which RFC 6749 section 3.1.2 forbids");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("has a user name or password");
        }
        // What the URL parser lets into a host could add words to a content security policy.
        let plain = |host: &str| host.bytes().all(|b| b.is_ascii_alphanumeric() || b".-[]:".contains(&b));
        if !url.host_str().is_none_or(plain) {
            return Err("has a host with other characters than letters, digits, `.` and `-`");
        }
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(&url) => {}
            "http" => return Err("is http to another machine; use https, or http to localhost"),
            scheme if scheme.contains('.') => {}
            _ => {
                return Err("must be https, http to localhost, or a private-use scheme with a dot in its name");
            }
        }
        Ok(Self {
            text: text.to_owned(),
            url,
        })
    }

    /// Tells whether a request for `requested` is one for this registered URI: the same text, except that the port of an http loopback URI
    /// may differ, because native apps listen on whatever port is free (RFC 8252 section 7.3; `localhost` included, as clients use it).
    pub(crate) fn admits(&self, requested: &Self) -> bool {
        self.text == requested.text
            || matches!(
                (self.without_loopback_port(), requested.without_loopback_port()),
                (Some(registered), Some(requested)) if registered == requested
            )
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    /// Returns what a person should look at before consenting: the host with its port, or the private-use scheme.
    pub(crate) fn destination(&self) -> String {
        match (self.url.host_str(), self.url.port()) {
            (Some(host), Some(port)) if self.is_http() => format!("{host}:{port}"),
            (Some(host), None) if self.is_http() => host.to_owned(),
            _ => format!("the app that handles {}:", self.url.scheme()),
        }
    }

    /// Returns the source for `form-action` in a content security policy: browsers apply it to where a form's answer redirects, too.
    pub(crate) fn csp_source(&self) -> String {
        match self.url.host_str() {
            // The grammar of a host source has no IPv6 addresses, so only the scheme can be named.
            Some(host) if self.is_http() && !host.starts_with('[') => self.url.origin().ascii_serialization(),
            _ => format!("{}:", self.url.scheme()),
        }
    }

    fn is_http(&self) -> bool {
        matches!(self.url.scheme(), "http" | "https")
    }

    fn without_loopback_port(&self) -> Option<Url> {
        let mut url = self.url.clone();
        (url.scheme() == "http" && is_loopback(&url)).then_some(())?;
        url.set_port(None).ok()?;
        Some(url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_safe_redirect_uris_can_be_registered() {
        for (uri, accepted) in [
            ("https://app.example/callback", true),
            ("https://a;script-src/callback", false),
            ("https://a,b/callback", false),
            ("https://*/callback", false),
            ("http://localhost:6274/oauth/callback?x=1", true),
            ("http://127.0.0.1/callback", true),
            ("http://[::1]:5000/callback", true),
            ("com.example.app:/callback", true),
            ("com.example.app://callback", true),
            ("http://app.example/callback", false),
            ("http://localhost.example/callback", false),
            ("https://app.example/callback#part", false),
            ("https://user@app.example/callback", false),
            ("https://app.example\\@evil.example/", false),
            ("https://app.example/a b", false),
            ("java\nscript:alert(1)", false),
            ("javascript:alert(1)", false),
            ("data:text/html,hello", false),
            ("myapp:/callback", false),
            ("/callback", false),
            ("", false),
        ] {
            assert_eq!(RedirectUri::parse(uri).is_ok(), accepted, "{uri}");
        }
        assert!(RedirectUri::parse(&format!("https://app.example/{}", "a".repeat(2048))).is_err());
    }

    #[test]
    fn only_the_port_of_a_loopback_uri_may_vary() {
        for (registered, requested, admitted) in [
            ("https://app.example/cb", "https://app.example/cb", true),
            ("https://app.example/cb", "https://app.example/cb/", false),
            ("https://app.example/cb", "https://app.example/cb?x=1", false),
            ("https://app.example/cb", "https://app.example:8443/cb", false),
            ("https://app.example/cb", "https://evil.example/cb", false),
            ("http://127.0.0.1/cb", "http://127.0.0.1:51004/cb", true),
            ("http://localhost:3000/cb", "http://localhost:3001/cb", true),
            ("http://[::1]:3000/cb", "http://[::1]:3001/cb", true),
            ("http://localhost:3000/cb", "http://127.0.0.1:3000/cb", false),
            ("http://localhost:3000/cb", "http://localhost:3001/other", false),
            ("http://localhost:3000/cb", "https://localhost:3001/cb", false),
            ("com.example.app:/cb", "com.example.app:/cb2", false),
        ] {
            let (registered, requested) = (
                RedirectUri::parse(registered).unwrap(),
                RedirectUri::parse(requested).unwrap(),
            );
            assert_eq!(registered.admits(&requested), admitted, "{registered:?} {requested:?}");
        }
    }
}
