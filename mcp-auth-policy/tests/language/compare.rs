//! One question to both engines.

use mcp_auth_policy::{
    Arguments, Because, Decision, OperationId, OperationKind, Ownership, Policy, Reach, Resolved, TokenFacts,
};
use serde_json::{Map, Value};

use crate::naive::{Naive, Names, Token};

pub(crate) fn resolve(policy: &Policy, token: &Token) -> Resolved {
    policy.resolve(&TokenFacts {
        issuer: &token.issuer,
        subject: "me",
        client_id: token.client.as_deref(),
        scopes: &token.scopes,
        claims: &token.claims,
    })
}

pub(crate) fn find(policy: &Policy, (section, name): (&str, &str)) -> OperationId {
    let kind = OperationKind::ALL
        .into_iter()
        .find(|kind| kind.section() == section)
        .unwrap();
    policy.find(kind, name).unwrap()
}

/// The reach and its reason, a forbid by its id.
pub(crate) fn shown(policy: &Policy, decision: Decision) -> (&'static str, String) {
    let because = match decision.because {
        Because::Forbidden(id) => policy.forbid(id).unwrap().id().to_owned(),
        because => because.code().to_owned(),
    };
    (decision.reach.as_str(), because)
}

/// Compares everything that both engines say about a caller, whatever it calls.
pub(crate) fn agree_on_caller(policy: &Policy, naive: &Naive, token: &Token, resolved: &Resolved) {
    let roles: Names = (policy.roles_of(resolved.grants()).into_iter().map(str::to_owned)).collect();
    assert_eq!(roles, naive.roles(token), "{token:?}\n{:#}", naive.0);
}

/// Compares what both say about one operation: its reach and reason, the challenge, each owner, and whether a list shows it.
///
/// Without arguments the question is that of a gate which does not know them. Gives the answer.
pub(crate) fn agree_on_call(
    policy: &Policy,
    naive: &Naive,
    token: &Token,
    resolved: &Resolved,
    operation: (&str, &str),
    arguments: Option<&Map<String, Value>>,
) -> (&'static str, String) {
    let context = || format!("{operation:?} {token:?}\n{arguments:?}\n{:#}", naive.0);
    let (id, grants) = (find(policy, operation), resolved.grants());
    let given = arguments.map_or(Arguments::Unknown, Arguments::Known);
    let carried = naive.carried(token);

    let decision = policy.decide_call(id, grants, given);
    let expected = naive.reach(operation, token, &carried, arguments, true);
    assert_eq!(shown(policy, decision), expected, "{}", context());
    for (owner, code) in [
        (Ownership::Caller, "owner"),
        (Ownership::Other, "not-owner"),
        (Ownership::Absent, "owner-unknown"),
    ] {
        let settled = decision.on_object(owner);
        if expected.0 == "own" {
            assert_eq!(settled.because.code(), code, "{}", context());
            assert_eq!(settled.reach > Reach::Deny, code == "owner", "{}", context());
        } else {
            assert_eq!(settled, decision, "{}", context());
        }
    }
    let challenge = policy.challenge_call(id, grants, given);
    let challenge = challenge.map(|challenge| challenge.scopes);
    assert_eq!(challenge, naive.challenge(operation, token, arguments), "{}", context());
    if arguments.is_none() {
        let best = shown(policy, policy.could_reach(id, grants));
        assert_eq!(
            best,
            naive.reach(operation, token, &carried, None, false),
            "{}",
            context()
        );
        let listed = policy.is_listed(id, grants);
        assert_eq!(listed, naive.is_listed(operation, token), "{}", context());
    }
    expected
}
