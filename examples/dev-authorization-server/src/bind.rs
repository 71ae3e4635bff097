//! Listening on this machine only.

use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
};

use tokio::net::TcpListener;

/// Binds a port on 127.0.0.1 and on ::1, because `localhost` is the one to some programs and the other to others. Port 0 takes a free one.
///
/// Both or neither: were ::1 left to another program, a browser could find that one behind `http://localhost`. A machine without IPv6 gives
/// one listener.
///
/// # Errors
/// When the port is taken on either address; the message names the address.
pub async fn bind_loopback(port: u16) -> io::Result<Vec<TcpListener>> {
    let first = bind((Ipv4Addr::LOCALHOST, port).into()).await?;
    let port = first.local_addr()?.port();
    match bind((Ipv6Addr::LOCALHOST, port).into()).await {
        Ok(second) => Ok(vec![first, second]),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => Err(error),
        Err(_) => Ok(vec![first]),
    }
}

async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .map_err(|error| io::Error::new(error.kind(), format!("cannot listen on {address}: {error}")))
}
