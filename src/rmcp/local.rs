//! The same tools and the same policy without HTTP: over standard input and output.
//!
//! OAuth does not apply there (MCP, Authorization, Introduction): whoever starts the process is its caller, and says who that is in the
//! environment or in code. Every request is decided as at the gate of an HTTP server, lists are filtered alike, and the guards in the tools see the
//! same [`Caller`].

use std::{borrow::Cow, env, fmt, sync::Arc};

use mcp_auth_policy::{OperationKind, Policy, Reach};
use rmcp::{
    ErrorData, RoleServer,
    model::{ClientNotification, ClientRequest, ErrorCode, ProtocolVersion, ServerConfig, ServerResult},
    service::{NotificationContext, RequestContext, Service},
};
use serde_json::Value;

use crate::{
    auth_info::{AuthInfo, Facts},
    bearer::RequestId,
    caller::Caller,
    decision_record::{DecisionLog, Decisions, Trail},
    error::ConfigError,
    gate::{
        Ask, Message, NO_SUCH_TOOL, Refused, Target, decide, decide_for_good, exists, is_shown, needs_guard,
        with_arguments,
    },
    policy_handle::PolicyHandle,
    scope_token::is_scope_token,
};

/// Who uses a server that is started as a process of its own.
///
/// ```
/// use mcp_auth::LocalIdentity;
///
/// let alice = LocalIdentity::new("alice").scopes(["create:todos"]);
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct LocalIdentity {
    issuer: String,
    subject: String,
    scopes: Vec<String>,
    role: Option<String>,
}

/// Names the caller's subject.
const SUBJECT: &str = "MCP_AUTH_LOCAL_SUBJECT";
/// Names the caller's scopes, with spaces between them.
const SCOPES: &str = "MCP_AUTH_LOCAL_SCOPES";
/// Names a role of the policy, whose scopes the caller gets.
const ROLE: &str = "MCP_AUTH_LOCAL_ROLE";

impl LocalIdentity {
    /// A caller with this subject, who owns what was created under it, and without scopes.
    pub fn new(subject: impl Into<String>) -> Self {
        Self {
            issuer: String::new(),
            subject: subject.into(),
            scopes: Vec::new(),
            role: None,
        }
    }

    /// Reads the subject from `MCP_AUTH_LOCAL_SUBJECT`, and what it may from `MCP_AUTH_LOCAL_SCOPES` (with spaces between them) and
    /// `MCP_AUTH_LOCAL_ROLE` (a role of the policy).
    ///
    /// # Errors
    /// When there is no subject, a scope is no scope token (RFC 6749 section 3.3), or a variable is no Unicode.
    pub fn from_environment() -> Result<Self, ConfigError> {
        let read = |name: &'static str| match env::var(name) {
            Ok(value) => Ok(Some(value)),
            Err(env::VarError::NotPresent) => Ok(None),
            Err(env::VarError::NotUnicode(_)) => Err(ConfigError::LocalIdentity {
                problem: format!("`{name}` is no Unicode"),
            }),
        };
        let subject = read(SUBJECT)?.filter(|subject| !subject.is_empty());
        let subject = subject.ok_or_else(|| ConfigError::LocalIdentity {
            problem: format!("set `{SUBJECT}` to the user that this server works for"),
        })?;
        let scopes = read(SCOPES)?.unwrap_or_default();
        let scopes: Vec<String> = scopes.split_whitespace().map(str::to_owned).collect();
        if let Some(scope) = scopes.iter().find(|scope| !is_scope_token(scope)) {
            return Err(ConfigError::InvalidScope { scope: scope.clone() });
        }
        Ok(Self {
            role: read(ROLE)?,
            ..Self::new(subject).scopes(scopes)
        })
    }

    /// Gives the caller scopes, as an access token would carry them.
    pub fn scopes<T: Into<String>>(mut self, scopes: impl IntoIterator<Item = T>) -> Self {
        self.scopes.extend(scopes.into_iter().map(Into::into));
        self
    }

    /// Gives the caller the scopes of a role of the policy.
    pub fn role(mut self, role: impl Into<String>) -> Self {
        self.role = Some(role.into());
        self
    }

    /// Lets the caller count as a user of this issuer. Default: none, so that `callers.default` of the policy applies.
    ///
    /// A server that also works over HTTP with `owner_key: issuer_and_subject` finds its user's objects again under the same issuer only.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = issuer.into();
        self
    }

    fn check(&self, policy: &Policy) -> Result<(), ConfigError> {
        match &self.role {
            Some(role) if policy.scopes_of_role(role).is_none() => Err(ConfigError::LocalIdentity {
                problem: format!("the policy `{}` has no role `{role}`", policy.file_name()),
            }),
            _ => Ok(()),
        }
    }

    /// The facts under one policy: a role gives what it gives there, and nothing if it is gone.
    fn auth(&self, policy: &Policy) -> AuthInfo {
        let mut scopes = self.scopes.clone();
        let of_role = self.role.as_ref().and_then(|role| policy.scopes_of_role(role));
        scopes.extend(of_role.into_iter().flatten().map(str::to_owned));
        AuthInfo::new(Facts {
            issuer: self.issuer.clone(),
            subject: self.subject.clone(),
            client_id: None,
            scopes,
            audience: Vec::new(),
            expires_at: None,
            claims: Arc::default(),
            token: None,
        })
    }
}

/// A server for one local caller; serve it over `rmcp::transport::stdio()`.
///
/// ```no_run
/// use mcp_auth::{LocalIdentity, LocalServer, PolicyHandle};
/// use rmcp::ServiceExt as _;
///
/// # async fn example<S: rmcp::ServerHandler>(todos: S, policy: PolicyHandle) -> Result<(), Box<dyn std::error::Error>> {
/// let server = LocalServer::new(todos, &LocalIdentity::from_environment()?, policy)?;
/// let running = server.serve((tokio::io::stdin(), tokio::io::stdout())).await?;
/// running.waiting().await?;
/// # Ok(())
/// # }
/// ```
pub struct LocalServer<S> {
    inner: S,
    identity: LocalIdentity,
    policy: PolicyHandle,
    decisions: Arc<Decisions>,
}

impl<S> LocalServer<S> {
    /// Puts the policy in front of a server, for one caller.
    ///
    /// # Errors
    /// When the policy has no such role.
    pub fn new(server: S, identity: &LocalIdentity, policy: impl Into<PolicyHandle>) -> Result<Self, ConfigError> {
        let policy = policy.into();
        identity.check(&policy.current())?;
        Ok(Self {
            inner: server,
            identity: identity.clone(),
            policy,
            decisions: Decisions::new(None, None, None),
        })
    }

    /// Writes the decision records as lines of JSON, beside the `tracing` events. Never to standard output: that is the transport.
    #[must_use]
    pub fn decision_log(mut self, log: DecisionLog) -> Self {
        self.decisions = Decisions::new(None, Some(log), None);
        self
    }

    fn caller(&self) -> Caller {
        let trail = Trail::new(Arc::clone(&self.decisions), RequestId::random());
        let policy = self.policy.current();
        Caller::new(self.identity.auth(&policy), policy, Some(trail.into()))
    }

    /// Decides a request as the gate of an HTTP server does. The caller is noted with the arguments of the call, for the guard; the second value tells
    /// whether that has to run.
    fn admit(&self, request: &mut ClientRequest) -> Result<(Caller, bool), ErrorData> {
        let caller = self.caller();
        let unreadable = || ErrorData::invalid_params("the request does not say what it is about", None);
        let Ok(Value::Object(mut message)) = serde_json::to_value(&*request) else {
            return Err(unreadable());
        };
        // The id is not part of the request here, and a message without one asks for nothing.
        message.insert("id".to_owned(), 0.into());
        let message = Value::Object(message).to_string();
        let ask = Message::parse(message.as_bytes()).map_err(|_| unreadable())?.ask;
        if !exists(&ask, &caller) {
            return Err(ErrorData::new(ErrorCode::METHOD_NOT_FOUND, "Method not found", None));
        }
        match ask {
            // All tasks are those of the one caller.
            Ask::Anyone | Ask::List(_) | Ask::Task(_) => Ok((caller, false)),
            Ask::Unknown => Err(unreadable()),
            Ask::Operation(target) => {
                let noted = with_arguments(&caller, &target, message.as_bytes(), Some(&self.policy));
                let caller = noted.unwrap_or(caller);
                match (decide(&target, &caller), request) {
                    (Ok(reach), _) => {
                        let needs_guard = needs_guard(&caller, reach, Some(&self.policy));
                        Ok((caller, needs_guard))
                    }
                    (Err(Refused::Unknown), ClientRequest::CallToolRequest(call)) => {
                        call.params.name = NO_SUCH_TOOL.into();
                        Ok((caller, false))
                    }
                    (Err(refused), _) => Err(error(refused, &target)),
                }
            }
            Ask::Complete(target) => match decide(&target, &caller) {
                Ok(reach) => Ok((caller, reach == Reach::Own)),
                Err(refused) => Err(error(refused, &target)),
            },
            Ask::Listen(uris) => {
                for target in uris.into_iter().map(Target::Resource) {
                    decide_for_good(&target, &caller).map_err(|refused| error(refused, &target))?;
                }
                Ok((caller, false))
            }
        }
    }
}

impl<S: Service<RoleServer>> Service<RoleServer> for LocalServer<S> {
    async fn handle_request(
        &self,
        mut request: ClientRequest,
        mut context: RequestContext<RoleServer>,
    ) -> Result<ServerResult, ErrorData> {
        let (caller, needs_guard) = self.admit(&mut request)?;
        context.extensions.insert(caller.auth().clone());
        context.extensions.insert(caller.clone());
        let mut result = self.inner.handle_request(request, context).await?;
        if needs_guard && !caller.was_guarded() && !is_error(&result) {
            tracing::error!("refused: a call was answered, but not by a function with `#[requires_scope]` for it");
            return Err(ErrorData::internal_error("Internal error", None));
        }
        filter(&caller, &mut result);
        Ok(result)
    }

    async fn handle_notification(
        &self,
        notification: ClientNotification,
        context: NotificationContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.inner.handle_notification(notification, context).await
    }

    fn get_info(&self) -> ServerConfig {
        self.inner.get_info()
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        self.inner.supported_protocol_versions()
    }
}

impl<S> fmt::Debug for LocalServer<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalServer")
            .field("identity", &self.identity)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

fn is_error(result: &ServerResult) -> bool {
    matches!(result, ServerResult::CallToolResult(result) if result.is_error == Some(true))
}

fn error(refused: Refused, target: &Target) -> ErrorData {
    match (refused, target.kind()) {
        (Refused::Denied(denied), _) => denied.into(),
        (Refused::Unknown, OperationKind::Resource) => ErrorData::resource_not_found("Resource not found", None),
        (Refused::Unknown, _) => ErrorData::invalid_params("Prompt not found", None),
    }
}

/// Takes out of a list what its caller may not know of.
fn filter(caller: &Caller, result: &mut ServerResult) {
    match result {
        ServerResult::ListToolsResult(list) => list
            .tools
            .retain(|tool| is_shown(caller, &Target::Tool(tool.name.to_string()))),
        ServerResult::ListPromptsResult(list) => list
            .prompts
            .retain(|prompt| is_shown(caller, &Target::Prompt(prompt.name.clone()))),
        ServerResult::ListResourcesResult(list) => list
            .resources
            .retain(|resource| is_shown(caller, &Target::Resource(resource.uri.clone()))),
        ServerResult::ListResourceTemplatesResult(list) => list
            .resource_templates
            .retain(|template| is_shown(caller, &Target::Template(template.uri_template.clone()))),
        _ => {}
    }
}
