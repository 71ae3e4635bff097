//! `cover: all`: what of a policy decides no test, with a row for each that would change that.

use std::collections::HashMap;

use super::{
    decider::Decider,
    effort::Effort,
    gaps::Gaps,
    model::{Check, Suite},
    names::{operations, suite_name},
    witness::Witness,
};
use crate::{Operation, OperationId, Ownership, Policy, Reach, Scope, caller_classes::CallerClass, text::quoted};

/// Comparisons of scopes with deciding lines at most.
const COMPARED: usize = 1 << 23;
/// Classes that are written down to find one that a suite can say.
const TRIED: usize = 20;

/// What a suite covers.
pub(super) struct Coverage {
    /// Lines of decision tables that decide a test, and all that decide anything for anybody.
    pub(super) covered: usize,
    pub(super) all: usize,
    pub(super) gaps: Vec<String>,
    pub(super) paste: String,
}

/// The lines that decide tests, with the numbers of the callers of these.
type Decided = HashMap<(u32, Decider), Vec<usize>>;

impl Suite<'_> {
    /// Finds what decides no test.
    pub(super) fn coverage(&self, effort: &Effort) -> Coverage {
        let mut gaps = Gaps::new(self);
        let decided = self.decided();
        let (mut covered, mut all) = (0, 0);
        for (id, operation) in operations(self.policy) {
            let lines = Decider::all(self.policy, operation);
            let known = lines.len();
            let missing: Vec<Decider> = (lines.into_iter())
                .filter(|line| !decided.contains_key(&(id.index, *line)))
                .collect();
            covered += known - missing.len();
            all += known - missing.len() + self.missing_lines(id, operation, &missing, effort, &mut gaps);
        }
        self.missing_scopes(&decided, effort, &mut gaps);
        self.missing_roles(&mut gaps);
        self.missing_issuers(&mut gaps);
        let table = self.missing_matrix(&mut gaps);
        let (gaps, rows) = gaps.finish();
        let mut paste = vec![table, rows];
        paste.retain(|text| !text.is_empty());
        Coverage {
            covered,
            all,
            gaps,
            paste: paste.join("\n"),
        }
    }

    fn decided(&self) -> Decided {
        let mut decided = Decided::new();
        for test in &self.tests {
            let (id, caller, decision) = match &test.check {
                Check::Cell(cell) => (
                    cell.operation,
                    cell.caller,
                    self.view().best(cell.operation, cell.caller),
                ),
                Check::Case(case) => (case.operation, case.caller, self.view().call(case)),
                _ => continue,
            };
            let grants = self
                .callers
                .get(caller)
                .and_then(|caller| caller.as_ref()?.grants().of(self.policy.id));
            if let (Some(decision), Some(operation), Some(granted)) = (decision, self.policy.operation(id), grants)
                && let Some(line) = Decider::of(decision, operation, &granted.held)
            {
                decided.entry((id.index, line)).or_default().push(caller);
            }
        }
        decided
    }

    /// Reports the lines that decide no test although they decide something for somebody. Gives how many these are.
    fn missing_lines(
        &self,
        id: OperationId,
        operation: &Operation,
        missing: &[Decider],
        effort: &Effort,
        gaps: &mut Gaps<'_>,
    ) -> usize {
        if missing.is_empty() {
            return 0;
        }
        let name = suite_name(operation);
        let gap = |line: Decider| {
            let line = line.describe(operation, self.policy);
            format!("{}: no test is decided by {line}", quoted(&name))
        };
        let classes = match effort.classes(&[self.policy], id, &[]) {
            Ok(classes) => classes,
            Err(why) => {
                for line in missing {
                    line.scopes(operation)
                        .iter()
                        .for_each(|scope| gaps.scopes.insert(*scope));
                    gaps.add(format!("{}; no row was found: {why}", gap(*line)));
                }
                return missing.len();
            }
        };
        let mut found = 0;
        for line in missing {
            let is_line = |class: &CallerClass<'_>| {
                class.is_mapped(0) && class_line(*class, operation, self.policy) == Some(*line)
            };
            let mut classes = classes.iter().filter(is_line).peekable();
            if classes.peek().is_none() {
                continue;
            }
            found += 1;
            line.scopes(operation)
                .iter()
                .for_each(|scope| gaps.scopes.insert(*scope));
            let owner = match line {
                Decider::OwnerFallback => Ownership::Caller,
                _ => Ownership::Other,
            };
            if !gaps.add(gap(*line)) {
                continue;
            }
            let witness = classes
                .take(TRIED)
                .find_map(|class| Witness::of(class, id, owner, self.policy));
            let title = match line {
                Decider::Forbid(_) => format!("{name} under {}", plain(&line.describe(operation, self.policy))),
                Decider::Deny => format!("{name} without the scopes"),
                Decider::OwnerFallback => format!("{name} by owner_fallback"),
                Decider::Alternative(_) => match line.scope_names(operation, self.policy).as_slice() {
                    [] => format!("{name} is open"),
                    scopes => format!("{name} with {}", scopes.join(" and ")),
                },
            };
            witness.into_iter().for_each(|witness| gaps.rows.add(&title, &witness));
        }
        found
    }

    /// Reports scopes that could be what lets a caller in, and are so in no test.
    fn missing_scopes(&self, decided: &Decided, effort: &Effort, gaps: &mut Gaps<'_>) {
        let policy = self.policy;
        let mut compared = 0;
        for (number, scope) in policy.scopes.iter().enumerate() {
            let gives = |line: Decider, operation: &Operation| {
                let mut scopes = line.scopes(operation).iter();
                scopes.any(|wanted| scope.closure.contains(*wanted))
            };
            let holds = |caller: &usize| {
                let caller = self.callers.get(*caller).and_then(Option::as_ref);
                let granted = caller.and_then(|caller| caller.grants().of(policy.id));
                granted.is_some_and(|granted| granted.held.contains(number))
            };
            let mut lines = decided.iter().filter_map(|((index, line), callers)| {
                Some((*line, policy.operations.get(usize::try_from(*index).ok()?)?, callers))
            });
            let is_covered = lines.any(|(line, operation, callers)| {
                compared += 1;
                gives(line, operation) && callers.iter().any(holds)
            });
            if is_covered || gaps.scopes.contains(number) {
                continue;
            }
            if compared > COMPARED {
                gaps.add(format!("scopes: more than {COMPARED} comparisons would be needed"));
                return;
            }
            self.missing_scope(scope, gives, effort, gaps);
        }
    }

    fn missing_scope(
        &self,
        scope: &Scope,
        gives: impl Fn(Decider, &Operation) -> bool,
        effort: &Effort,
        gaps: &mut Gaps<'_>,
    ) {
        let policy = self.policy;
        let gap = format!("scope {}: no test is decided by it", quoted(scope.name()));
        for (id, operation) in operations(policy) {
            if !asks_for(operation).any(|wanted| scope.closure.contains(wanted)) {
                continue;
            }
            let classes = match effort.classes(&[policy], id, &[scope.name()]) {
                Ok(classes) => classes,
                Err(why) => {
                    gaps.add(format!("{gap}; no row was found: {why}"));
                    return;
                }
            };
            let decides = |class: &CallerClass<'_>| {
                class.is_mapped(0)
                    && class.holds(0, scope.name())
                    && class_line(*class, operation, policy).is_some_and(|line| gives(line, operation))
            };
            let mut classes = classes.iter().filter(decides).peekable();
            if classes.peek().is_none() {
                continue;
            }
            if !gaps.add(gap) {
                return;
            }
            let holds = |witness: &Witness| witness.holds("caller", scope.name(), policy);
            let witness = classes.take(TRIED).find_map(|class| {
                let reach = class.decision(0).reach;
                let owner = if reach == Reach::Own {
                    Ownership::Caller
                } else {
                    Ownership::Other
                };
                Witness::of(class, id, owner, policy).filter(holds)
            });
            let title = format!("{} by scope {}", suite_name(operation), scope.name());
            witness.into_iter().for_each(|witness| gaps.rows.add(&title, &witness));
            return;
        }
    }
}

/// The scopes of the lines of an operation.
fn asks_for(operation: &Operation) -> impl Iterator<Item = usize> {
    let rule = &operation.rule;
    let alternatives = rule.alternatives.iter().map(|alternative| &alternative.scopes);
    let lines = alternatives.chain(rule.owner.iter().map(|owner| &owner.scopes));
    lines.flatten().copied()
}

fn class_line(class: CallerClass<'_>, operation: &Operation, policy: &Policy) -> Option<Decider> {
    let granted = class.grants(0)?.of(policy.id)?;
    Decider::of(class.decision(0), operation, &granted.held)
}

/// A description as a part of a test's name.
fn plain(description: &str) -> String {
    description.replace('`', "")
}
