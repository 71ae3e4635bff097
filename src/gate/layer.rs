//! The tower layer.

use tower_layer::Layer;

use super::service::McpGate;
use crate::{PolicyHandle, PrincipalSeal};

/// Decides MCP requests by the policy before the transport sees them.
///
/// Made by [`McpAuth::mcp_layer`](crate::McpAuth::mcp_layer), which puts the bearer layer in front of it: alone it refuses everything.
#[derive(Debug, Clone)]
pub struct McpGateLayer {
    seal: PrincipalSeal,
    policy: Option<PolicyHandle>,
    max_request_body_bytes: usize,
}

impl McpGateLayer {
    pub(crate) fn new(seal: PrincipalSeal, policy: Option<PolicyHandle>, max_request_body_bytes: usize) -> Self {
        Self {
            seal,
            policy,
            max_request_body_bytes,
        }
    }
}

impl<S> Layer<S> for McpGateLayer {
    type Service = McpGate<S>;

    fn layer(&self, inner: S) -> Self::Service {
        McpGate::new(
            inner,
            self.seal.clone(),
            self.policy.clone(),
            self.max_request_body_bytes,
        )
    }
}
