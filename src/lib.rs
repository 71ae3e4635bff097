//! stub
mod auth_info;
mod bearer_token;
mod error;
mod metadata;
mod scope_token;
mod secure_url;
mod strict_json;

pub use auth_info::AuthInfo;
pub use bearer_token::BearerToken;
pub use error::{AuthorizationServerError, ConfigError};
pub use metadata::{AuthorizationServerMetadata, ProtectedResourceMetadata, ProtectedResourceMetadataBuilder};
