//! The policy of the to-do server means what its documentation says.

#![allow(clippy::unwrap_used, reason = "tests")]

use mcp_auth_policy::{Annotation, Because, OperationKind, Ownership, Policy, Reach};

const TODO: &str = include_str!("../../policies/todo.yaml");

fn reach(policy: &Policy, tool: &str, scopes: &[&str]) -> Reach {
    let id = policy.find(OperationKind::Tool, tool).unwrap();
    policy.decide(id, &policy.grants(scopes.iter().copied())).reach
}

#[test]
fn every_tool_reaches_what_the_permission_table_says() {
    let policy = Policy::loader()
        .file_name("policies/todo.yaml")
        .parse(TODO)
        .unwrap_or_else(|e| panic!("{e}"));
    assert!(policy.warnings().is_empty());
    let table = [
        ("create-todo", &["create:todos"][..], Reach::Any),
        ("create-todo", &["read:todos", "delete:todos"], Reach::Deny),
        ("get-todos", &["create:todos"], Reach::Own),
        ("get-todos", &["read:todos"], Reach::Any),
        ("delete-todo", &["read:todos"], Reach::Own),
        ("delete-todo", &["delete:todos", "openid"], Reach::Any),
    ];
    for (tool, scopes, expected) in table {
        assert_eq!(reach(&policy, tool, scopes), expected, "{tool} {scopes:?}");
    }
    assert_eq!(policy.name(), "todo-manager");
    assert_eq!(policy.revision().len(), 64);
    assert_eq!(
        policy.scopes_of_role("admin").unwrap(),
        ["create:todos", "read:todos", "delete:todos"]
    );
    assert_eq!(policy.scopes_of_role("user").unwrap(), ["create:todos"]);
    assert_eq!(policy.scopes_of_role("root"), None);
    assert_eq!(
        policy.advertised_scopes(),
        ["create:todos", "read:todos", "delete:todos"]
    );
    assert_eq!(policy.suggest_scope("raed:todos"), Some("read:todos"));
    assert_eq!(
        policy.suggest_operation(OperationKind::Tool, "delete_todo"),
        Some("delete-todo")
    );
}

#[test]
fn an_item_of_somebody_else_is_refused_and_the_challenge_names_the_scope() {
    let policy = Policy::parse(TODO).unwrap();
    let id = policy.find(OperationKind::Tool, "delete-todo").unwrap();
    let grants = policy.grants(["create:todos"]);
    let decision = policy.decide(id, &grants);
    assert_eq!(decision.on_object(Ownership::Caller).because, Because::Owner);
    assert_eq!(decision.on_object(Ownership::Other).because, Because::NotOwner);
    assert_eq!(decision.on_object(Ownership::Absent).because, Because::OwnerUnknown);
    let challenge = policy.challenge(id, &grants).unwrap();
    assert_eq!(
        (challenge.scopes, challenge.missing),
        (vec!["delete:todos".to_owned()], vec!["delete:todos".to_owned()])
    );
    assert_eq!(policy.challenge(id, &policy.grants(["delete:todos"])), None);
}

#[test]
fn an_annotation_that_is_stricter_than_the_policy_is_named_with_a_caller() {
    let policy = Policy::parse(TODO).unwrap();
    let id = policy.find(OperationKind::Tool, "delete-todo").unwrap();
    let same = Annotation {
        requires: &[&["delete:todos"]],
        owner_fallback: true,
    };
    assert_eq!(policy.compare(id, &same), Ok(()));
    let without_fallback = Annotation {
        owner_fallback: false,
        ..same
    };
    let looser = policy.compare(id, &without_fallback).unwrap_err();
    assert_eq!(
        (looser.policy_reach, looser.annotation_reach, looser.line),
        (Reach::Own, Reach::Deny, 17)
    );
    assert!(looser.example_scopes.is_empty());
}
