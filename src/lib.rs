//! stub
mod algorithm;
mod auth_info;
mod bearer_token;
mod discovery;
mod error;
mod http_client;
mod key_set;
mod metadata;
mod remote;
mod scope_token;
mod secure_url;
mod strict_json;
#[cfg(feature = "testing")]
pub mod testing;
mod verify;

pub use algorithm::Algorithm;
pub use auth_info::AuthInfo;
pub use bearer_token::BearerToken;
pub use discovery::ServerType;
pub use error::{AuthorizationServerError, ConfigError};
pub use metadata::{AuthorizationServerMetadata, ProtectedResourceMetadata, ProtectedResourceMetadataBuilder};
pub use verify::{
    AccessTokenVerifier, AccessTokenVerifierBuilder, AuthorizationServer, AuthorizationServerBuilder, InvalidToken,
    VerifyError,
};
