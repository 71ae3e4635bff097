//! What a new policy has to pass, and who still ends on the old one.

use super::*;

#[test]
fn a_replacement_has_to_pass_what_is_required_of_it() {
    let strict = POLICY.replace("requires: create:todos", "requires: [create:todos, delete:todos]");
    let handle = PolicyHandle::from(policy(POLICY));
    handle.require_audit::<Tools>().unwrap();
    let before = handle.current();
    handle.replace(policy(&strict)).unwrap();
    assert_eq!(handle.current().revision(), policy(&strict).revision());
    assert_eq!(
        before.revision(),
        policy(POLICY).revision(),
        "who holds the old one keeps it"
    );

    for (text, expected) in [
        (
            POLICY.replace("requires: create:todos", "requires: []"),
            "`create-todo`",
        ),
        (
            POLICY.to_owned() + "  rename-todo: { requires: create:todos }\n",
            "rename-todo",
        ),
    ] {
        let refused = handle.replace(policy(&text)).unwrap_err();
        assert!(
            matches!(refused, ReloadRefused::Check(_)) && refused.to_string().contains(expected),
            "{refused}"
        );
        let status = handle.status();
        assert_eq!((status.reloads(), status.revision()), (1, policy(&strict).revision()));
        assert_eq!(status.last_error().unwrap().text(), refused.to_string());
    }
    handle.replace(policy(POLICY)).unwrap();
    let status = handle.status();
    assert_eq!((status.reloads(), status.refused(), status.last_error()), (2, 2, None));

    let narrow = PolicyHandle::new(policy(&strict), ReloadMode::NarrowOnly);
    let Err(ReloadRefused::Widens(diff)) = narrow.replace(policy(POLICY)) else {
        panic!("it widens")
    };
    let [change] = diff.changes() else { panic!("{diff}") };
    assert_eq!(
        change.to_string(),
        "create-todo  deny -> any  callers holding create:todos without delete:todos"
    );
    narrow.replace(policy(&strict)).unwrap();
}

/// Stops the request in the hook until the policy was replaced, and then has the guard decide.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_under_way_ends_on_the_policy_it_began_with() {
    let handle = PolicyHandle::from(policy(POLICY));
    let closed = POLICY.replace("requires: create:todos", "requires: [create:todos, delete:todos]");
    let (from_hook, to_hook) = (handle.clone(), policy(&closed));
    let to_hook = Mutex::new(Some(to_hook));
    let (server, written) = recording(|builder| {
        builder.policy(handle.clone()).after_decision(move |_| {
            if let Some(next) = to_hook.lock().unwrap().take() {
                from_hook.replace(next).unwrap();
            }
            Verdict::Keep
        })
    })
    .await;
    let alice = server.token("alice", &["create:todos"]);
    let content = json!({ "content": "x" });
    // Replaced between gate and guard: the guard would deny by the new policy.
    assert_eq!(
        server.call(&alice, "create-todo", content.clone()).await.status,
        StatusCode::OK
    );
    assert_eq!(server.ran(), 1);
    assert_eq!(
        server.call(&alice, "create-todo", content).await.status,
        StatusCode::FORBIDDEN
    );
    let revisions: Vec<Value> = written
        .records(2)
        .await
        .iter()
        .map(|record| record["revision"].clone())
        .collect();
    assert_eq!(revisions, [policy(POLICY).revision(), policy(&closed).revision()]);
}
