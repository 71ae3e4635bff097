//! The policy's answer about what a message names, whatever transport it came by.

use mcp_auth_policy::{OperationId, OperationKind, Reach};
use serde_json::{Map, Value};

use super::message::{Ask, Target};
use crate::{Caller, Denied, DeniedReason, PolicyHandle, decision_record::Stage};

/// A name that no tool of a policy can have (`:` is outside MCP's character set), so that the server answers "unknown tool" in its own words.
pub(crate) const NO_SUCH_TOOL: &str = "mcp-auth:not-in-the-policy";

/// How a denied operation is answered.
pub(crate) enum Refused {
    /// As one that does not exist.
    Unknown,
    Denied(Denied),
}

/// Tells whether a method is there at all: for a policy without prompts, there is no method to get one either.
pub(crate) fn exists(ask: &Ask, caller: &Caller) -> bool {
    let policy = caller.policy();
    match ask {
        Ask::Operation(target) | Ask::Complete(target) => policy.declares_any(target.kind()),
        Ask::Listen(uris) => uris.is_empty() || policy.declares_any(OperationKind::Resource),
        // A list of no tools is an answer; a server without prompts or resources has no method to list them.
        Ask::List(kind) => *kind == OperationKind::Tool || policy.declares_any(*kind),
        Ask::Anyone | Ask::Task(_) => true,
        Ask::Unknown => false,
    }
}

/// Asks the policy, and makes the decision final.
pub(crate) fn decide(target: &Target, caller: &Caller) -> Result<Reach, Refused> {
    let kind = target.kind();
    // What follows, a record among it, knows the name in the policy and not the URI, which may say a lot.
    let name = match target {
        Target::Tool(name) | Target::Prompt(name) | Target::Template(name) => name.as_str(),
        Target::Resource(_) => {
            let declared = find(target, caller).and_then(|id| caller.policy().operation(id));
            declared.map_or("", |declared| declared.name())
        }
    };
    let decision = caller.reach(kind, name);
    caller.settle(Stage::Gate, kind, name, decision).map_err(|denied| {
        // Whoever wrote a message wants refused callers to read it.
        let hidden = !is_shown(caller, target) && !denied.has_message();
        if hidden || denied.reason() == DeniedReason::UnknownOperation {
            Refused::Unknown
        } else {
            Refused::Denied(denied)
        }
    })
}

/// Asks the policy about what no function will look at again, so that nobody would find out whose object it is: only the caller's own is not enough.
pub(crate) fn decide_for_good(target: &Target, caller: &Caller) -> Result<(), Refused> {
    match decide(target, caller)? {
        Reach::Any => Ok(()),
        Reach::Own | Reach::Deny => Err(Refused::Unknown),
    }
}

/// Tells whether a call that was allowed may succeed only if the guard of its function ran: where it is known to have one, and where only that can
/// tell whose object it is.
pub(crate) fn needs_guard(caller: &Caller, reach: Reach, handle: Option<&PolicyHandle>) -> bool {
    reach != Reach::Any || handle.is_some_and(|handle| caller.admitted_to(handle))
}

/// Tells whether a list shows it to this caller.
pub(crate) fn is_shown(caller: &Caller, target: &Target) -> bool {
    find(target, caller).is_some_and(|operation| caller.policy().is_listed(operation, caller.grants()))
}

fn find(target: &Target, caller: &Caller) -> Option<OperationId> {
    let policy = caller.policy();
    match target {
        Target::Resource(uri) => policy.find_resource(uri),
        Target::Tool(name) | Target::Prompt(name) | Target::Template(name) => policy.find(target.kind(), name),
    }
}

/// Hands the arguments of a call to its caller, here and for the guard, if a forbid reads them.
///
/// What is no object leaves them unknown, so that the forbid stands; the transport would refuse it anyway. So do arguments that the server did
/// not declare: they could carry the forbidden value under another name.
pub(crate) fn with_arguments(
    caller: &Caller,
    target: &Target,
    message: &[u8],
    handle: Option<&PolicyHandle>,
) -> Option<Caller> {
    let (Target::Tool(name) | Target::Prompt(name)) = target else {
        return None;
    };
    let (kind, policy) = (target.kind(), caller.policy());
    let operation = policy.find(kind, name)?;
    if !policy.reads_arguments(operation) {
        return None;
    }
    let arguments = arguments(message)?;
    let declared = handle?.declares(kind, name, arguments.keys().map(String::as_str));
    declared.then(|| caller.with_call(kind, name.clone(), arguments))
}

/// Reads `params.arguments` as the transport does: absent and `null` are no arguments.
fn arguments(message: &[u8]) -> Option<Map<String, Value>> {
    let mut message: Value = serde_json::from_slice(message).ok()?;
    match message.pointer_mut("/params/arguments").map(Value::take) {
        None | Some(Value::Null) => Some(Map::new()),
        Some(Value::Object(arguments)) => Some(arguments),
        Some(_) => None,
    }
}
