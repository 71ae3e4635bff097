//! The two metadata documents: what this resource server publishes (RFC 9728), and what it reads of authorization servers (RFC 8414).

mod authorization_server;
mod further_member;
mod legacy_router;
mod protected_resource;
mod resource_identifier;
mod router;
mod server_config;

pub use self::{
    authorization_server::AuthorizationServerMetadata,
    protected_resource::{ProtectedResourceMetadata, ProtectedResourceMetadataBuilder},
    server_config::{ServerConfigFinding, ServerConfigReport, ServerConfigSeverity, validate_server_config},
};
pub(crate) use self::{protected_resource::OFFLINE_ACCESS, resource_identifier::ResourceIdentifier};
