//! `owner = …`: the attribute checks the owner itself, and asks for it only where the answer matters.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::{
    borrow::Cow,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use mcp_auth::{Access, AsOwner, Caller, Denied, DeniedReason, Policy, requires_scope, testing};

const POLICY: &str = "
version: 1
policy: owners
scopes: { admin: Everything }
roles: { admin: { scopes: [admin] } }
objects: { note: { owner: owner_id } }
operations:
  delete: { requires: admin, object: note, owner_fallback: true }
";

fn caller(subject: &str, scopes: &[&str]) -> Caller {
    let policy = Arc::new(Policy::parse(POLICY).unwrap_or_else(|errors| panic!("{errors}")));
    let caller = testing::caller(&policy).subject(subject);
    caller.scopes(scopes.iter().copied()).build()
}

#[derive(Debug, PartialEq)]
enum Failure {
    Database,
    Denied(DeniedReason),
}

impl From<Denied> for Failure {
    fn from(denied: Denied) -> Self {
        Self::Denied(denied.reason())
    }
}

/// Holds one note, and counts how often its owner was asked for.
struct Store {
    owner: Option<&'static str>,
    is_broken: bool,
    asked: AtomicUsize,
}

struct UserId(String);

impl AsOwner for UserId {
    fn as_owner(&self) -> Option<&str> {
        Some(&self.0)
    }
}

impl Store {
    fn owned_by(owner: Option<&'static str>) -> Self {
        Self {
            owner,
            is_broken: false,
            asked: AtomicUsize::new(0),
        }
    }

    fn ask(&self) -> Result<Option<String>, Failure> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        if self.is_broken {
            return Err(Failure::Database);
        }
        Ok(self.owner.map(str::to_owned))
    }

    async fn ask_later(&self) -> Result<Option<String>, Failure> {
        std::future::ready(()).await;
        self.ask()
    }

    #[requires_scope("admin", owner_fallback, owner = self.ask()?, name = "delete")]
    fn option(&self, _caller: &Caller) -> Result<&'static str, Failure> {
        Ok("done")
    }

    #[requires_scope("admin", owner_fallback, owner = self.ask_later().await?, name = "delete")]
    async fn later(&self, _: Caller) -> Result<&'static str, Failure> {
        Ok("done")
    }

    #[requires_scope("admin", owner_fallback, owner = self.ask()?.unwrap_or_default(), name = "delete")]
    async fn text(&self, access: Access) -> Result<String, Failure> {
        Ok(access.subject().to_owned())
    }

    #[requires_scope("admin", owner_fallback, name = "delete", owner = {
        self.asked.fetch_add(1, Ordering::Relaxed);
        if self.is_broken {
            return Err(Failure::Database);
        }
        self.owner.unwrap_or("")
    })]
    fn early(&self, _caller: &Caller) -> Result<&'static str, Failure> {
        Ok("done")
    }
}

#[tokio::test]
async fn the_owner_may_and_nobody_else() {
    for (owner, subject, expected) in [
        (Some("alice"), "alice", Ok(())),
        (Some("bob"), "alice", Err(Failure::Denied(DeniedReason::NotOwner))),
        (Some("Alice"), "alice", Err(Failure::Denied(DeniedReason::NotOwner))),
        (Some(""), "alice", Err(Failure::Denied(DeniedReason::NotOwner))),
        (None, "alice", Err(Failure::Denied(DeniedReason::NotOwner))),
        (Some(""), "", Err(Failure::Denied(DeniedReason::OwnerUnknown))),
    ] {
        let store = Store::owned_by(owner);
        let who = || caller(subject, &[]);
        assert_eq!(store.option(&who()).map(drop), expected, "{owner:?}");
        assert_eq!(store.later(who()).await.map(drop), expected, "{owner:?}");
        assert_eq!(store.text(who()).await.map(drop), expected, "{owner:?}");
        assert_eq!(store.early(&who()).map(drop), expected, "{owner:?}");
        let asked = if subject.is_empty() { 0 } else { 4 };
        assert_eq!(store.asked.load(Ordering::Relaxed), asked);
    }
}

#[tokio::test]
async fn nobody_is_asked_for_the_owner_where_every_object_is_in_reach() {
    let store = Store::owned_by(Some("bob"));
    let admin = || caller("alice", &["admin"]);
    assert_eq!(store.option(&admin()), Ok("done"));
    assert_eq!(store.later(admin()).await, Ok("done"));
    assert_eq!(store.text(admin()).await, Ok("alice".into()));
    assert_eq!(store.early(&admin()), Ok("done"));
    assert_eq!(store.asked.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_question_that_fails_is_the_failure_of_the_function() {
    let store = Store {
        is_broken: true,
        ..Store::owned_by(Some("alice"))
    };
    let alice = || caller("alice", &[]);
    assert_eq!(store.option(&alice()), Err(Failure::Database));
    assert_eq!(store.later(alice()).await, Err(Failure::Database));
    assert_eq!(store.text(alice()).await, Err(Failure::Database));
    assert_eq!(store.early(&alice()), Err(Failure::Database));
}

#[test]
fn owners_come_in_many_types() {
    fn is(owner: impl AsOwner, expected: Option<&str>) {
        assert_eq!(owner.as_owner(), expected);
    }
    is("a", Some("a"));
    let text = String::from("a");
    is(&text, Some("a"));
    is(text, Some("a"));
    is(Some("a"), Some("a"));
    is(Some(Some(String::from("a"))), Some("a"));
    is(None::<String>, None);
    is(Cow::Borrowed("a"), Some("a"));
    is(Box::<str>::from("a"), Some("a"));
    is(Arc::<str>::from("a"), Some("a"));
    is(UserId("a".into()), Some("a"));
}

/// Plays a crate that hands `mcp-auth` on under another path, and counts.
mod vendor {
    pub(crate) mod auth {
        pub(crate) mod __private {
            use std::sync::atomic::{AtomicUsize, Ordering};

            pub(crate) use mcp_auth::__private::*;

            pub(crate) static PERMITTED: AtomicUsize = AtomicUsize::new(0);

            pub(crate) fn permit(
                caller: &Caller,
                requirement: &'static mcp_auth::Requirement,
            ) -> Result<(), mcp_auth::Denied> {
                PERMITTED.fetch_add(1, Ordering::Relaxed);
                mcp_auth::__private::permit(caller, requirement)
            }
        }
    }
}

#[requires_scope("admin", name = "delete", crate = crate::vendor::auth)]
fn elsewhere(_caller: &Caller) -> Result<(), Denied> {
    Ok(())
}

#[test]
fn generated_code_names_the_crate_that_it_is_told() {
    assert!(elsewhere(&caller("alice", &["admin"])).is_ok());
    assert!(elsewhere(&caller("alice", &[])).is_err());
    assert_eq!(vendor::auth::__private::PERMITTED.load(Ordering::Relaxed), 2);
}
