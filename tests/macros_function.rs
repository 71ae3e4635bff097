//! `#[requires_scope]` on plain functions and methods.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::{future::Future, pin::Pin, sync::Arc};

use mcp_auth::{Access, Caller, Denied, DeniedReason, Filter, OperationKind, Policy, Reach, requires_scope, testing};

const POLICY: &str = "
version: 1
policy: functions
scopes:
  read: Read everything
  write: Write everything
  extra: Something else
  admin: { about: Everything, implies: [read, write] }
roles:
  reader: { scopes: [read] }
objects:
  note: { owner: owner_id }
operations:
  list: { requires: read, object: note, owner_fallback: true }
  list_borrowed: { requires: read, object: note, owner_fallback: true }
  export-all: { requires: [read, write] }
  either: { requires: { any: [read, write] } }
  hello: { requires: [] }
  implied: { requires: [read, extra] }
  strict_in_policy: { requires: write }
  strict_in_code: { requires: [] }
  own_by_policy: { requires: write, object: note, owner_fallback: true }
  own_without_access: { requires: write, object: note, owner_fallback: true }
  careless: { requires: read, object: note, owner_fallback: true }
  careless_async: { requires: read, object: note, owner_fallback: true }
  careless_boxed: { requires: read, object: note, owner_fallback: true }
  early: { requires: read, object: note, owner_fallback: true }
  generic: { requires: read, object: note, owner_fallback: true }
  first: { requires: read, object: note, owner_fallback: true }
  touch: { requires: read, object: note, owner_fallback: true }
";

fn policy() -> Arc<Policy> {
    Arc::new(Policy::parse(POLICY).unwrap_or_else(|errors| panic!("{errors}")))
}

fn caller(subject: &str, scopes: &[&str]) -> Caller {
    testing::caller(&policy())
        .subject(subject)
        .scopes(scopes.iter().copied())
        .build()
}

/// Whose notes a filter lets through.
fn visible<'a>(access: &Access, owners: &[&'a str]) -> Vec<&'a str> {
    match access.filter() {
        Filter::All => owners.to_vec(),
        Filter::OwnedBy(subject) => owners.iter().copied().filter(|owner| *owner == subject).collect(),
    }
}

#[requires_scope("read", owner_fallback)]
fn list(access: Access, owners: &[&'static str]) -> Result<Vec<&'static str>, Denied> {
    Ok(visible(&access, owners))
}

#[requires_scope("read", owner_fallback)]
async fn list_borrowed<'a>(owners: &'a [String], access: &Access) -> Result<&'a str, Denied> {
    std::future::ready(()).await;
    let mine = owners.iter().find(|owner| access.permits(owner));
    Ok(mine.map_or("", String::as_str))
}

#[requires_scope("read", "write", name = "export-all")]
fn export(caller: &Caller) -> Result<String, Denied> {
    Ok(caller.subject().to_owned())
}

#[requires_scope(any("read", "write"))]
fn either(_: Caller) -> Result<(), Denied> {
    Ok(())
}

#[requires_scope(none)]
async fn hello(caller: Caller) -> Result<String, Denied> {
    Ok(format!("hello {}", caller.subject()))
}

#[requires_scope("read")]
fn strict_in_policy(_caller: &Caller) -> Result<(), Denied> {
    Ok(())
}

#[requires_scope("write")]
fn strict_in_code(_caller: &Caller) -> Result<(), Denied> {
    Ok(())
}

#[requires_scope("read")]
fn own_by_policy(access: Access) -> Result<Reach, Denied> {
    let _ = access.filter();
    Ok(access.reach())
}

#[requires_scope("read")]
fn own_without_access(_caller: &Caller) -> Result<(), Denied> {
    Ok(())
}

#[requires_scope("read")]
fn not_in_policy(_caller: &Caller) -> Result<(), Denied> {
    Ok(())
}

#[requires_scope("read", owner_fallback)]
fn careless(access: Access) -> Result<String, Denied> {
    // Neither of these limits anything: a line in a log must not decide what a caller reaches.
    let _ = (access.reach(), format!("{access:?}"));
    Ok(access.subject().to_owned())
}

#[requires_scope("read", owner_fallback)]
async fn careless_async(access: Access) -> Result<String, Denied> {
    if access.subject() == "early" {
        return Ok("early return".into());
    }
    Ok(access.subject().to_owned())
}

#[requires_scope("read", owner_fallback, name = "careless_boxed")]
fn careless_boxed<'a>(
    ask: bool,
    access: Access,
) -> Pin<Box<dyn Future<Output = Result<&'static str, Denied>> + Send + 'a>> {
    Box::pin(async move {
        std::future::ready(()).await;
        if ask {
            access.check_owner("alice")?;
        }
        Ok("done")
    })
}

#[derive(Debug, PartialEq)]
enum NoteError {
    Missing,
    Denied(DeniedReason),
}

impl From<Denied> for NoteError {
    fn from(denied: Denied) -> Self {
        Self::Denied(denied.reason())
    }
}

#[requires_scope("read", owner_fallback)]
async fn early(access: Access, owner: Option<&str>) -> Result<Box<dyn std::fmt::Display + Send>, NoteError> {
    let owner = owner.ok_or(NoteError::Missing)?;
    access
        .check_owner(owner)
        .map_err(|denied| denied.or_not_found(NoteError::Missing))?;
    Ok(Box::new(owner.len()))
}

#[requires_scope("read", owner_fallback)]
fn generic<T: AsRef<str> + Clone, const N: usize>(mut access: Access, owners: [T; N]) -> Result<Vec<T>, Denied> {
    let _ = &mut access;
    Ok(owners
        .iter()
        .filter(|owner| access.permits(owner.as_ref()))
        .cloned()
        .collect())
}

struct Notes(Vec<String>);

impl Notes {
    #[requires_scope("read", owner_fallback)]
    fn first(&mut self, access: Access) -> Result<&mut String, Denied> {
        let note = &mut self.0[0];
        access.check_owner(note)?;
        Ok(note)
    }
}

trait Touch {
    async fn touch(&self, caller: Caller) -> Result<usize, Denied>;
}

impl Touch for Notes {
    #[requires_scope("read", owner_fallback)]
    async fn touch(&self, access: Access) -> Result<usize, Denied> {
        Ok(self.0.iter().filter(|owner| access.permits(owner)).count())
    }
}

const OWNERS: &[&str] = &["alice", "bob", ""];

#[test]
fn a_scope_reaches_everything_and_without_it_the_own_objects() {
    assert_eq!(list(caller("alice", &["read"]), OWNERS).unwrap(), OWNERS);
    assert_eq!(list(caller("alice", &["admin"]), OWNERS).unwrap(), OWNERS);
    assert_eq!(list(caller("alice", &[]), OWNERS).unwrap(), ["alice"]);
    assert_eq!(
        list(caller("alice", &["write", "unheard-of"]), OWNERS).unwrap(),
        ["alice"]
    );
}

#[test]
fn an_empty_subject_owns_nothing() {
    let denied = list(caller("", &[]), OWNERS).unwrap_err();
    assert_eq!(denied.reason(), DeniedReason::OwnerUnknown);
    assert_eq!(list(caller("", &["read"]), OWNERS).unwrap(), OWNERS);
}

#[tokio::test]
async fn a_borrowed_access_takes_a_borrowed_caller() {
    let owners = ["bob".to_owned(), "alice".to_owned()];
    assert_eq!(list_borrowed(&owners, &caller("alice", &[])).await.unwrap(), "alice");
    assert_eq!(
        list_borrowed(&owners, &caller("alice", &["read"])).await.unwrap(),
        "bob"
    );
}

#[test]
fn all_listed_scopes_are_needed() {
    assert_eq!(export(&caller("alice", &["read", "write"])).unwrap(), "alice");
    let denied = export(&caller("alice", &["write"])).unwrap_err();
    assert_eq!(denied.operation(), "export-all");
    assert_eq!(denied.reason(), DeniedReason::MissingScope);
    assert_eq!(denied.scopes(), ["read", "write"]);
    assert_eq!(denied.missing_scopes(), ["read"]);
    assert_eq!(
        denied.to_string(),
        "`export-all` needs the scopes `read`, `write`, of which this access token lacks the scope `read`; ask the user to grant access, \
         then try again"
    );
}

#[tokio::test]
async fn any_needs_one_and_none_needs_nothing() {
    assert!(either(caller("alice", &["write"])).is_ok());
    assert_eq!(either(caller("alice", &[])).unwrap_err().scopes(), ["read"]);
    assert_eq!(hello(caller("alice", &[])).await.unwrap(), "hello alice");
}

#[test]
fn the_stricter_of_policy_and_annotation_counts() {
    assert_eq!(
        strict_in_policy(&caller("a", &["read"])).unwrap_err().scopes(),
        ["write"]
    );
    assert!(strict_in_policy(&caller("a", &["read", "write"])).is_ok());
    assert_eq!(strict_in_code(&caller("a", &["read"])).unwrap_err().scopes(), ["write"]);
    assert!(strict_in_code(&caller("a", &["write"])).is_ok());
    assert_eq!(own_by_policy(caller("a", &["read"])).unwrap(), Reach::Own);
    assert_eq!(own_by_policy(caller("a", &["admin"])).unwrap(), Reach::Any);
    assert!(own_by_policy(caller("a", &["write"])).is_err());
}

#[test]
fn where_code_and_policy_demand_different_scopes_both_are_asked_for() {
    let denied = strict_in_policy(&caller("a", &[])).unwrap_err();
    assert_eq!(denied.scopes(), ["write", "read"]);
}

#[test]
fn a_held_scope_that_implies_another_is_not_missing() {
    #[requires_scope("read", "extra", name = "implied")]
    fn implied(_caller: &Caller) -> Result<(), Denied> {
        Ok(())
    }
    let denied = implied(&caller("a", &["admin"])).unwrap_err();
    assert_eq!(denied.scopes(), ["read", "extra"]);
    assert_eq!(denied.missing_scopes(), ["extra"]);
}

#[test]
fn a_scope_that_cannot_help_is_not_asked_for() {
    #[requires_scope("undeclared", name = "hello")]
    fn undeclared(_caller: &Caller) -> Result<(), Denied> {
        Ok(())
    }
    let denied = undeclared(&caller("a", &["admin"])).unwrap_err();
    assert!(denied.scopes().is_empty());
    assert!(
        denied.to_string().contains("no further scope would change that"),
        "{denied}"
    );
}

#[test]
fn a_function_without_access_cannot_be_limited_to_own_objects() {
    assert!(own_without_access(&caller("a", &["admin"])).is_ok());
    let denied = own_without_access(&caller("a", &["read"])).unwrap_err();
    assert_eq!(denied.reason(), DeniedReason::OwnershipUnchecked);
}

#[test]
fn an_operation_that_the_policy_does_not_list_is_denied() {
    let denied = not_in_policy(&caller("a", &["admin"])).unwrap_err();
    assert_eq!(denied.reason(), DeniedReason::UnknownOperation);
    assert!(denied.scopes().is_empty());
}

#[tokio::test]
async fn a_success_that_ignored_its_limit_is_refused() {
    assert_eq!(careless(caller("alice", &["read"])).unwrap(), "alice");
    assert_eq!(
        careless(caller("alice", &[])).unwrap_err().reason(),
        DeniedReason::OwnershipUnchecked
    );
    for subject in ["alice", "early"] {
        let denied = careless_async(caller(subject, &[])).await.unwrap_err();
        assert_eq!(denied.reason(), DeniedReason::OwnershipUnchecked);
        assert!(!denied.to_string().contains(subject));
    }
}

#[tokio::test]
async fn a_boxed_future_is_asked_when_it_ends() {
    assert_eq!(careless_boxed(true, caller("alice", &[])).await.unwrap(), "done");
    assert_eq!(careless_boxed(false, caller("alice", &["read"])).await.unwrap(), "done");
    let denied = careless_boxed(false, caller("alice", &[])).await.unwrap_err();
    assert_eq!(denied.reason(), DeniedReason::OwnershipUnchecked);
    assert_eq!(
        careless_boxed(true, caller("bob", &[])).await.unwrap_err().reason(),
        DeniedReason::NotOwner
    );
}

#[tokio::test]
async fn somebody_elses_object_and_a_missing_one_look_the_same() {
    assert_eq!(early(caller("alice", &[]), None).await.err(), Some(NoteError::Missing));
    assert_eq!(
        early(caller("alice", &[]), Some("bob")).await.err(),
        Some(NoteError::Missing)
    );
    assert_eq!(
        early(caller("alice", &[]), Some("")).await.err(),
        Some(NoteError::Missing)
    );
    assert_eq!(
        early(caller("alice", &[]), Some("alice")).await.unwrap().to_string(),
        "5"
    );
    assert_eq!(
        early(caller("alice", &["read"]), Some("bob"))
            .await
            .unwrap()
            .to_string(),
        "3"
    );
    assert_eq!(
        early(caller("", &[]), Some("")).await.err(),
        Some(NoteError::Denied(DeniedReason::OwnerUnknown))
    );
}

#[tokio::test]
async fn generics_methods_and_trait_methods_are_guarded() {
    assert_eq!(generic(caller("alice", &[]), ["alice", "bob"]).unwrap(), ["alice"]);
    let mut notes = Notes(vec!["alice".into(), "bob".into()]);
    notes.first(caller("alice", &[])).unwrap().push('!');
    assert_eq!(notes.0, ["alice!", "bob"]);
    assert_eq!(notes.first(caller("alice", &[])).unwrap_err().to_string(), "not found");
    assert_eq!(notes.touch(caller("bob", &[])).await.unwrap(), 1);
}

#[test]
fn the_sql_filter_binds_the_subject() {
    #[requires_scope("read", owner_fallback, name = "list")]
    fn clause(access: Access) -> Result<(String, Option<String>), Denied> {
        let filter = access.sql("owner_id", 2);
        Ok((filter.clause().to_owned(), filter.bind().map(str::to_owned)))
    }
    assert_eq!(
        clause(caller("alice", &[])).unwrap(),
        ("(owner_id = $2)".into(), Some("alice".into()))
    );
    assert_eq!(clause(caller("alice", &["read"])).unwrap(), ("(TRUE)".into(), None));
}

#[test]
fn a_caller_tells_what_the_policy_alone_says() {
    let ask = |caller: &Caller, name: &str| caller.reach(OperationKind::Operation, name);
    assert_eq!(ask(&caller("alice", &["read"]), "list"), Ok(Reach::Any));
    assert_eq!(ask(&caller("alice", &[]), "list"), Ok(Reach::Own));
    assert_eq!(
        ask(&caller("", &[]), "list").unwrap_err().reason(),
        DeniedReason::OwnerUnknown
    );
    assert_eq!(
        ask(&caller("alice", &["admin"]), "nothing").unwrap_err().reason(),
        DeniedReason::UnknownOperation
    );
    let denied = ask(&caller("alice", &["read"]), "export-all").unwrap_err();
    assert_eq!(denied, export(&caller("alice", &["read"])).unwrap_err());
    assert_eq!(denied.missing_scopes(), ["write"]);
}

#[test]
fn a_role_brings_its_scopes_to_a_test_caller() {
    let reader = testing::caller(&policy()).role("reader").build();
    assert_eq!(reader.auth().scopes(), ["read"]);
    assert_eq!(reader.decide(OperationKind::Operation, "list").reach, Reach::Any);
    assert_eq!(reader.decide(OperationKind::Tool, "list").reach, Reach::Deny);
}
