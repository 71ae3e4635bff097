//! Asks a server itself what it serves.
//!
//! The routers that the attributes wrote are not all that a server may serve: routes can be added to them, they can be merged with others, and the
//! methods that list and call can be written by hand. So this calls the methods that answer a client, without a client.

use std::{collections::BTreeSet, convert::Infallible, future};

use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{NumberOrString, PaginatedRequestParams, Prompt, Tool},
    service::{Peer, RequestContext, RunningService, RxJsonRpcMessage, TxJsonRpcMessage, serve_directly},
    transport::Transport,
};

/// More pages than any list has that ends.
const MAX_PAGES: usize = 1_000;

/// A list that could not be read.
pub(crate) struct Unlistable {
    pub(super) method: &'static str,
    pub(super) message: String,
}

/// Returns every tool that the server lists.
pub(super) async fn tools<S: ServerHandler>(server: &S) -> Result<Vec<Tool>, Unlistable> {
    pages("tools/list", async |page, context| {
        let result = server.list_tools(page, context).await?;
        Ok((result.tools, result.next_cursor))
    })
    .await
}

/// Returns every prompt that the server lists.
pub(super) async fn prompts<S: ServerHandler>(server: &S) -> Result<Vec<Prompt>, Unlistable> {
    pages("prompts/list", async |page, context| {
        let result = server.list_prompts(page, context).await?;
        Ok((result.prompts, result.next_cursor))
    })
    .await
}

async fn pages<T>(
    method: &'static str,
    list: impl AsyncFn(
        Option<PaginatedRequestParams>,
        RequestContext<RoleServer>,
    ) -> Result<(Vec<T>, Option<String>), ErrorData>,
) -> Result<Vec<T>, Unlistable> {
    let unlistable = |message: String| Unlistable { method, message };
    let nobody = Nobody::start();
    let mut items = Vec::new();
    let mut seen = BTreeSet::new();
    let mut page = None;
    for _ in 0..MAX_PAGES {
        let (more, cursor) = list(page, nobody.context())
            .await
            .map_err(|error| unlistable(error.message.into_owned()))?;
        items.extend(more);
        let Some(cursor) = cursor else { return Ok(items) };
        page = Some(PaginatedRequestParams::default().with_cursor(Some(cursor.clone())));
        if !seen.insert(cursor) {
            break;
        }
    }
    Err(unlistable("its pages do not end".into()))
}

/// A connection on which nobody ever says anything: the context of a request needs one.
struct Nobody(RunningService<RoleServer, Silent>);

impl Nobody {
    fn start() -> Self {
        Self(serve_directly(Silent, Silent, None))
    }

    fn context(&self) -> RequestContext<RoleServer> {
        let peer: Peer<RoleServer> = self.0.peer().clone();
        RequestContext::new(NumberOrString::Number(0), peer)
    }
}

struct Silent;

impl ServerHandler for Silent {}

impl Transport<RoleServer> for Silent {
    type Error = Infallible;

    fn send(
        &mut self,
        _: TxJsonRpcMessage<RoleServer>,
    ) -> impl Future<Output = Result<(), Infallible>> + Send + 'static {
        future::ready(Ok(()))
    }

    fn receive(&mut self) -> impl Future<Output = Option<RxJsonRpcMessage<RoleServer>>> + Send {
        future::pending()
    }

    async fn close(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}
