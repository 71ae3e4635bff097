//! The people one can sign in as, and what their roles give them.

use mcp_auth_policy::Policy;

use crate::builder::BuildError;

/// Somebody to sign in as, without a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DemoUser {
    /// The `sub` claim of the tokens. The same after every restart, so that what a user owns stays owned. Letters, digits, `-`, `_` and
    /// `.` only, at most 64.
    pub subject: String,
    /// The name on the sign-in page, and the `name` claim at the userinfo endpoint.
    pub name: String,
    /// The scopes of the user's role. Beside them a token has only `openid`, `profile` and `email`, if the client requests them by name.
    pub scopes: Vec<String>,
}

/// A scope as the sign-in page explains it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopeDescription {
    /// The scope token (RFC 6749 section 3.3).
    pub name: String,
    /// What it allows, in words for the person who consents.
    pub about: Option<String>,
}

impl DemoUser {
    /// Returns the scopes a token gets: those requested that the user's role has, or all of the role's when the client requested none
    /// (RFC 6749 section 3.3 leaves that default to the server). Then the requested ones of OpenID Connect, which everybody has.
    #[must_use]
    pub fn granted(&self, requested: Option<&[String]>) -> Vec<String> {
        let of_role = self
            .scopes
            .iter()
            .filter(|scope| requested.is_none_or(|requested| requested.contains(scope)))
            .cloned();
        let of_everybody = identity_scopes()
            .map(|scope| scope.name)
            .filter(|scope| !self.scopes.contains(scope))
            .filter(|scope| requested.is_some_and(|requested| requested.contains(scope)));
        of_role.chain(of_everybody).collect()
    }
}

/// Returns the scopes that say who somebody is (OpenID Connect Core section 5.4), and nothing about what the role allows.
pub(crate) fn identity_scopes() -> impl Iterator<Item = ScopeDescription> {
    [
        ("openid", "Know that it is you"),
        ("profile", "Know your name"),
        ("email", "Know your e-mail address"),
    ]
    .into_iter()
    .map(|(name, about)| ScopeDescription {
        name: name.to_owned(),
        about: Some(about.to_owned()),
    })
}

/// The demo users of a policy: subject, name, role.
const DEFAULT_USERS: [(&str, &str, &str); 3] = [
    ("alice", "Alice", "user"),
    ("bob", "Bob", "user"),
    ("admin", "Admin", "admin"),
];

/// Returns alice and bob with the policy's role `user`, and admin with its role `admin`; without those whose role the policy does not declare.
///
/// A policy without roles, and without scopes that one could give, has all three. Any other needs one of the roles: nobody could sign in for more
/// than an empty token.
pub(crate) fn users_of(policy: &Policy) -> Result<Vec<DemoUser>, BuildError> {
    let of_roles = DEFAULT_USERS.into_iter().filter_map(|(subject, name, role)| {
        let scopes = policy.scopes_of_role(role)?;
        Some(demo_user(subject, name, scopes))
    });
    let users: Vec<DemoUser> = of_roles.collect();
    if !users.is_empty() {
        return Ok(users);
    }
    if has_use_for_roles(policy) {
        return Err(no_role(policy, "`user` or `admin`"));
    }
    let of_everybody = DEFAULT_USERS.into_iter();
    Ok(of_everybody
        .map(|(subject, name, _)| demo_user(subject, name, Vec::new()))
        .collect())
}

/// Returns somebody with a role of the policy.
pub(crate) fn user_of(policy: &Policy, subject: &str, role: &str) -> Result<DemoUser, BuildError> {
    match policy.scopes_of_role(role) {
        Some(scopes) => Ok(demo_user(subject, subject, scopes)),
        None => Err(no_role(policy, &format!("`{}`", role.escape_debug()))),
    }
}

fn demo_user(subject: &str, name: &str, scopes: Vec<&str>) -> DemoUser {
    DemoUser {
        subject: subject.to_owned(),
        name: name.to_owned(),
        scopes: owned(scopes),
    }
}

fn has_use_for_roles(policy: &Policy) -> bool {
    let is_of_everybody = |name: &str| identity_scopes().any(|scope| scope.name == name);
    policy.roles().next().is_some() || policy.scopes().any(|scope| !is_of_everybody(scope.name()))
}

fn no_role(policy: &Policy, wanted: &str) -> BuildError {
    let roles: Vec<&str> = policy.roles().collect();
    BuildError::NoRole {
        policy: policy.file_name().to_owned(),
        wanted: wanted.to_owned(),
        roles: owned(roles),
    }
}

/// Returns the scopes of a policy in the order of its file.
pub(crate) fn scopes_of(policy: &Policy) -> Vec<ScopeDescription> {
    policy
        .scopes()
        .map(|scope| ScopeDescription {
            name: scope.name().to_owned(),
            about: scope.about().map(str::to_owned),
        })
        .collect()
}

fn owned(names: Vec<&str>) -> Vec<String> {
    names.into_iter().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn granted_scopes_are_those_requested_that_the_role_has() {
        let alice = DemoUser {
            subject: "alice".to_owned(),
            name: "Alice".to_owned(),
            scopes: owned(vec!["a", "b"]),
        };
        for (requested, granted) in [
            (None, vec!["a", "b"]),
            (Some(vec!["b", "a"]), vec!["a", "b"]),
            (Some(vec!["b", "c"]), vec!["b"]),
            (Some(vec!["c"]), vec![]),
            (Some(vec!["email", "b", "openid"]), vec!["b", "openid", "email"]),
        ] {
            assert_eq!(alice.granted(requested.map(owned).as_deref()), granted);
        }
    }
}
