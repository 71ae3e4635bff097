//! The tables.

use std::collections::BTreeSet;

use mcp_auth_policy::{Because, MatrixBy, MatrixCell, Policy, Reach};

use super::{OPERATIONS, Random, explain, facts, find, generate, random_policy};

/// The scopes and roles that a column stands for; no roles at all if those are open.
struct Column {
    held: Vec<String>,
    roles: Option<BTreeSet<String>>,
}

fn closure<'a>(policy: &Policy, scopes: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let grants = policy.grants(scopes);
    let names = policy.scopes().map(|scope| scope.name());
    // What a scope gives beyond the rest shows that it is not held.
    names
        .filter(|name| policy.with_scopes(&grants, [*name]) == grants)
        .map(str::to_owned)
        .collect()
}

fn columns(policy: &Policy, written: &serde_json::Value, by: MatrixBy) -> Vec<Column> {
    let map_roles = written["callers"].to_string().contains("\"roles\":");
    let names = policy.matrix(by).columns;
    let columns = names.into_iter().map(|name| match (by, name) {
        (MatrixBy::Role, Some(role)) => {
            let mut roles = BTreeSet::from([role.to_owned()]);
            while let Some(more) = roles
                .iter()
                .flat_map(|role| {
                    written["roles"][role]["includes"]
                        .as_array()
                        .cloned()
                        .unwrap_or_default()
                })
                .map(|role| role.as_str().unwrap().to_owned())
                .find(|role| !roles.contains(role))
            {
                roles.insert(more);
            }
            Column {
                held: closure(policy, policy.scopes_of_role(role).unwrap()),
                roles: Some(if map_roles { roles } else { BTreeSet::new() }),
            }
        }
        (_, scope) => Column {
            held: closure(policy, scope),
            roles: if map_roles { None } else { Some(BTreeSet::new()) },
        },
    });
    columns.collect()
}

#[test]
fn a_cell_holds_for_every_caller_of_its_column() {
    let mut random = Random::new(12);
    let (mut same, mut forbidden) = (0, 0);
    for _ in 0..1500 {
        let (written, policy) = random_policy(&mut random);
        let tables = [MatrixBy::Role, MatrixBy::Scope].map(|by| (policy.matrix(by), columns(&policy, &written, by)));
        for _ in 0..12 {
            let token = generate::token(&mut random);
            let arguments = generate::arguments(&mut random);
            let resolved = policy.resolve(&facts(&token));
            let grants = resolved.grants();
            let held = explain(&policy, find(&policy, OPERATIONS[0]), &token, grants).held;
            let roles: BTreeSet<String> = policy.roles_of(grants).into_iter().map(str::to_owned).collect();
            for (matrix, columns) in &tables {
                for (number, _) in columns
                    .iter()
                    .enumerate()
                    .filter(|(_, column)| column.held == held && column.roles.as_ref().is_none_or(|own| *own == roles))
                {
                    for (row, operation) in matrix.rows.iter().zip(OPERATIONS) {
                        assert_eq!((row.kind.section(), row.name), operation);
                        let id = find(&policy, operation);
                        let cell: &MatrixCell = &row.cells[number];
                        let decision = policy.decide_call(id, grants, (&arguments).into());
                        let context =
                            || format!("{operation:?} {cell:?} {decision:?} {token:?} {arguments:?}\n{written:#}");
                        match decision.because {
                            _ if decision == cell.decision => {
                                assert_eq!(policy.line_of(id, decision), Some(cell.line), "{}", context());
                                same += 1;
                            }
                            Because::Forbidden(by) if cell.decision.reach > Reach::Deny => {
                                assert!(cell.depends_on.contains(&by), "{}", context());
                                forbidden += 1;
                            }
                            // Something else is denied already; which forbid comes first does not matter.
                            _ => assert_eq!(decision.reach, cell.decision.reach, "{}", context()),
                        }
                    }
                }
            }
        }
    }
    assert!(same > 5000 && forbidden > 300, "{same} {forbidden}");
}

#[test]
fn a_cell_names_every_forbid_that_could_turn_it_and_no_other() {
    let policy = Policy::parse(include_str!("../samples/notes.yaml")).unwrap();
    let cells = |by: MatrixBy, tool: &str| -> Vec<(Reach, Vec<usize>)> {
        let matrix = policy.matrix(by);
        let row = matrix.rows.iter().find(|row| row.name == tool).unwrap();
        let places = |cell: &MatrixCell| cell.depends_on.iter().map(|id| id.place()).collect();
        row.cells
            .iter()
            .map(|cell| (cell.decision.reach, places(cell)))
            .collect()
    };
    use Reach::{Any, Deny, Own};
    // 1 suspended (claim), 2 long (argument, unless manage:notes), 3 other-app (client, unless manager), 4 readers-do-not-share (scope, argument).
    let table = [
        (MatrixBy::Role, "add-note", vec![(Any, vec![1, 2]), (Any, vec![1])]),
        (MatrixBy::Role, "share-note", vec![(Own, vec![1]), (Any, vec![1, 4])]),
        (
            MatrixBy::Role,
            "notes://{owner}/{id}",
            vec![(Own, vec![1, 3]), (Any, vec![1])],
        ),
        (MatrixBy::Role, "export", vec![(Deny, vec![]), (Any, vec![1])]),
        (
            MatrixBy::Scope,
            "summarize",
            vec![(Deny, vec![]), (Any, vec![1, 3]), (Deny, vec![]), (Any, vec![1, 3])],
        ),
        (
            MatrixBy::Scope,
            "share-note",
            vec![(Deny, vec![]), (Any, vec![1, 4]), (Own, vec![1]), (Any, vec![1, 4])],
        ),
    ];
    for (by, tool, expected) in table {
        assert_eq!(cells(by, tool), expected, "{by:?} {tool}");
    }
}

#[test]
fn a_forbid_that_scopes_and_roles_settle_is_the_answer() {
    let policy = Policy::parse(
        "
version: 1
scopes: { a: A, b: B }
roles: { user: { scopes: [a] }, boss: { scopes: [a, b] } }
callers: { default: { scopes: scope, roles: groups } }
tools:
  always: { requires: a }
  unless-b: { requires: a }
  unless-boss: { requires: a }
resources:
  x://y: { requires: a }
forbid:
  - { id: always, tools: [always] }
  - { id: unless-b, tools: [unless-b], unless: { scope: b } }
  - { id: unless-boss, tools: [unless-boss], unless: { role: boss } }
  - { id: no-arguments, resources: ['x://y'], when: { arg: { name: n, is: 1, if_missing: deny } } }
",
    )
    .unwrap();
    let matrix = policy.matrix(MatrixBy::Role);
    let shown = matrix.rows.iter().map(|row| {
        let cells = row.cells.iter();
        cells
            .map(|cell| (cell.decision.reach.as_str(), cell.line, cell.depends_on.len()))
            .collect::<Vec<_>>()
    });
    let expected = [
        [("deny", 13, 0), ("deny", 13, 0)],
        [("deny", 14, 0), ("any", 8, 0)],
        [("deny", 15, 0), ("any", 9, 0)],
        [("deny", 16, 0), ("deny", 16, 0)],
    ];
    assert_eq!(shown.collect::<Vec<_>>(), expected);
    // A caller of whom only a scope is known may have any role.
    let matrix = policy.matrix(MatrixBy::Scope);
    let cell = &matrix.rows[2].cells[1];
    assert_eq!((cell.decision.reach, cell.depends_on.len()), (Reach::Any, 1));
}
