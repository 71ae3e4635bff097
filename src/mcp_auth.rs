//! The entry point: from configuration to layers and routers.

use std::{fmt, num::NonZeroU64, sync::Arc};

use axum::Router;
use mcp_auth_policy::Policy;
use serde_json::Value;
use tower_layer::Stack;

use crate::{
    bearer::{BearerAuthLayer, ProtectedResource},
    decision_record::{DecisionLog, Decisions},
    error::ConfigError,
    gate::McpGateLayer,
    hook::{DecisionView, Hook, Verdict},
    metadata::{OFFLINE_ACCESS, ProtectedResourceMetadata, ProtectedResourceMetadataBuilder},
    origin::AllowedOrigins,
    policy_handle::PolicyHandle,
    principal_seal::PrincipalSeal,
    scope_token::is_scope_token,
    secure_url,
    status::Status,
    verify::{AccessTokenVerifier, AuthorizationServer, CustomVerifier, StoredVerifier},
};

/// Everything that protects one resource: the layers to put around your service and the router to serve beside it.
///
/// ```
/// use mcp_auth::{AuthorizationServer, McpAuth, Policy};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let policy = Policy::parse("version: 1\nscopes: { \"read:notes\": Read notes }\ntools: { read-note: { requires: \"read:notes\" } }")?;
/// let auth = McpAuth::builder("http://localhost:3001")
///     .authorization_server(AuthorizationServer::new("https://login.example.org")?)
///     .policy(policy)
///     .build()?;
/// let app = axum::Router::new()
///     .route("/", axum::routing::post(async || "hello"))
///     .layer(auth.bearer_layer())
///     .merge(auth.metadata_router());
/// # let _: axum::Router = app;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct McpAuth {
    resource: Arc<ProtectedResource>,
    gate: McpGateLayer,
    seal: PrincipalSeal,
    metadata: ProtectedResourceMetadata,
}

impl McpAuth {
    /// Begins the configuration of one protected resource, named by its URL: the address that clients call (RFC 8707 section 2).
    ///
    /// The URL is published as written here, and a token's audience has to equal it letter by letter. One exception: a URL without a path
    /// (`https://mcp.example.com`) is also accepted with one slash at its end, and the other way round, because URL types of several languages
    /// add it.
    pub fn builder(resource: impl Into<String>) -> McpAuthBuilder {
        McpAuthBuilder::new(resource.into())
    }

    /// Returns the layer for any axum route: it verifies the token and gives handlers [`AuthInfo`](crate::AuthInfo) and
    /// [`Caller`](crate::Caller).
    #[must_use]
    pub fn bearer_layer(&self) -> BearerAuthLayer {
        BearerAuthLayer::new(Arc::clone(&self.resource))
    }

    /// Returns the layer for an MCP endpoint: the bearer layer, then the tool gate and the binding of sessions to their principal.
    ///
    /// Without a policy there is no gate, only authentication. With one that was never audited
    /// ([`PolicyHandle::require_audit_of`](crate::PolicyHandle::require_audit_of)), a warning says so; a server that is not built with `rmcp` gets
    /// rid of it by leaving out that feature.
    #[must_use]
    pub fn mcp_layer(&self) -> Stack<McpGateLayer, BearerAuthLayer> {
        #[cfg(feature = "rmcp")]
        if let Some(policy) = &self.resource.policy {
            policy.warn_if_not_audited(self.resource.verifier.resource());
        }
        Stack::new(self.gate.clone(), self.bearer_layer())
    }

    /// Returns the router of the protected resource metadata (RFC 9728). Public: merge it beside the protected routes, never below the layer.
    pub fn metadata_router(&self) -> Router {
        self.metadata.router()
    }

    /// Returns one such router for several resources of this process.
    ///
    /// # Errors
    /// When two of them have one metadata URL.
    pub fn metadata_router_of<'a>(resources: impl IntoIterator<Item = &'a Self>) -> Result<Router, ConfigError> {
        ProtectedResourceMetadata::router_of(resources.into_iter().map(Self::metadata))
    }

    /// Returns the protected resource metadata as served.
    #[must_use]
    pub fn metadata(&self) -> &ProtectedResourceMetadata {
        &self.metadata
    }

    /// Returns the hosts that requests may name, for a transport that checks `Host` too.
    #[must_use]
    pub fn allowed_hosts(&self) -> &[String] {
        self.resource.origins.hosts()
    }

    /// Returns what seals session ids for their principals, for `requestState`, handles and other texts that clients bring back.
    ///
    /// Task ids have to be sealed for the purpose `task`: `tasks/get` and the like of any other id are answered "Task not found".
    #[must_use]
    pub fn seal(&self) -> &PrincipalSeal {
        &self.seal
    }

    /// Returns which policy is in force, what went wrong at its last reload, and how many calls were decided.
    #[must_use]
    pub fn status(&self) -> Status {
        let policy = self.resource.policy.as_ref().map(PolicyHandle::status);
        Status::new(policy, self.resource.decisions.counts())
    }
}

/// Configures one protected resource; [`McpAuth::builder`] begins one.
#[derive(Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct McpAuthBuilder {
    resource: String,
    authorization_servers: Vec<AuthorizationServer>,
    audiences: Vec<String>,
    custom_verifier: Option<StoredVerifier>,
    keep_token: bool,
    policy: Option<PolicyHandle>,
    hook: Option<Hook>,
    decision_log: Option<DecisionLog>,
    denials_per_record: Option<NonZeroU64>,
    scopes_supported: Option<Vec<String>>,
    metadata: ProtectedResourceMetadataBuilder,
    required_scopes: Vec<String>,
    allowed_hosts: Vec<String>,
    allowed_origins: Vec<String>,
    max_request_body_bytes: usize,
    session_key: Option<SessionKey>,
    malformed_as_401: bool,
}

/// Not shown by `Debug`.
struct SessionKey(Vec<u8>);

/// `rmcp`'s own limit.
const DEFAULT_MAX_REQUEST_BODY_BYTES: usize = 4 * 1024 * 1024;

impl McpAuthBuilder {
    fn new(resource: String) -> Self {
        Self {
            metadata: ProtectedResourceMetadata::builder(&resource),
            resource,
            authorization_servers: Vec::new(),
            audiences: Vec::new(),
            custom_verifier: None,
            keep_token: false,
            policy: None,
            hook: None,
            decision_log: None,
            denials_per_record: None,
            scopes_supported: None,
            required_scopes: Vec::new(),
            allowed_hosts: Vec::new(),
            allowed_origins: Vec::new(),
            max_request_body_bytes: DEFAULT_MAX_REQUEST_BODY_BYTES,
            session_key: None,
            malformed_as_401: false,
        }
    }

    /// Trusts an authorization server. At least one is needed; its metadata is fetched when the first token arrives.
    pub fn authorization_server(mut self, server: AuthorizationServer) -> Self {
        self.authorization_servers.push(server);
        self
    }

    /// Accepts tokens for this audience too. Default: the resource alone.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// Gives every token to the server's own verifier. The authorization servers are then only published, and what it says of a token has to name
    /// one of them as issuer. Audience, times, types of claims and scopes are still checked.
    pub fn custom_verifier(mut self, verifier: impl CustomVerifier) -> Self {
        self.custom_verifier = Some(StoredVerifier::new(verifier));
        self
    }

    /// Keeps the token in the [`AuthInfo`](crate::AuthInfo) of each request, for a token exchange (RFC 8693). Default: nothing behind the layer has it.
    ///
    /// # Security
    /// Whatever handles requests can then use the token in the caller's name. MCP forbids forwarding it.
    pub fn dangerous_keep_token(mut self) -> Self {
        self.keep_token = true;
        self
    }

    /// Decides tool calls, and callers of annotated functions, by this policy: a [`Policy`], an `Arc` of one, or a [`PolicyHandle`], whose policy
    /// can be replaced while the server runs.
    pub fn policy(mut self, policy: impl Into<PolicyHandle>) -> Self {
        self.policy = Some(policy.into());
        self
    }

    /// Asks the server's own code about every call that the policy allows; it can deny the call, and nothing else.
    ///
    /// Asked once for each call: at the gate for tools, prompts and resources, at the guard for everything else. It runs on the request's task, so it should
    /// neither wait nor
    /// compute long. It is not asked for callers made by the feature `testing`.
    ///
    /// # Security
    /// A hook that panics denies the call. (Where panics abort the process, nothing is answered at all.)
    pub fn after_decision(mut self, hook: impl Fn(&DecisionView<'_>) -> Verdict + Send + Sync + 'static) -> Self {
        self.hook = Some(Hook::new(hook));
        self
    }

    /// Writes the decision records as lines of JSON, beside the `tracing` events. Default: events only.
    pub fn decision_log(mut self, log: DecisionLog) -> Self {
        self.decision_log = Some(log);
        self
    }

    /// Records one denial of every `n` of its kind (denied, revoked, unauthenticated), beginning with the first. Default: all.
    ///
    /// Calls that are allowed are always recorded, and [`status`](McpAuth::status) counts every call.
    pub fn sample_denials(mut self, n: NonZeroU64) -> Self {
        self.denials_per_record = Some(n);
        self
    }

    /// Names the scopes published as `scopes_supported` and in the first challenge. Default: those that the policy advertises when the server
    /// starts; a reload does not change what is published.
    pub fn scopes_supported<T: Into<String>>(mut self, scopes: impl IntoIterator<Item = T>) -> Self {
        self.scopes_supported = Some(scopes.into_iter().map(Into::into).collect());
        self
    }

    /// Publishes the name that clients may show to users.
    pub fn resource_name(mut self, name: impl Into<String>) -> Self {
        self.metadata = self.metadata.resource_name(name);
        self
    }

    /// Publishes the URL of a page for developers.
    pub fn resource_documentation(mut self, url: impl Into<String>) -> Self {
        self.metadata = self.metadata.resource_documentation(url);
        self
    }

    /// Publishes a further member of the protected resource metadata, as
    /// [`ProtectedResourceMetadataBuilder::member`](crate::ProtectedResourceMetadataBuilder::member) does.
    pub fn metadata_member(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.metadata = self.metadata.member(name, value);
        self
    }

    /// Demands scopes of every request, beside what the policy demands of each tool. Default: none.
    pub fn required_scopes<T: Into<String>>(mut self, scopes: impl IntoIterator<Item = T>) -> Self {
        self.required_scopes.extend(scopes.into_iter().map(Into::into));
        self
    }

    /// Serves requests that name this host (`host` or `host:port`) beside the resource's own one. An entry without a port allows any port.
    pub fn allowed_host(mut self, host: impl Into<String>) -> Self {
        self.allowed_hosts.push(host.into());
        self
    }

    /// Serves pages of this origin (`https://app.example.com`) beside the resource's own one.
    pub fn allowed_origin(mut self, origin: impl Into<String>) -> Self {
        self.allowed_origins.push(origin.into());
        self
    }

    /// Limits the body of an MCP request, in bytes. Default 4 MiB, as in `rmcp`; set both alike.
    pub fn max_request_body_bytes(mut self, bytes: usize) -> Self {
        self.max_request_body_bytes = bytes;
        self
    }

    /// Sets the key under which session ids, and what [`McpAuth::seal`] seals, belong to their principals: at least 32 random bytes, the same for
    /// all instances behind one address. Default: random, so that sessions end with the process and belong to one instance.
    pub fn session_key(mut self, key: impl Into<Vec<u8>>) -> Self {
        self.session_key = Some(SessionKey(key.into()));
        self
    }

    /// Answers a malformed `Authorization` header with 401 instead of 400, for clients that read a 400 as a server of an older protocol.
    pub fn malformed_as_401(mut self, yes: bool) -> Self {
        self.malformed_as_401 = yes;
        self
    }

    /// Builds the layers. Nothing is fetched.
    ///
    /// # Errors
    /// The resource, an issuer, an audience, a scope or an origin is not what it must be; or `callers:` in the policy does not cover the
    /// issuers. The message names it.
    pub fn build(self) -> Result<McpAuth, ConfigError> {
        let resource = secure_url::parse_setting("resource", &self.resource)?;
        let mut origins = AllowedOrigins::of_resource(&resource);
        for host in self.allowed_hosts {
            origins.allow_host(host)?;
        }
        for origin in &self.allowed_origins {
            origins.allow_origin(origin)?;
        }
        if let Some(scope) = self.required_scopes.iter().find(|scope| !is_scope_token(scope)) {
            return Err(ConfigError::InvalidScope { scope: scope.clone() });
        }
        if self.required_scopes.iter().any(|scope| scope == OFFLINE_ACCESS) {
            let resource = self.resource;
            return Err(ConfigError::OfflineAccess { resource });
        }
        let mut verifier = AccessTokenVerifier::builder(&self.resource);
        let mut metadata = self.metadata;
        if let Some(policy) = &self.policy {
            let issuers = self.authorization_servers.iter().map(AuthorizationServer::issuer);
            let issuers: Vec<String> = issuers.map(str::to_owned).collect();
            // A replacement has to cover the issuers too.
            policy.require(move |policy| check_policy(policy, &issuers))?;
        }
        for server in self.authorization_servers {
            metadata = metadata.authorization_server(server.issuer());
            verifier = verifier.authorization_server(server);
        }
        if self.keep_token {
            verifier = verifier.dangerous_keep_token();
        }
        if let Some(custom) = self.custom_verifier {
            verifier = verifier.stored_verifier(custom);
        }
        for audience in self.audiences {
            verifier = verifier.additional_audience(audience);
        }
        let advertised_scopes = self.scopes_supported.unwrap_or_else(|| {
            let policy = self.policy.as_ref().map(PolicyHandle::current);
            advertised(policy.as_deref(), &self.required_scopes)
        });
        let metadata = metadata.scopes_supported(advertised_scopes).build()?;
        let seal = match self.session_key {
            Some(key) => PrincipalSeal::new(&key.0)?,
            None => PrincipalSeal::random()?,
        };
        Ok(McpAuth {
            resource: Arc::new(ProtectedResource {
                verifier: verifier.build()?,
                origins,
                metadata_url: metadata.metadata_url(),
                // As published: a challenge must not ask for what the metadata leaves out.
                advertised_scopes: metadata.scopes_supported().to_vec(),
                required_scopes: self.required_scopes,
                policy: self.policy.clone(),
                decisions: Decisions::new(self.hook, self.decision_log, self.denials_per_record),
                malformed_as_401: self.malformed_as_401,
            }),
            gate: McpGateLayer::new(seal.clone(), self.policy, self.max_request_body_bytes),
            seal,
            metadata,
        })
    }
}

impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionKey(redacted)")
    }
}

/// Whether the policy says how the tokens of every trusted issuer are read.
fn check_policy(policy: &Policy, issuers: &[String]) -> Result<(), ConfigError> {
    policy
        .check_issuers(issuers.iter().map(String::as_str))
        .map_err(|mismatch| ConfigError::IssuersAndPolicy {
            policy: policy.file_name().to_owned(),
            problem: mismatch.to_string(),
        })
}

/// What every request needs, then what the policy advertises.
fn advertised(policy: Option<&Policy>, required: &[String]) -> Vec<String> {
    let mut scopes = required.to_vec();
    for scope in policy.map(Policy::advertised_scopes).unwrap_or_default() {
        if !scopes.iter().any(|known| known == scope) {
            scopes.push(scope.to_owned());
        }
    }
    scopes
}
