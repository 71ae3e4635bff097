//! Listening sockets.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use tokio::net::TcpListener;

/// The port cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot listen on {address}: {error}; stop the program that uses the port, or choose another one with `--port` (PORT)"
)]
pub struct ListenError {
    address: SocketAddr,
    error: io::Error,
}

/// Listens on the given address, or on both loopback addresses.
///
/// # Errors
/// The port is in use or may not be used. A machine without IPv6 is no error.
pub async fn listen(bind: Option<IpAddr>, port: u16) -> Result<Vec<TcpListener>, ListenError> {
    let first = bind_one(SocketAddr::new(bind.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)), port)).await?;
    let port = first.local_addr().map_or(port, |address| address.port());
    let mut listeners = vec![first];
    if bind.is_none() {
        // Some clients try `::1` first for `localhost`.
        match bind_one(SocketAddr::new(IpAddr::V6(Ipv6Addr::LOCALHOST), port)).await {
            Ok(listener) => listeners.push(listener),
            Err(error) if error.error.kind() == io::ErrorKind::AddrInUse => return Err(error),
            Err(error) => tracing::debug!(%error, "IPv6 loopback is not available"),
        }
    }
    Ok(listeners)
}

async fn bind_one(address: SocketAddr) -> Result<TcpListener, ListenError> {
    TcpListener::bind(address)
        .await
        .map_err(|error| ListenError { address, error })
}
