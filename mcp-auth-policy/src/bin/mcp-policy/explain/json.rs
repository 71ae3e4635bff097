//! An explanation for machines.

use mcp_auth_policy::{Because, Explanation, Ownership, Reach, ScopeAnswer};
use serde::Serialize;

use super::Asked;
use crate::call;

#[derive(Serialize)]
pub(super) struct Answer<'a> {
    policy: &'a str,
    file: &'a str,
    revision: &'a str,
    call: &'a str,
    reach: &'static str,
    because: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    /// False for a token that was decoded and not verified; absent if none was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    token_verified: Option<bool>,
    scopes: &'a [String],
    roles: Vec<&'a str>,
    forbids: Vec<Forbid<'a>>,
    requires: Vec<Vec<Scope<'a>>>,
    owner: Option<&'static str>,
    owner_fallback: Option<Vec<Scope<'a>>>,
    allowed_with: &'a [Vec<String>],
    allowed_as_owner_with: &'a [Vec<String>],
    challenge: Option<Challenge<'a>>,
}

#[derive(Serialize)]
struct Forbid<'a> {
    id: &'a str,
    line: usize,
    /// `null`: that depends on arguments.
    applies: Option<bool>,
    why: &'a str,
}

#[derive(Serialize)]
struct Scope<'a> {
    scope: &'a str,
    held: bool,
}

#[derive(Serialize)]
struct Challenge<'a> {
    scopes: &'a [String],
    missing: &'a [String],
    /// False where the answer hides that the object exists.
    sent: bool,
}

pub(super) fn answer<'a>(asked: &Asked<'a>, explanation: &'a Explanation) -> Answer<'a> {
    let forbids = explanation.forbids.iter().map(|forbid| Forbid {
        id: &forbid.id,
        line: forbid.line,
        applies: forbid.applies,
        why: &forbid.why,
    });
    let fallback = explanation.owner_fallback.as_ref();
    Answer {
        reach: explanation.decision.reach.as_str(),
        because: call::because(asked.policy, explanation.decision),
        line: Some(explanation.line),
        scopes: &explanation.held,
        forbids: forbids.collect(),
        requires: explanation.requires.iter().map(|all| scopes(all)).collect(),
        owner_fallback: fallback.map(|fallback| scopes(&fallback.scopes)),
        allowed_with: &explanation.sufficient.for_any,
        allowed_as_owner_with: &explanation.sufficient.for_own,
        challenge: explanation.challenge.as_ref().map(|challenge| Challenge {
            scopes: &challenge.scopes,
            missing: &challenge.missing,
            sent: !asked.is_hidden(explanation),
        }),
        ..unlisted(asked)
    }
}

pub(super) fn unlisted<'a>(asked: &Asked<'a>) -> Answer<'a> {
    Answer {
        policy: asked.policy.name(),
        file: asked.policy.file_name(),
        revision: asked.policy.revision(),
        call: asked.call,
        reach: Reach::Deny.as_str(),
        because: Because::UnknownOperation.code(),
        line: None,
        token_verified: asked.caller.unverified.then_some(false),
        scopes: &[],
        roles: asked.policy.roles_of(asked.caller.resolved.grants()),
        forbids: Vec::new(),
        requires: Vec::new(),
        owner: asked.owner.map(|owner| match owner {
            Ownership::Caller => "me",
            Ownership::Other => "other",
            Ownership::Absent => "absent",
        }),
        owner_fallback: None,
        allowed_with: &[],
        allowed_as_owner_with: &[],
        challenge: None,
    }
}

fn scopes(answers: &[ScopeAnswer]) -> Vec<Scope<'_>> {
    let answers = answers.iter();
    answers
        .map(|answer| Scope {
            scope: &answer.scope,
            held: answer.held,
        })
        .collect()
}
