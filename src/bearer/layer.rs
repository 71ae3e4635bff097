//! The tower layer.

use std::sync::Arc;

use tower_layer::Layer;

use super::{ProtectedResource, service::BearerAuth};

/// Lets only requests with a verified access token through to the service it wraps.
///
/// Made by [`McpAuth::bearer_layer`](crate::McpAuth::bearer_layer). Cheap to clone; clones share key sets.
#[derive(Debug, Clone)]
pub struct BearerAuthLayer(Arc<ProtectedResource>);

impl BearerAuthLayer {
    pub(crate) fn new(resource: Arc<ProtectedResource>) -> Self {
        Self(resource)
    }
}

impl<S> Layer<S> for BearerAuthLayer {
    type Service = BearerAuth<S>;

    fn layer(&self, inner: S) -> Self::Service {
        BearerAuth::new(inner, Arc::clone(&self.0))
    }
}
