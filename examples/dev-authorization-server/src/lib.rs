//! An OAuth 2.1 authorization server **for development only**: it signs anybody in without a password.
//!
//! It lets you try an MCP server with real clients, a real login and real tokens before you have an authorization server. It speaks what MCP
//! clients need: metadata (RFC 8414, OpenID Connect Discovery), dynamic client registration (RFC 7591), the authorization code grant with
//! PKCE (RFC 7636), refresh tokens, resource indicators (RFC 8707), the issuer in the authorization response (RFC 9207), JWT access tokens
//! (RFC 9068) or opaque ones, introspection (RFC 7662), userinfo (OpenID Connect Core section 5.3) and revocation (RFC 7009).
//!
//! ```no_run
//! use std::future;
//!
//! use dev_authorization_server::{DemoUser, DevelopmentAuthorizationServer, bind_loopback};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let server = DevelopmentAuthorizationServer::builder()
//!     .issuer("http://localhost:3002")
//!     .resource("http://localhost:3001")
//!     .user(DemoUser {
//!         subject: "alice".into(),
//!         name: "Alice".into(),
//!         scopes: vec!["create:todos".into()],
//!     })
//!     .build()?;
//! server.serve(bind_loopback(3002).await?, future::pending()).await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Security
//! Whoever reaches it can be anybody. So it is built only for a loopback issuer and loopback resources, serves only on loopback addresses,
//! and answers only to loopback `Host` names, which keeps web pages out that rebind their name to 127.0.0.1. Other programs and users of the
//! same machine *can* reach it. Its key lives as long as the process: tokens of an earlier start are worthless.

mod access_token;
mod authorization_request;
mod authorization_response;
mod authorize;
mod bind;
mod builder;
mod client_registration;
mod clients;
mod demo_user;
mod expiring_store;
mod grants;
mod guard_headers;
mod introspection;
mod introspection_client;
mod issuer;
mod loopback;
mod metadata;
mod oauth_error;
mod page;
mod parameters;
mod redirect_uri;
mod resource;
mod revocation;
mod secret;
mod server;
mod sign_in;
mod sign_in_flow;
mod sign_in_form;
mod signing_key;
mod signing_keys;
mod token;
mod userinfo;

pub use access_token::AccessTokenFormat;
pub use bind::bind_loopback;
pub use builder::{BuildError, Builder};
pub use demo_user::{DemoUser, ScopeDescription};
pub use server::{DevelopmentAuthorizationServer, ServeError};
pub use sign_in::{AccessToken, SignIn, SignInError, sign_in};
pub use signing_key::Algorithm;
pub use signing_keys::RotateError;
