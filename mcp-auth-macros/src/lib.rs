//! The attributes of `mcp-auth`, and `suite!`. Use them through that crate, which re-exports them: generated code names `::mcp_auth`.

mod args;
mod body;
mod check;
mod expand;
mod function;
mod guarded_options;
mod impl_block;
mod policy_file;
mod report;
mod router;
mod suite;
mod suite_names;

use proc_macro::TokenStream;

/// Lets a function run only for callers that hold the scopes it names.
///
/// Works on `rmcp` tools and prompts, axum handlers, and plain sync or async functions and methods. The policy decides together with the annotation,
/// and the stricter of the two counts on each call.
///
/// ```
/// use mcp_auth::{Access, Caller, Denied, Filter, requires_scope};
///
/// struct Note {
///     owner: String,
/// }
///
/// #[requires_scope("read:notes", owner_fallback)]
/// async fn list(access: Access, notes: &[Note]) -> Result<usize, Denied> {
///     Ok(match access.filter() {
///         Filter::All => notes.len(),
///         Filter::OwnedBy(owner) => notes.iter().filter(|note| note.owner == owner).count(),
///     })
/// }
///
/// // The signature takes a `Caller`; only the body sees the checked access.
/// async fn count(caller: Caller, notes: &[Note]) -> Result<usize, Denied> {
///     list(caller, notes).await
/// }
/// ```
///
/// | argument | meaning |
/// |---|---|
/// | `"a", "b"` | the caller needs all of these scopes |
/// | `any("a", "b")` | the caller needs at least one of them |
/// | `none` | every authenticated caller; the policy must say `requires: []` |
/// | `owner_fallback` | a caller without the scopes reaches its own objects; needs an `Access`, or `owner = …` |
/// | `owner = self.owner_of(&id).await?` | whose object this is; the attribute refuses everybody else, see below |
/// | `access = access` | the variable that holds the `Access` in the body, where the signature has no room for one |
/// | `name = "export"` | the name under `operations:` in the policy, for a function that is no tool; default: the function's name as written |
/// | `tool = "…"`, `prompt = "…"`, `resource = "library://books/{title}"` | likewise under `tools:`, `prompts:` or `resources:`, for a hand-written handler |
/// | `policy = "policies/todo.yaml"` | the file to check against while compiling, relative to the package's folder |
/// | `crate = crate::vendor::auth` | where `mcp-auth` is, if not at `::mcp_auth` |
///
/// # Where the caller comes from
///
/// | the function has | then |
/// |---|---|
/// | `access: Access` | the signature takes a `Caller` there, and `access` is the checked access |
/// | `caller: Caller` or `caller: &Caller` | that caller is checked; a caller limited to its own objects is refused |
/// | neither, on a `#[tool]` or `#[prompt]` | a hidden `Caller` parameter is added behind `self` |
/// | neither, but `context: RequestContext<RoleServer>` | the caller of that request, as in the methods of `ServerHandler`, which `rmcp` fixes |
/// | none of these | error |
///
/// # Denials
/// They leave through the return type: `Result<_, E>` where `E: From<Denied>`, an axum `Response`, a `CallToolResult`. The attribute never
/// changes that type. A function that succeeds without having consulted its `Access`, although the caller is limited to its own objects,
/// is refused too, and an error is logged. A function that fails (`Err`, an error status, `isError`) keeps its own answer, so "no such object"
/// may come before there is an owner to check.
///
/// # Whose object
/// A function that is about one object may leave the check to the attribute. The expression sees the function's parameters; it may use `?`, and
/// `.await` in an `async fn`. It gives a `&str`, a `String`, an `Option` of one (`None` is nobody's), or any other `AsOwner`. It runs only for a
/// caller that is limited to its own objects: whoever reaches every object does not pay for it.
///
/// ```
/// use mcp_auth::{Caller, Denied, requires_scope};
///
/// struct Notes(std::collections::BTreeMap<u32, (String, String)>);
///
/// impl Notes {
///     #[requires_scope("read:notes", owner_fallback, owner = self.0.get(&id).map(|(owner, _)| owner))]
///     fn note(&self, _caller: &Caller, id: u32) -> Result<&str, Denied> {
///         Ok(self.0.get(&id).map_or("", |(_, text)| text))
///     }
/// }
/// ```
///
/// # Hand-written handlers
///
/// ```
/// use mcp_auth::{guarded, requires_scope};
/// use rmcp::{
///     ErrorData, RoleServer, ServerHandler,
///     model::{GetPromptRequestParams, GetPromptResponse, GetPromptResult, PromptMessage, Role},
///     service::RequestContext,
/// };
///
/// struct Library;
///
/// #[guarded]
/// impl ServerHandler for Library {
///     #[requires_scope("read:notes", owner_fallback, prompt = "notes", access = access)]
///     async fn get_prompt(
///         &self,
///         _request: GetPromptRequestParams,
///         _context: RequestContext<RoleServer>,
///     ) -> Result<GetPromptResponse, ErrorData> {
///         let whose = if access.permits("somebody") { "everybody" } else { access.owner_key() };
///         let text = format!("Summarise the notes of {whose}.");
///         Ok(GetPromptResult::new(vec![PromptMessage::new_text(Role::User, text)]).into())
///     }
/// }
/// ```
///
/// The attribute guards the function, not the name in the request: a handler that serves several names takes the caller out of the context
/// (`Caller::try_from(&context)?`), and hands it to one annotated function for each.
///
/// # Checked while compiling
/// With `policy = "…"` here or on `#[guarded]`: unknown scopes, unknown tools, and a policy that reaches further than the annotation are
/// errors, and an edit of the file rebuilds the crate. The environment variable `MCP_AUTH_COMPILE_POLICY`, an absolute path, replaces the
/// file for the whole build. With neither, the compiler checks nothing; the start-up audit and the check on each call remain.
///
/// # Attribute order
/// Under `#[guarded]` it may stand above or below `#[tool]` and `#[prompt]`, without it only above: they expand first otherwise and hide the
/// name. Likewise above axum's `#[debug_handler]`, which has to see the `Caller`.
///
#[doc = include_str!("expansion.md")]
#[proc_macro_attribute]
pub fn requires_scope(attribute: TokenStream, item: TokenStream) -> TokenStream {
    expand::expand(attribute.into(), item.into()).into()
}

/// Makes a `#[tool]` or `#[prompt]` without `#[requires_scope]` a compile error, and lets the server be audited at start-up.
///
/// Stands above or below `#[tool_router]` and `#[prompt_router]` on the impl block that holds the tools and prompts. On a block of hand-written
/// handlers it tells the audit what they serve.
///
/// ```
/// use mcp_auth::{ToolFailure, guarded, requires_scope};
/// use rmcp::{tool, tool_router};
///
/// struct Notes;
///
/// #[guarded]
/// #[tool_router]
/// impl Notes {
///     #[tool(name = "create-note", description = "Create a note")]
///     #[requires_scope("create:notes")]
///     async fn create_note(&self) -> Result<String, ToolFailure> {
///         Ok("created".into())
///     }
/// }
///
/// fn start(policy: &mcp_auth::Policy) -> Result<(), mcp_auth::AuditErrors> {
///     mcp_auth::audit::<Notes>(policy)?;
///     Ok(())
/// }
/// ```
///
/// | argument | meaning |
/// |---|---|
/// | `policy = "../../policies/todo.yaml"` | the policy file for every function of the block, relative to the package's folder |
/// | `parts(lending, admin)` | on one of several blocks of a type: the others, which the audit is to cover too |
/// | `part = lending` | on each of the others |
/// | `crate = crate::vendor::auth` | where `mcp-auth` is, if not at `::mcp_auth` |
///
/// # Which attributes it sees
/// Attributes are known by the last part of their path: `#[rmcp::tool]` is a tool, and so is any other `#[…::tool]`, which then has to state a
/// requirement. An attribute of somebody else that is called `requires_scope` does not compile here, and one of ours under another name is
/// not seen: the tool states no requirement. On the impl block of a trait only the audit can tell.
///
/// # Several blocks
///
/// ```
/// use mcp_auth::{Denied, guarded, requires_scope};
/// use rmcp::{ServerHandler, tool, tool_handler, tool_router};
///
/// struct Library;
///
/// #[guarded(parts(lending))]
/// #[tool_router]
/// impl Library {
///     #[tool(name = "search")]
///     #[requires_scope(none)]
///     fn search(&self) -> Result<String, Denied> {
///         Ok("found".into())
///     }
/// }
///
/// #[guarded(part = lending)]
/// #[tool_router(router = lending)]
/// impl Library {
///     #[tool(name = "lend")]
///     #[requires_scope("lend")]
///     fn lend(&self) -> Result<String, Denied> {
///         Ok("lent".into())
///     }
/// }
///
/// #[tool_handler(router = (Self::tool_router() + Self::lending()))]
/// impl ServerHandler for Library {}
/// ```
#[proc_macro_attribute]
pub fn guarded(attribute: TokenStream, item: TokenStream) -> TokenStream {
    impl_block::expand(attribute.into(), item.into()).into()
}

/// Runs a test suite of a policy with `cargo test`: one `#[test]` for each cell of its matrix and each of its cases, lists and invariants, and for
/// what `cover: all` demands.
///
/// The same file runs with `mcp-policy test`, and a test that fails shows the same text: what was expected, what the policy answers, which
/// rule decides, and what to write into the suite if the policy is right.
///
/// ```
/// // tests/policy_suite.rs is all it takes:
/// mcp_auth::suite!("../policies/todo.test.yaml");
/// ```
///
/// ```text
/// test cases::alice_deletes_her_own_item ... ok
/// test cover::mutants ... ok
/// test lists::tools_list_as_alice ... ok
/// test matrix::delete_todo_as_alice ... ok
/// ```
///
/// | | |
/// |---|---|
/// | the argument | the path of the suite, relative to the package's folder; the suite names its policy, relative to itself |
/// | what it writes | a module for each part of the suite: `matrix`, `cases`, `lists`, `invariants`, `cover`; so one suite to a module, others go into a `mod` of their own |
/// | names of tests | the suite's, in lower case, with `_` for everything that is no letter or digit; equal ones are numbered: `same_2` |
/// | a mistake in the suite or its policy | does not compile, and the error shows the place in the file; so does a suite without tests |
/// | an edit of suite or policy | rebuilds |
/// | when the tests run | both files are in the test binary: nothing is read, wherever it runs |
/// | `MCP_AUTH_COMPILE_POLICY` | does not matter here: a suite is about the policy that it names |
///
/// A package that is published with its tests must hold both files: a path that leads out of its folder is a file that nobody else has.
#[proc_macro]
pub fn suite(input: TokenStream) -> TokenStream {
    suite::expand(input.into()).into()
}
