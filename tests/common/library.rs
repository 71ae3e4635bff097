//! A library with prompts and resources, whose handlers know nothing of authorization.

use std::sync::{Arc, Mutex};

use axum::Router;

use mcp_auth::{McpAuth, OperationKind, Policy, PolicyHandle, testing::Issuer};
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, CompleteRequestParams, CompleteResult,
        GetPromptRequestParams, GetPromptResponse, GetPromptResult, ListPromptsResult, ListResourceTemplatesResult,
        ListResourcesResult, ListToolsResult, PaginatedRequestParams, ReadResourceRequestParams, ReadResourceResponse,
        ReadResourceResult, ServerCapabilities, ServerConfig, SubscribeRequestParams,
    },
    service::RequestContext,
    transport::streamable_http_server::{
        StreamableHttpServerConfig, StreamableHttpService, session::local::LocalSessionManager,
    },
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{Answer, Mode, RESOURCE, client_request, send};

const POLICY: &str = "
version: 1
policy: library
scopes:
  read:books: Read books
  read:secrets: Read what is locked away
  summarise: Ask for summaries
roles:
  member: { scopes: [read:books] }
tools:
  search: { requires: [] }
  shred: { requires: read:secrets }
prompts:
  summary: { requires: summarise }
  haiku: { requires: [] }
resources:
  library://catalogue: { requires: [] }
  library://secrets: { requires: read:secrets }
  'library://books/{title}': { requires: read:books }
  'library://shelves/{shelf}/{book}': { requires: read:secrets }
forbid:
  - id: banned
    everything: true
    when: { claim: { name: status, is: banned, if_missing: skip } }
  - id: long-summary
    prompts: [summary]
    when: { arg: { name: words, longer_than: 2, if_missing: skip } }
    message: Summaries have at most 99 words.
";

#[derive(Debug, Clone, Default)]
pub struct Library {
    /// What its handlers were asked for, lists by the empty name.
    served: Arc<Mutex<Vec<String>>>,
}

impl Library {
    fn answer<T: DeserializeOwned>(&self, asked: &str, answer: Value) -> Result<T, ErrorData> {
        self.served.lock().unwrap().push(asked.to_owned());
        Ok(serde_json::from_value(answer).unwrap())
    }

    /// What its handlers were asked for since the last time.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.served.lock().unwrap())
    }
}

/// What the server would list to everybody, also what is not in the policy.
impl ServerHandler for Library {
    fn get_info(&self) -> ServerConfig {
        let mut config = ServerConfig::default();
        config.capabilities = ServerCapabilities::builder()
            .enable_tools()
            .enable_prompts()
            .enable_resources()
            .enable_resources_subscribe()
            .enable_completions()
            .build();
        config
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let tools = ["search", "shred", "unlisted"].map(|name| json!({ "name": name, "inputSchema": {} }));
        self.answer(
            "",
            json!({ "tools": tools, "nextCursor": "2", "ttlMs": 60_000, "cacheScope": "public" }),
        )
    }

    async fn list_prompts(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        let prompts = ["summary", "unlisted", "haiku"].map(|name| json!({ "name": name }));
        self.answer("", json!({ "prompts": prompts }))
    }

    async fn list_resources(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let uris = [
            "library://catalogue",
            "library://secrets",
            "library://books/dune",
            "library://cellar",
        ];
        let resources = uris.map(|uri| json!({ "uri": uri, "name": uri }));
        self.answer("", json!({ "resources": resources }))
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let templates = [
            "library://books/{title}",
            "library://shelves/{shelf}/{book}",
            "library://{anything}",
        ];
        let templates = templates.map(|text| json!({ "uriTemplate": text, "name": text }));
        self.answer("", json!({ "resourceTemplates": templates }))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        let content = json!({ "type": "text", "text": format!("served {}", request.name) });
        let result: GetPromptResult = self.answer(
            &request.name,
            json!({ "messages": [{ "role": "user", "content": content }] }),
        )?;
        Ok(result.into())
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let text = format!("served {}", request.uri);
        let contents = json!({ "contents": [{ "uri": request.uri, "text": text }] });
        let result: ReadResourceResult = self.answer(&request.uri, contents)?;
        Ok(result.into())
    }

    #[allow(deprecated, reason = "older protocol versions have it")]
    async fn subscribe(&self, request: SubscribeRequestParams, _: RequestContext<RoleServer>) -> Result<(), ErrorData> {
        self.answer(&request.uri, json!(null))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        if !["search", "shred", "unlisted"].contains(&&*request.name) {
            return Err(ErrorData::invalid_params("tool not found", None));
        }
        let content = json!({ "type": "text", "text": format!("served {}", request.name) });
        let result: CallToolResult = self.answer(&request.name, json!({ "content": [content] }))?;
        Ok(result.into())
    }

    async fn complete(
        &self,
        _: CompleteRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        self.answer("completion", json!({ "completion": { "values": ["served"] } }))
    }
}

/// The policy of the library, with more keys.
pub fn policy(more: &str) -> PolicyHandle {
    handle(&format!("{POLICY}{more}"))
}

/// The policy, with books and their summaries for the owners of the books too.
pub fn owned() -> String {
    let mut policy = format!("{POLICY}objects:\n  book: {{ owner: reader }}\n");
    for rule in [
        "summary: { requires: summarise",
        "'library://books/{title}': { requires: read:books",
    ] {
        policy = policy.replace(rule, &format!("{rule}, object: book, owner_fallback: true"));
    }
    policy
}

pub fn handle(text: &str) -> PolicyHandle {
    let handle = PolicyHandle::from(Policy::parse(text).unwrap_or_else(|errors| panic!("{errors}")));
    handle.declare_arguments(OperationKind::Prompt, "summary", ["book", "words"]);
    handle
}

pub struct Server {
    pub issuer: Issuer,
    pub app: Router,
    pub library: Library,
    mode: Mode,
    version: &'static str,
}

/// A caller: scopes, and the claim `status`.
pub type Who = (&'static [&'static str], &'static str);

pub const READER: Who = (&["read:books"], "active");
pub const EVERYTHING: Who = (&["read:books", "read:secrets", "summarise"], "active");
pub const NOBODY: Who = (&[], "active");
pub const BANNED: Who = (&["read:books", "read:secrets", "summarise"], "banned");

impl Server {
    pub async fn start(mode: (Mode, &'static str), more: &str) -> Self {
        Self::with_policy(mode, &format!("{POLICY}{more}")).await
    }

    pub async fn with_policy((mode, version): (Mode, &'static str), text: &str) -> Self {
        let issuer = Issuer::start().await.unwrap();
        let handle = handle(text);
        let auth = McpAuth::builder(RESOURCE)
            .authorization_server(issuer.authorization_server().unwrap())
            .policy(handle)
            .build()
            .unwrap();
        let library = Library::default();
        let served = library.clone();
        let config = StreamableHttpServerConfig::default()
            .with_legacy_session_mode(mode.sessions)
            .with_json_response(mode.json);
        let service = StreamableHttpService::new(
            move || Ok(served.clone()),
            LocalSessionManager::default().into(),
            config,
        );
        Self {
            app: Router::new().route_service("/", service).route_layer(auth.mcp_layer()),
            issuer,
            library,
            mode,
            version,
        }
    }

    pub async fn ask(&self, (scopes, status): Who, method: &str, params: Value) -> Answer {
        let token = self.issuer.token().subject("alice").audience(RESOURCE);
        let token = token.scopes(scopes).claim("status", status).sign();
        let message = json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params });
        send(
            &self.app,
            client_request(&self.app, self.mode, self.version, &token, message).await,
        )
        .await
    }

    /// The result of a list, whatever the form of the answer.
    pub async fn list(&self, who: Who, method: &str) -> Value {
        let answer = self.ask(who, method, json!({})).await;
        let mut data = answer.body.lines().filter_map(|line| line.strip_prefix("data: "));
        let message = data.rfind(|data| data.contains("result")).unwrap_or(&answer.body);
        let message: Value = serde_json::from_str(message).unwrap_or_else(|_| panic!("{answer:?}"));
        message["result"].clone()
    }

    pub async fn names(&self, who: Who) -> Vec<String> {
        let mut names = Vec::new();
        for (method, list, name) in [
            ("tools/list", "tools", "name"),
            ("prompts/list", "prompts", "name"),
            ("resources/list", "resources", "uri"),
            ("resources/templates/list", "resourceTemplates", "uriTemplate"),
        ] {
            let result = self.list(who, method).await;
            let entries = result[list].as_array().unwrap_or_else(|| panic!("{method}: {result}"));
            names.extend(entries.iter().map(|entry| entry[name].as_str().unwrap().to_owned()));
        }
        names
    }

    pub fn asked(&self) -> usize {
        self.library.served.lock().unwrap().len()
    }
}
