//! Random policies of the whole language: what is printed closes every gap, and what is proved holds for random callers.

use mcp_auth_policy::{Arguments, OperationKind, Policy, Reach, Resolved, TokenFacts, suite::TestKind};
use serde_json::{Value, json};

use crate::{
    cover::{START, closed},
    generate::{self, OPERATIONS, Random},
    invariants::failure_of,
    naive::Token,
    run,
};

fn policies(seed: u64, count: usize) -> impl Iterator<Item = (Policy, Random)> {
    let mut random = Random::new(seed);
    let mut seeds = 0;
    let policies = std::iter::repeat_with(move || {
        seeds += 1;
        let policy = Policy::parse(&generate::policy(&mut random).to_string()).ok();
        Some((policy?, Random::new(seed + seeds)))
    });
    policies.flatten().take(count)
}

/// A token that a verifier could have let through.
fn token(random: &mut Random, policy: &Policy) -> Option<Token> {
    let mut token = generate::token(random);
    token.claims.insert("iss".to_owned(), json!(token.issuer));
    if !token.scopes.is_empty() {
        token.claims.insert("scope".to_owned(), json!(token.scopes.join(" ")));
    }
    policy.check_issuers([token.issuer.as_str()]).is_ok().then_some(token)
}

fn resolve(policy: &Policy, token: &Token) -> Resolved {
    policy.resolve(&TokenFacts {
        issuer: &token.issuer,
        subject: "me",
        client_id: token.client.as_deref(),
        scopes: &token.scopes,
        claims: &token.claims,
    })
}

fn kind(section: &str) -> OperationKind {
    let mut kinds = OperationKind::ALL.into_iter();
    kinds.find(|kind| kind.section() == section).unwrap()
}

fn called(section: &str, name: &str) -> String {
    match kind(section) {
        OperationKind::Tool => name.to_owned(),
        kind => format!("\"{}:{name}\"", kind.as_str()),
    }
}

#[test]
fn the_printed_rows_close_every_gap_of_any_policy() {
    for (policy, _) in policies(1, 40) {
        let suite = closed(&policy, START);
        assert!(run(&policy, &suite).is_ok());
    }
}

#[test]
fn no_random_caller_breaks_what_was_proved() {
    let (mut proved, mut refuted, mut tried) = (0, 0, 0);
    for (policy, mut random) in policies(2, 60) {
        for (section, name) in OPERATIONS {
            let id = policy.find(kind(section), name).unwrap();
            let call = called(section, name);
            let (owner, least) = [("other", Reach::Any), ("me", Reach::Own)][random.below(2)];
            let scope = ["a", "b", "c", "d"][random.below(4)];
            let claim = format!("tool: {call}, owner: {owner}, needs: {scope}");
            if failure_of(&policy, &call, &claim).is_some() {
                refuted += 1;
                continue;
            }
            proved += 1;
            for _ in 0..60 {
                let Some(token) = token(&mut random, &policy) else {
                    continue;
                };
                let resolved = resolve(&policy, &token);
                let arguments = generate::arguments(&mut random);
                let reach = policy
                    .decide_call(id, resolved.grants(), Arguments::Known(&arguments))
                    .reach;
                assert!(
                    reach < least || policy.holds(resolved.grants(), scope),
                    "{claim}: {token:?} {arguments:?}\n{}",
                    policy.canonical()
                );
                tried += 1;
            }
        }
    }
    assert!(
        proved > 50 && refuted > 50 && tried > 1000,
        "{proved} {refuted} {tried}"
    );
}

#[test]
fn no_random_caller_with_a_role_breaks_what_was_proved() {
    let (mut proved, mut refuted, mut tried) = (0, 0, 0);
    for (policy, mut random) in policies(3, 60) {
        for (section, name) in OPERATIONS {
            let id = policy.find(kind(section), name).unwrap();
            let call = called(section, name);
            let role = ["user", "admin", "auditor"][random.below(3)];
            let claim = format!("as: {role}, owner: me, never: [{call}]");
            if failure_of(&policy, &call, &claim).is_some() {
                refuted += 1;
                continue;
            }
            proved += 1;
            for _ in 0..60 {
                let Some(mut token) = token(&mut random, &policy) else {
                    continue;
                };
                // As the issuer issues it for the role alone.
                let scopes: Vec<&str> = policy.scopes_of_role(role).unwrap();
                token.scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
                let written = [role, "staff", "boss"][random.below(3)];
                token.claims.insert("scope".to_owned(), json!(scopes.join(" ")));
                for claim in ["scp", "https://x/scopes"] {
                    token.claims.insert(claim.to_owned(), json!(scopes));
                }
                token.claims.insert("groups".to_owned(), json!([written]));
                token.claims.insert("realm".to_owned(), json!({ "roles": [written] }));
                let resolved = resolve(&policy, &token);
                let has_roles = !policy.roles_of(resolved.grants()).is_empty();
                let named = [("staff", "user"), ("boss", "admin")];
                let means = named
                    .iter()
                    .find(|(name, _)| *name == written)
                    .map_or(written, |(_, role)| role);
                if has_roles && means != role {
                    continue;
                }
                let arguments = generate::arguments(&mut random);
                let reach = policy
                    .decide_call(id, resolved.grants(), Arguments::Known(&arguments))
                    .reach;
                // Without any role it is another caller where the policy reads roles; scopes that are not held are one less still.
                let holds_all = scopes.iter().all(|scope| policy.holds(resolved.grants(), scope));
                assert!(
                    reach == Reach::Deny || !holds_all,
                    "{claim}: {token:?} {arguments:?}\n{}",
                    policy.canonical()
                );
                tried += 1;
            }
        }
    }
    assert!(
        proved > 30 && refuted > 50 && tried > 1000,
        "{proved} {refuted} {tried}"
    );
}

#[test]
fn no_random_caller_loses_by_a_scope_what_was_proved() {
    let (mut proved, mut refuted) = (0, 0);
    for (policy, mut random) in policies(4, 200) {
        let (section, name) = OPERATIONS[0];
        if let Some(failure) = failure_of(&policy, &called(section, name), "monotone: true") {
            assert_eq!(failure.kind(), TestKind::Invariant);
            refuted += usize::from(failure.actual() == "somebody does");
            continue;
        }
        proved += 1;
        for _ in 0..100 {
            let Some(token) = token(&mut random, &policy) else {
                continue;
            };
            let resolved = resolve(&policy, &token);
            let arguments = generate::arguments(&mut random);
            for (section, name) in OPERATIONS {
                let id = policy.find(kind(section), name).unwrap();
                for scope in ["a", "b", "c", "d"] {
                    let more = policy.with_scopes(resolved.grants(), [scope]);
                    let reach = |grants| policy.decide_call(id, grants, Arguments::Known(&arguments)).reach;
                    assert!(
                        reach(&more) >= reach(resolved.grants()),
                        "{token:?} {scope}\n{}",
                        policy.canonical()
                    );
                }
            }
        }
    }
    assert!(proved > 30 && refuted > 10, "{proved} {refuted}");
}

/// One change of a policy, as `cover: all` describes it.
fn changes(policy: &Value) -> Vec<(String, Value)> {
    let mut changes = Vec::new();
    for (section, key, what) in [("scopes", "implies", "scope"), ("roles", "includes", "role")] {
        for (name, entry) in policy[section].as_object().unwrap() {
            for (place, other) in entry[key].as_array().into_iter().flatten().enumerate() {
                let mut changed = policy.clone();
                changed[section][name][key].as_array_mut().unwrap().remove(place);
                let other = other.as_str().unwrap();
                changes.push((format!("{what} `{name}`: `{other}` dropped from `{key}`"), changed));
            }
        }
    }
    let mut mappings = vec![("`callers.default`".to_owned(), "/callers/default".to_owned())];
    for issuer in policy["callers"]["issuers"]
        .as_object()
        .into_iter()
        .flat_map(|issuers| issuers.keys())
    {
        mappings.push((
            format!("issuer `{issuer}`"),
            format!("/callers/issuers/{}", issuer.replace('/', "~1")),
        ));
    }
    for (whose, place) in mappings {
        let mut changed = policy.clone();
        let Some(mapping) = changed.pointer_mut(&place) else {
            continue;
        };
        if mapping["scopes"].is_null() || mapping["roles"].is_null() {
            continue;
        }
        let other = if mapping["combine"] == json!("union") {
            "intersection"
        } else {
            "union"
        };
        mapping["combine"] = json!(other);
        changes.push((format!("{whose}: `combine: {other}`"), changed));
    }
    for (section, name) in OPERATIONS {
        let called = called(section, name).replace('"', "");
        if policy[section][name]["requires"] != json!([]) {
            let mut changed = policy.clone();
            changed[section][name]["requires"] = json!([]);
            changes.push((format!("`{called}`: `requires` dropped"), changed));
            if !policy[section][name]["owner_fallback"].is_null() {
                let mut changed = policy.clone();
                changed[section][name].as_object_mut().unwrap().remove("owner_fallback");
                changes.push((format!("`{called}`: `owner_fallback` dropped"), changed));
            }
        }
    }
    changes
}

#[test]
fn a_changed_file_fails_the_suite_unless_the_change_was_found_to_be_equivalent() {
    let (mut killed, mut equivalent) = (0, 0);
    for (policy, _) in policies(5, 80) {
        let suite = closed(&policy, START);
        let notes = run(&policy, &suite).notes().to_vec();
        if notes.len() >= 20 {
            // Some are not shown.
            continue;
        }
        let tests = suite.replace("cover: all\n", "");
        let written: Value = serde_json::from_str(policy.canonical()).unwrap();
        for (what, changed) in changes(&written) {
            let changed = Policy::parse(&changed.to_string()).unwrap();
            let is_noted = notes
                .iter()
                .any(|note| note.starts_with(&format!("equivalent: {what} (")));
            let is_ok = run(&changed, &tests).is_ok();
            assert_eq!(is_ok, is_noted, "{what}\n{}\n{suite}{notes:#?}", policy.canonical());
            equivalent += usize::from(is_ok);
            killed += usize::from(!is_ok);
        }
    }
    assert!(killed > 200 && equivalent > 20, "{killed} {equivalent}");
}
