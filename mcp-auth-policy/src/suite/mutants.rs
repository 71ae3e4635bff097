//! `cover: all`: small changes of the policy, of which each has to make a test fail.

use std::cell::OnceCell;

use super::{
    by_operation::ByOperation,
    edge_mutation::{EdgeMutation, Edges},
    effort::Effort,
    equivalence::{Verdict, compare, compare_roles},
    invariants::Invariant,
    looked_at::looked_at,
    model::{Check, Suite},
    mutation::Mutation,
    names::{operations, suite_name},
    prove::is_refuted,
    rows::Rows,
    view::View,
};
use crate::{Operation, OperationId, Policy, Resolved, bits::Bits, text::quoted};

/// Changes that no test notices, and equivalent ones, that are shown at most. Beyond, changes are not examined any more.
const SHOWN: usize = 20;
/// Answers that are compared with tests at most.
const COMPARED: usize = 1 << 25;

/// What came of all changes.
#[derive(Default)]
pub(super) struct Mutants {
    pub(super) killed: usize,
    pub(super) alive: usize,
    /// Changes that change nothing for anybody.
    pub(super) equivalent: usize,
    pub(super) survivors: Vec<String>,
    pub(super) paste: String,
    /// What is equivalent, and how that is known.
    pub(super) notes: Vec<String>,
}

/// What a change is called.
struct Words {
    what: String,
    /// A name for a test that notices it.
    title: String,
    is_of_tokens: bool,
}

/// A run over all changes.
struct Hunt<'s> {
    suite: &'s Suite<'s>,
    effort: &'s Effort,
    tests: ByOperation<'s>,
    /// The invariants that hold; looked at only for changes that nothing else notices.
    invariants: OnceCell<Vec<&'s Invariant>>,
    found: Mutants,
    rows: Rows<'s>,
    more: usize,
}

impl Suite<'_> {
    /// Tries every change.
    pub(super) fn mutants(&self, effort: &Effort) -> Mutants {
        let mut hunt = Hunt {
            suite: self,
            effort,
            tests: ByOperation::of(self),
            invariants: OnceCell::new(),
            found: Mutants::default(),
            rows: Rows::new(self),
            more: 0,
        };
        hunt.run();
        hunt.found
    }
}

impl Hunt<'_> {
    fn run(&mut self) {
        let policy = self.suite.policy;
        let edges = Edges::of(policy);
        let edge_mutations = edges.mutations(policy);
        if self.comparisons(edge_mutations.len()) > COMPARED {
            let why = format!("more than {COMPARED} answers would have to be compared with tests; nothing was tried");
            self.found.survivors.push(why);
            return;
        }
        let mut twin = policy.twin();
        for (id, operation) in operations(policy) {
            for mutation in Mutation::of(policy, operation) {
                mutation.apply(id, &mut twin);
                let view = View {
                    policy: &twin,
                    callers: &self.suite.callers,
                };
                let is_noticed = self.tests.notice(id, view);
                self.judge(is_noticed, &twin, &[id], || {
                    let name = suite_name(operation);
                    let what = format!("{}: {}", quoted(&name), mutation.describe(operation, policy));
                    Words {
                        what,
                        title: format!("{name} {}", mutation.truth(operation, policy)),
                        is_of_tokens: false,
                    }
                });
                mutation.undo(id, &mut twin, policy);
            }
        }
        for mutation in &edge_mutations {
            mutation.apply(&edges, &mut twin);
            let is_noticed = self.notice_anywhere(&twin);
            let ids = match mutation {
                _ if is_noticed => Vec::new(),
                EdgeMutation::Combine(_) => operations(policy).map(|(id, _)| id).collect(),
                EdgeMutation::Implies(..) | EdgeMutation::Includes(..) => affected(policy, &twin),
            };
            self.judge(is_noticed, &twin, &ids, || Words {
                what: mutation.describe(policy),
                title: mutation.truth(policy),
                is_of_tokens: true,
            });
            mutation.undo(&edges, &mut twin, policy);
        }
        if self.more > 0 {
            let more = format!(
                "… and {} more that no test notices, not looked at any further; a column of the matrix for each new principal may notice many at \
                 once",
                self.more
            );
            self.found.survivors.push(more);
        }
        self.found.paste = self.rows.text();
    }

    /// Counts a change, by whether a test notices it, else by whether it makes a difference to the operations with these ids.
    fn judge(&mut self, is_noticed: bool, twin: &Policy, ids: &[OperationId], words: impl Fn() -> Words) {
        if is_noticed {
            self.found.killed += 1;
            return;
        }
        if self.found.survivors.len() >= SHOWN {
            self.found.alive += 1;
            self.more += 1;
            return;
        }
        if self.refutes(twin, ids) {
            self.found.killed += 1;
            return;
        }
        let Words {
            what,
            title,
            is_of_tokens,
        } = words();
        let policy = self.suite.policy;
        let verdict = match compare(policy, twin, ids, self.effort) {
            Verdict::Equivalent(compared) => match compare_roles(policy, twin, ids, self.effort) {
                Verdict::Equivalent(more) => Verdict::Equivalent(compared + more),
                other => other,
            },
            other => other,
        };
        match verdict {
            Verdict::Equivalent(compared) => {
                self.found.equivalent += 1;
                if self.found.equivalent <= SHOWN {
                    let proof = match compared {
                        0 => "no decision looks at it".to_owned(),
                        compared => format!("{compared} classes of callers and arguments compared"),
                    };
                    self.found.notes.push(format!("equivalent: {what} ({proof})"));
                }
            }
            Verdict::Different(witness) => {
                self.found.alive += 1;
                self.found.survivors.push(what);
                match witness {
                    // Whoever is granted the same by another token may lose something else.
                    Some(witness) if is_of_tokens => self.rows.add_exactly(&title, &witness),
                    Some(witness) => self.rows.add(&title, &witness),
                    None => {}
                }
            }
            Verdict::Unknown(why) => {
                self.found.alive += 1;
                self.found
                    .survivors
                    .push(format!("{what}; it may change nothing, which could not be told: {why}"));
            }
        }
    }

    /// Tells whether any test fails, with the callers as the changed policy sees them.
    fn notice_anywhere(&self, twin: &Policy) -> bool {
        let principals = self.suite.principals.iter();
        let callers: Vec<Option<Resolved>> = principals.map(|principal| principal.resolve(twin)).collect();
        let view = View {
            policy: twin,
            callers: &callers,
        };
        operations(twin).any(|(id, _)| self.tests.notice(id, view))
    }

    /// Tells whether an invariant that holds does not hold any more.
    fn refutes(&self, twin: &Policy, ids: &[OperationId]) -> bool {
        let policy = self.suite.policy;
        let holding = self.invariants.get_or_init(|| {
            let tests = self.suite.tests.iter();
            let invariants = tests.filter_map(|test| match &test.check {
                Check::Invariant(invariant) => Some(invariant),
                _ => None,
            });
            let all: Vec<OperationId> = operations(policy).map(|(id, _)| id).collect();
            invariants
                .filter(|invariant| !is_refuted(invariant, policy, &all, self.effort))
                .collect()
        });
        holding
            .iter()
            .any(|invariant| is_refuted(invariant, twin, ids, self.effort))
    }

    /// Counts, roughly, what has to be compared.
    fn comparisons(&self, edges: usize) -> usize {
        let policy = self.suite.policy;
        let scopes = policy.scopes.len();
        let mut all = 0_usize;
        let mut once = self.suite.principals.len().saturating_mul(policy.forbids.len() + 1);
        for (id, operation) in operations(policy) {
            let tests = self.tests.count(id);
            let required: usize = operation.rule.alternatives.iter().map(|all| all.scopes.len()).sum();
            let changes = required.max(1) * scopes + operation.rule.forbids.len() + policy.forbids_everything.len() + 2;
            all = all.saturating_add(changes.saturating_mul(tests + 1));
            once = once.saturating_add(tests + 1);
        }
        let closures = (scopes + policy.roles.len()).saturating_mul(scopes / 64 + policy.roles.len() / 64 + 1);
        all.saturating_add(edges.saturating_mul(once.saturating_add(closures)))
    }
}

/// The operations that look at what scopes and roles give no more.
fn affected(policy: &Policy, twin: &Policy) -> Vec<OperationId> {
    let (mut scopes, mut roles) = (policy.no_scopes(), Bits::empty(policy.roles.len()));
    for (scope, changed) in policy.scopes.iter().zip(&twin.scopes) {
        scopes.extend(&scope.closure.difference(&changed.closure));
    }
    for (role, changed) in policy.roles.iter().zip(&twin.roles) {
        scopes.extend(&role.closure.difference(&changed.closure));
        roles.extend(&role.included.difference(&changed.included));
    }
    let is_affected = |operation: &Operation| {
        let (mut own_scopes, mut own_roles) = looked_at(policy, operation);
        own_scopes.intersect(&scopes);
        own_roles.intersect(&roles);
        own_scopes != policy.no_scopes() || own_roles != Bits::empty(policy.roles.len())
    };
    let affected = operations(policy).filter(|(_, operation)| is_affected(operation));
    affected.map(|(id, _)| id).collect()
}
