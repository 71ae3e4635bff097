//! What is left of a request that is refused before its body was read.

use std::time::Duration;

use axum::body::HttpBody;
use http_body_util::{BodyExt as _, Limited};
use tokio::time::timeout;

/// A refused request is worth this much reading, in bytes.
const LIMIT: usize = 64 * 1024;
/// And this much waiting.
const DEADLINE: Duration = Duration::from_secs(1);

/// Reads a body that nobody wants.
///
/// A server that answers while the client still sends closes the connection, and a client that writes head and body apart (the Python SDKs do) may
/// then lose the answer, or its next request. A client that sends more than is read here loses its connection.
pub(crate) async fn drain<B>(body: B)
where
    B: HttpBody,
    B::Error: Into<axum::BoxError>,
{
    let read = async {
        let mut body = std::pin::pin!(Limited::new(body, LIMIT));
        while let Some(Ok(_)) = body.frame().await {}
    };
    // Whether it ended, failed or took too long, the answer is the same.
    let _ = timeout(DEADLINE, read).await;
}
