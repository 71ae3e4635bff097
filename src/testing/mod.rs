//! Support for the tests of your own server.
//!
//! An [`Issuer`] is a real authorization server as far as a resource server can see: it serves metadata and keys over HTTP on a loopback
//! port, and signs whatever token a test needs.
//!
//! ```
//! use mcp_auth::{AccessTokenVerifier, testing::Issuer};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let issuer = Issuer::start().await?;
//! let verifier = AccessTokenVerifier::builder("http://localhost:3001")
//!     .authorization_server(issuer.authorization_server()?)
//!     .build()?;
//! let token = issuer.token().subject("alice").audience("http://localhost:3001").scopes(["create:todos"]).sign();
//! assert_eq!(verifier.verify(&token).await?.subject(), "alice");
//! # Ok(())
//! # }
//! ```
//!
//! A token does not print itself. To send it to your server, ask for its text by name:
//!
//! ```
//! use mcp_auth::testing::Issuer;
//!
//! # async fn send(issuer: &Issuer) -> Result<(), Box<dyn std::error::Error>> {
//! let token = issuer.token().subject("alice").audience("http://localhost:3001").sign();
//! let request = reqwest::Client::new().post("http://localhost:3001").bearer_auth(token.dangerous_raw_token());
//! let answer = request.body("{}").send().await?;
//! # let _: reqwest::Response = answer;
//! # Ok(())
//! # }
//! ```

mod caller;
mod fault;
mod issued_tokens;
mod issuer;
mod signing_key;
mod token_builder;
mod token_endpoints;

pub use self::{
    caller::{CallerBuilder, caller},
    fault::Fault,
    issuer::Issuer,
    token_builder::TokenBuilder,
};
