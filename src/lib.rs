//! stub
mod auth_info;
mod bearer_token;
pub use auth_info::AuthInfo;
pub use bearer_token::BearerToken;
