#![doc = include_str!("../README.md")]

mod access;
mod algorithm;
mod as_owner;
#[cfg(any(feature = "rmcp", feature = "registry"))]
mod audit;
mod auth_info;
mod bearer;
mod bearer_token;
mod caller;
mod catch_panic;
mod decision_record;
mod deferral;
mod denied;
mod discovery;
mod drain;
mod embedded_suite;
mod error;
mod extract;
mod from_denied;
mod gate;
mod guard;
mod hook;
mod http_client;
mod key_set;
mod mcp_auth;
mod metadata;
mod origin;
mod policy_handle;
#[cfg(feature = "reload")]
mod policy_watch;
mod principal_seal;
mod protocol_version;
mod refusal_body;
#[cfg(feature = "registry")]
mod registry;
mod remote;
mod remote_check;
mod requirement;
#[cfg(feature = "rmcp")]
mod rmcp;
mod scope_token;
mod secure_url;
mod session;
mod sql_filter;
mod status;
mod strict_json;
mod timestamp;
mod verify;

#[cfg(feature = "cli")]
#[doc(hidden)]
#[path = "doctor/mod.rs"]
pub mod __doctor;
#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
#[cfg(feature = "testing")]
pub mod testing;

pub use mcp_auth_macros::{guarded, requires_scope, suite};
pub use mcp_auth_policy::{Because, Change, Decision, Diff, Direction, OperationKind, Policy, PolicyErrors, Reach};

#[cfg(feature = "registry")]
pub use self::audit::audit_operations;
#[cfg(any(feature = "rmcp", feature = "registry"))]
pub use self::audit::{ArgumentProblem, AuditErrors, AuditFinding};
#[cfg(feature = "reload")]
pub use self::policy_watch::{PolicyFile, PolicyFileError, PolicyWatcher};
#[cfg(feature = "rmcp")]
pub use self::rmcp::{AuditReport, Guarded, LocalIdentity, LocalServer, ToolFailure, audit, audit_server};
pub use self::{
    access::{Access, Filter},
    algorithm::Algorithm,
    as_owner::AsOwner,
    auth_info::AuthInfo,
    bearer::{BearerAuth, BearerAuthLayer},
    bearer_token::BearerToken,
    caller::Caller,
    decision_record::DecisionLog,
    denied::{Denied, DeniedReason},
    discovery::ServerType,
    error::{AuthorizationServerError, ConfigError},
    extract::MissingIdentity,
    from_denied::FromDenied,
    gate::{McpGate, McpGateLayer},
    hook::{DecisionView, Verdict},
    mcp_auth::{McpAuth, McpAuthBuilder},
    metadata::{
        AuthorizationServerMetadata, ProtectedResourceMetadata, ProtectedResourceMetadataBuilder, ServerConfigFinding,
        ServerConfigReport, ServerConfigSeverity, validate_server_config,
    },
    policy_handle::{PolicyHandle, ReloadMode, ReloadRefused},
    principal_seal::PrincipalSeal,
    remote_check::{ClientAuthentication, Introspection, Userinfo},
    requirement::Requirement,
    sql_filter::SqlFilter,
    status::{DecisionCounts, PolicyStatus, ReloadError, Status},
    verify::{
        AccessTokenVerifier, AccessTokenVerifierBuilder, AuthorizationServer, AuthorizationServerBuilder,
        CustomVerifier, CustomVerifierError, InvalidToken, ScopeClaim, VerifyError,
    },
};

/// Compiles the snippets of the guide.
#[cfg(doctest)]
#[doc = include_str!("../docs/migrating-from-mcp-auth.md")]
mod migrating_from_mcp_auth {}

/// Compiles the server in the page about enforcement.
#[cfg(doctest)]
#[doc = include_str!("../docs/enforcement.md")]
mod enforcement {}
