//! What a server is made of, and every way in which that can be wrong.

use std::{collections::HashSet, time::Duration};

use mcp_auth_policy::Policy;
use url::Url;

use crate::{
    access_token::AccessTokenFormat,
    demo_user::{self, DemoUser, ScopeDescription},
    introspection_client::IntrospectionClient,
    issuer::{Issuer, IssuerProblem},
    loopback::is_loopback,
    resource::Resource,
    server::{DevelopmentAuthorizationServer, Settings},
    signing_key::Algorithm,
    signing_keys,
};

const DEFAULT_ACCESS_TOKEN_LIFETIME: Duration = Duration::from_secs(3600);
const MAX_ACCESS_TOKEN_LIFETIME: Duration = Duration::from_secs(24 * 3600);

/// Collects the parts of a [`DevelopmentAuthorizationServer`]. An issuer, a resource and a user are necessary.
#[derive(Debug, Clone)]
#[must_use]
pub struct Builder {
    issuer: String,
    resources: Vec<String>,
    users: Vec<DemoUser>,
    scopes: Vec<ScopeDescription>,
    introspection_clients: Vec<IntrospectionClient>,
    algorithm: Algorithm,
    access_token_lifetime: Duration,
    access_token_format: AccessTokenFormat,
    rotation: Option<Duration>,
    /// Found before `build`, which returns it.
    mistake: Option<BuildError>,
}

/// Why a server cannot be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The issuer is not the URL of a plain http server in its normal form.
    #[error(
        "the issuer `{0}` is not a URL like `http://localhost:3002` or `http://localhost:3002/tenant` (http, a host in lower case, no final \
         slash, and a path of letters, digits, `-`, `_` and `.` only)"
    )]
    Issuer(String),
    /// A resource is not an absolute URI as RFC 8707 section 2 wants it.
    #[error("the resource `{0}` is not an absolute http URI without fragment, like `http://localhost:3001`")]
    Resource(String),
    /// The issuer or a resource is not on this machine.
    #[error(
        "the {role} `{url}` is not on this machine, and this authorization server signs anybody in without a password: use localhost, \
         or give your server the issuer of a real authorization server (`--issuer`)"
    )]
    NotLoopback {
        /// `issuer` or `resource`.
        role: &'static str,
        /// As it was given.
        url: String,
    },
    /// No resource was given.
    #[error("no resource is configured: name the MCP server that tokens are for, like `http://localhost:3001`")]
    NoResource,
    /// No user was given.
    #[error("no demo user is configured: take those of a policy, or add one")]
    NoUser,
    /// A subject is empty, too long, has other characters than letters, digits, `-`, `_` and `.`, or occurs twice.
    #[error(
        "the subject `{0}` cannot be used: a subject has 1 to 64 letters, digits, `-`, `_` or `.`, and only one user"
    )]
    Subject(String),
    /// A scope is not a scope token of RFC 6749 section 3.3.
    #[error(
        "the scope `{0}` is not a scope token (RFC 6749 section 3.3): use printable ASCII without space, `\"` and `\\`"
    )]
    Scope(String),
    /// A client id or secret for introspection has not 1 to 256 printable ASCII characters, or the client id occurs twice.
    #[error(
        "the introspection client `{0}` cannot be used: its id and its secret have 1 to 256 printable ASCII characters each, and every \
         client has its own id"
    )]
    IntrospectionClient(String),
    /// Access tokens would live for less than a second or for more than a day.
    #[error("the lifetime of access tokens is {} s: use 1 second to 24 hours", .0.as_secs())]
    AccessTokenLifetime(Duration),
    /// The signing key would change so often that a key were gone from the key set before the tokens that it signed.
    #[error(
        "the signing key would change every {} s: with this lifetime of access tokens, use {} s or more", .period.as_secs(), .shortest.as_secs()
    )]
    KeyRotation {
        /// As it was configured.
        period: Duration,
        /// The shortest that is possible.
        shortest: Duration,
    },
    /// The policy has none of the roles that its users are to have.
    #[error("the policy `{policy}` has no role {wanted}; {}", existing(.roles))]
    NoRole {
        /// The policy's file.
        policy: String,
        /// The role, or the roles one of which is needed, each in backticks.
        wanted: String,
        /// The roles that the policy has.
        roles: Vec<String>,
    },
    /// The operating system gave no random bytes.
    #[error("cannot make a signing key: the operating system gave no random bytes")]
    SigningKey,
}

impl Builder {
    pub(crate) fn new() -> Self {
        Self {
            issuer: String::new(),
            resources: Vec::new(),
            users: Vec::new(),
            scopes: Vec::new(),
            introspection_clients: Vec::new(),
            algorithm: Algorithm::default(),
            access_token_lifetime: DEFAULT_ACCESS_TOKEN_LIFETIME,
            access_token_format: AccessTokenFormat::default(),
            rotation: None,
            mistake: None,
        }
    }

    /// Sets the issuer: the URL the server is reached at, with the port it listens on, exactly as resource servers are configured. With a
    /// path, like that of a tenant or realm at other providers, all endpoints are below it.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = issuer.into();
        self
    }

    /// Adds a resource that tokens can be issued for; its text becomes their audience. With exactly one, a client need not name it.
    pub fn resource(mut self, resource: impl Into<String>) -> Self {
        self.resources.push(resource.into());
        self
    }

    /// Adds alice and bob with the policy's role `user`, admin with its role `admin`, and the policy's descriptions of scopes.
    ///
    /// Who would have a role that the policy does not declare is left out. If that is everybody, [`build`](Self::build) fails; use
    /// [`user_with_role`](Self::user_with_role) for a policy with other roles.
    pub fn users_from_policy(mut self, policy: &Policy) -> Self {
        match demo_user::users_of(policy) {
            Ok(users) => self.users.extend(users),
            Err(mistake) => self.mistake = self.mistake.or(Some(mistake)),
        }
        self.scopes.extend(demo_user::scopes_of(policy));
        self
    }

    /// Adds a user with a role of a policy, and the policy's descriptions of scopes.
    pub fn user_with_role(mut self, policy: &Policy, subject: &str, role: &str) -> Self {
        match demo_user::user_of(policy, subject, role) {
            Ok(user) => self.users.push(user),
            Err(mistake) => self.mistake = self.mistake.or(Some(mistake)),
        }
        self.scopes.extend(demo_user::scopes_of(policy));
        self
    }

    /// Adds a user.
    pub fn user(mut self, user: DemoUser) -> Self {
        self.users.push(user);
        self
    }

    /// Adds a scope with its description. A user's scope need not be described.
    pub fn scope(mut self, scope: ScopeDescription) -> Self {
        self.scopes.push(scope);
        self
    }

    /// Lets a resource server with this client id and secret ask what access tokens stand for (RFC 7662). Without any, nobody can.
    pub fn introspection_client(mut self, client_id: impl Into<String>, client_secret: impl Into<String>) -> Self {
        let client = IntrospectionClient::new(client_id.into(), client_secret.into());
        self.introspection_clients.push(client);
        self
    }

    /// Sets the algorithm that signs access tokens. Default ES256.
    pub fn algorithm(mut self, algorithm: Algorithm) -> Self {
        self.algorithm = algorithm;
        self
    }

    /// Sets how long access tokens are valid. Default one hour, at least a second, at most 24 hours; fractions of seconds are dropped.
    pub fn access_token_lifetime(mut self, lifetime: Duration) -> Self {
        self.access_token_lifetime = lifetime;
        self
    }

    /// Sets what access tokens look like. Default JWT.
    pub fn access_token_format(mut self, format: AccessTokenFormat) -> Self {
        self.access_token_format = format;
        self
    }

    /// Makes a new signing key again and again while it serves; the key set shows old keys until their tokens have expired. Default never.
    pub fn rotate_signing_key_every(mut self, period: Duration) -> Self {
        self.rotation = Some(period);
        self
    }

    /// Makes the signing key and the server.
    ///
    /// # Errors
    /// When a necessary part is missing or a part is not valid, above all when the issuer or a resource is not on this machine.
    pub fn build(self) -> Result<DevelopmentAuthorizationServer, BuildError> {
        let issuer = issuer(&self.issuer)?;
        let resources = resources(self.resources)?;
        if let Some(mistake) = self.mistake {
            return Err(mistake);
        }
        check_users(&self.users)?;
        check_introspection_clients(&self.introspection_clients)?;
        let scopes = described_scopes(self.scopes, &self.users)?;
        let lifetime = self.access_token_lifetime;
        if lifetime.as_secs() == 0 || lifetime > MAX_ACCESS_TOKEN_LIFETIME {
            return Err(BuildError::AccessTokenLifetime(lifetime));
        }
        if let Some(period) = self
            .rotation
            .filter(|period| *period < signing_keys::shortest_rotation(lifetime))
        {
            return Err(BuildError::KeyRotation {
                period,
                shortest: signing_keys::shortest_rotation(lifetime),
            });
        }
        let key = signing_keys::generate(self.algorithm).map_err(|_| BuildError::SigningKey)?;
        let settings = Settings {
            issuer,
            resources,
            users: self.users,
            scopes,
            introspection_clients: self.introspection_clients,
            access_token_lifetime: lifetime,
            access_token_format: self.access_token_format,
            rotation: self.rotation,
        };
        Ok(DevelopmentAuthorizationServer::new(settings, key))
    }
}

/// What to write instead of a role that a policy does not have.
fn existing(roles: &[String]) -> String {
    match roles {
        [] => "it has no roles at all: declare one, like `roles: { user: { scopes: […] } }`".to_owned(),
        [first, ..] => format!(
            "its roles are `{}`: say who has which, as in `dev-authorization-server serve --user alice={first}`",
            roles.join("`, `")
        ),
    }
}

fn issuer(text: &str) -> Result<Issuer, BuildError> {
    Issuer::parse(text).map_err(|problem| match problem {
        IssuerProblem::NotLoopback => BuildError::NotLoopback {
            role: "issuer",
            url: text.to_owned(),
        },
        IssuerProblem::Form => BuildError::Issuer(text.to_owned()),
    })
}

fn resources(resources: Vec<String>) -> Result<Vec<Resource>, BuildError> {
    if resources.is_empty() {
        return Err(BuildError::NoResource);
    }
    resources
        .into_iter()
        .map(|text| match Url::parse(&text) {
            Ok(url) if !matches!(url.scheme(), "http" | "https") || url.fragment().is_some() => {
                Err(BuildError::Resource(text))
            }
            Ok(url) if is_loopback(&url) => Ok(Resource::new(text, &url)),
            Ok(_) => Err(BuildError::NotLoopback {
                role: "resource",
                url: text,
            }),
            Err(_) => Err(BuildError::Resource(text)),
        })
        .collect()
}

fn check_users(users: &[DemoUser]) -> Result<(), BuildError> {
    let mut known = HashSet::new();
    let is_valid = |subject: &str| {
        (1..=64).contains(&subject.len())
            && subject
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    };
    match users
        .iter()
        .find(|user| !is_valid(&user.subject) || !known.insert(&user.subject))
    {
        Some(user) => Err(BuildError::Subject(user.subject.clone())),
        None if users.is_empty() => Err(BuildError::NoUser),
        None => Ok(()),
    }
}

fn check_introspection_clients(clients: &[IntrospectionClient]) -> Result<(), BuildError> {
    let mut known = HashSet::new();
    let refused = clients
        .iter()
        .find(|client| !client.is_valid() || !known.insert(client.client_id()));
    match refused {
        Some(client) => Err(BuildError::IntrospectionClient(
            client.client_id().escape_debug().to_string(),
        )),
        None => Ok(()),
    }
}

/// Returns the described scopes, the users' others, then those of OpenID Connect, each once.
fn described_scopes(described: Vec<ScopeDescription>, users: &[DemoUser]) -> Result<Vec<ScopeDescription>, BuildError> {
    let of_openid: Vec<ScopeDescription> = demo_user::identity_scopes().collect();
    let undescribed = users
        .iter()
        .flat_map(|user| &user.scopes)
        .filter(|name| of_openid.iter().all(|scope| scope.name != **name))
        .map(|name| ScopeDescription {
            name: name.clone(),
            about: None,
        });
    let mut scopes: Vec<ScopeDescription> = Vec::new();
    for scope in described.into_iter().chain(undescribed).chain(of_openid.clone()) {
        if !is_scope_token(&scope.name) {
            return Err(BuildError::Scope(scope.name));
        }
        if !scopes.iter().any(|known| known.name == scope.name) {
            scopes.push(scope);
        }
    }
    Ok(scopes)
}

fn is_scope_token(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\')
}
