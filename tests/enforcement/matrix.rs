//! Point by point and mode by mode: status, challenge, body, and whether anything ran.

use http::StatusCode;

use super::{POLICY, Server, common::SIX_MODES};

/// Each enforcement point by a tool that only it decides, and what may be the matter with a call. `-` is nothing.
///
/// The annotation of `purge-note` is stricter than the policy, so the gate lets its calls through and the guard decides. Who owns a note that
/// `delete-note` is about, only the tool itself finds out.
const MATRIX: &str = "
point        | situation      | tool         | scopes       | owner  | status | challenge    | body                          | ran
pre-dispatch | allowed        | write-note   | write:notes  | alice  | 200    | -            | written by alice              | 1
pre-dispatch | scope missing  | write-note   | -            | alice  | 403    | write:notes  | missing_required_scopes       | 0
pre-dispatch | scope missing  | write-note   | delete:notes | alice  | 403    | write:notes  | missing_required_scopes       | 0
pre-dispatch | owner differs  | write-note   | -            | bob    | 403    | write:notes  | missing_required_scopes       | 0
pre-dispatch | forbid         | write-note   | write:notes  | nobody | 403    | -            | Nobody has no notes.          | 0
pre-dispatch | unknown tool   | no-such-tool | write:notes  | alice  | 200    | -            | tool not found                | 0
in-tool      | allowed        | purge-note   | delete:notes | bob    | 200    | -            | purged                        | 1
in-tool      | scope missing  | purge-note   | -            | alice  | 403    | delete:notes | missing_required_scopes       | 0
in-tool      | scope missing  | purge-note   | write:notes  | alice  | 403    | delete:notes | missing_required_scopes       | 0
in-tool      | owner differs  | purge-note   | -            | bob    | 403    | delete:notes | missing_required_scopes       | 0
in-tool      | forbid         | purge-note   | delete:notes | nobody | 403    | -            | Nobody has no notes.          | 0
in-tool      | unknown tool   | purge-notes  | delete:notes | alice  | 200    | -            | tool not found                | 0
owner        | allowed        | delete-note  | delete:notes | bob    | 200    | -            | deleted                       | 1
owner        | allowed        | delete-note  | -            | alice  | 200    | -            | deleted                       | 1
owner        | scope missing  | delete-note  | write:notes  | bob    | 403    | delete:notes | on an object of somebody else | 0
owner        | owner differs  | delete-note  | -            | bob    | 403    | delete:notes | on an object of somebody else | 0
owner        | owner differs  | delete-note  | -            |        | 403    | delete:notes | on an object of somebody else | 0
owner        | forbid         | delete-note  | -            | nobody | 403    | -            | Nobody has no notes.          | 0
owner        | unknown tool   | delete-notes | delete:notes | alice  | 200    | -            | tool not found                | 0
";

const POINTS: [&str; 3] = ["pre-dispatch", "in-tool", "owner"];
const SITUATIONS: [&str; 5] = ["allowed", "scope missing", "owner differs", "forbid", "unknown tool"];

fn rows() -> impl Iterator<Item = [&'static str; 9]> {
    let rows = MATRIX.trim().lines().skip(1);
    rows.map(|row| row.split('|').map(str::trim).collect::<Vec<_>>().try_into().unwrap())
}

#[test]
fn the_matrix_has_every_situation_at_every_point() {
    for point in POINTS {
        for situation in SITUATIONS {
            assert!(rows().any(|row| row[..2] == [point, situation]), "{point}, {situation}");
        }
    }
}

#[tokio::test]
async fn every_point_decides_alike_in_all_six_modes() {
    for (mode, version) in SIX_MODES {
        let server = Server::start(mode, version, &format!("{POLICY}on_not_owner: step_up\n")).await;
        for [point, situation, tool, scope, owner, status, challenge, body, ran] in rows() {
            let row = format!("{point}, {situation}: {tool} {scope} {owner:?} {mode:?} {version}");
            let scopes: Vec<_> = Some(scope).filter(|scope| *scope != "-").into_iter().collect();
            let before = server.ran();
            let answer = server.call(&scopes, tool, owner, "").await;
            assert_eq!(answer.status.as_str(), status, "{row}: {answer:?}");
            assert!(answer.body.contains(body), "{row}: {answer:?}");
            assert_eq!((server.ran() - before).to_string(), ran, "{row}");
            if challenge == "-" {
                assert_eq!(answer.challenge(), None, "{row}");
            } else {
                let header = answer.challenge().unwrap_or_else(|| panic!("{row}: {answer:?}"));
                assert!(
                    header.starts_with(r#"Bearer error="insufficient_scope", scope=""#),
                    "{row}: {header}"
                );
                let scope = header.split('"').nth(3).unwrap();
                assert!(scope.split(' ').any(|scope| scope == challenge), "{row}: {header}");
                assert_eq!(answer.json()["id"], 7, "{row}");
            }
        }
    }
}

#[tokio::test]
async fn hidden_owners_answer_in_the_tool_in_all_six_modes() {
    for (mode, version) in SIX_MODES {
        let server = Server::start(mode, version, POLICY).await;
        for (how, text) in [("", "not found"), ("says not found", "no such note")] {
            let answer = server.call(&[], "delete-note", "bob", how).await;
            assert_eq!(
                (answer.status, answer.challenge()),
                (StatusCode::OK, None),
                "{answer:?}"
            );
            assert!(
                answer.body.contains(text) && answer.body.contains(r#""isError":true"#),
                "{answer:?}"
            );
            assert!(!answer.body.contains("delete:notes"), "{answer:?}");
        }
        assert_eq!(server.ran(), 0);
    }
}
