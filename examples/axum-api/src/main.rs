//! Run with
//!
//! ```text
//! cargo run -p dev-authorization-server -- serve --policy policies/axum-api.yaml
//! cargo run -p axum-api -- http://localhost:3002
//! TOKEN=$(cargo run -q -p dev-authorization-server -- token alice)
//! curl http://localhost:3001/notes -H "Authorization: Bearer $TOKEN" -H 'Content-Type: text/plain' -d 'Buy milk'
//! curl http://localhost:3001/notes -H "Authorization: Bearer $TOKEN"
//! ```

use std::{env, error::Error};

use mcp_auth::Policy;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let Some(issuer) = env::args().nth(1) else {
        return Err("name the issuer of the access tokens, like `axum-api http://localhost:3002`".into());
    };
    let policy = Policy::loader().file_name("built in").parse(axum_api::POLICY)?;
    let app = axum_api::app("http://localhost:3001", &issuer, policy)?;
    axum::serve(TcpListener::bind("127.0.0.1:3001").await?, app).await?;
    Ok(())
}
