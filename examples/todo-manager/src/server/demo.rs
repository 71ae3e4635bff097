//! The development authorization server inside this process: started only when no issuer is set, and only on loopback.

use std::io;

use dev_authorization_server::{AccessTokenFormat, BuildError, DevelopmentAuthorizationServer, bind_loopback};
use mcp_auth::Policy;
use tokio::{net::TcpListener, task::JoinSet};
use tokio_util::sync::CancellationToken;

use super::StartError;
use crate::{
    settings::{Mode, Settings},
    verification::{EMBEDDED_CLIENT, credentials},
};

/// A development authorization server that listens already.
#[derive(Debug)]
pub(super) struct Embedded {
    server: DevelopmentAuthorizationServer,
    listeners: Vec<TcpListener>,
}

impl Embedded {
    /// Listens on both loopback addresses. Port 0 takes a free one.
    pub(super) async fn start(
        settings: &Settings,
        port: u16,
        resources: &[String],
        policy: &Policy,
    ) -> Result<Self, StartError> {
        if let Some(address) = settings.bind.filter(|address| !address.is_loopback()) {
            return Err(StartError::Demo(format!(
                "no issuer is set, and the embedded development authorization server, which signs in anybody, does not run while \
                 `--bind {address}` opens this server to other machines; set `--issuer` (MCP_AUTH_ISSUER) to your authorization server"
            )));
        }
        let listeners = bind_loopback(port).await.map_err(|error| {
            StartError::Demo(format!(
                "the embedded development authorization server {error}; it takes the port after `--port` (PORT): choose another one"
            ))
        })?;
        let port = listeners
            .first()
            .map_or(Ok(port), |listener| listener.local_addr().map(|address| address.port()))?;
        let mut builder = DevelopmentAuthorizationServer::builder()
            .issuer(format!("http://localhost:{port}"))
            .users_from_policy(policy);
        // As at an issuer for which this mode is needed.
        if settings.mode == Mode::Introspection {
            let (id, secret) = credentials(settings).unwrap_or(EMBEDDED_CLIENT);
            builder = builder
                .access_token_format(AccessTokenFormat::Opaque)
                .introspection_client(id, secret);
        }
        for resource in resources {
            builder = builder.resource(resource);
        }
        let server = builder.build().map_err(|error| match error {
            BuildError::Resource(_) | BuildError::NotLoopback { .. } => StartError::Demo(format!(
                "{error}; this is `--resource` (MCP_AUTH_RESOURCE), and without `--issuer` the development authorization server serves it"
            )),
            error => StartError::Demo(format!("cannot start the embedded development authorization server: {error}")),
        })?;
        Ok(Self { server, listeners })
    }

    pub(super) fn issuer(&self) -> &str {
        self.server.issuer()
    }

    pub(super) fn serve(self, tasks: &mut JoinSet<io::Result<()>>, stop: &CancellationToken) {
        let stopped = stop.clone().cancelled_owned();
        tasks.spawn(async move {
            self.server
                .serve(self.listeners, stopped)
                .await
                .map_err(io::Error::other)
        });
    }
}
