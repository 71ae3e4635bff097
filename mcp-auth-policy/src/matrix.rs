//! The whole policy as a table: who reaches what, by role and by single scope.

use crate::{
    Decision, ForbidId, OperationKind, Policy, Reach,
    bits::Bits,
    claim_path::Found,
    forbid::{Condition, Forbid},
    operation::Operation,
    value_test::Side,
};

/// What the columns of a [`Matrix`] are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MatrixBy {
    /// One column for each role: a caller with the token that the authorization server issues for it.
    Role,
    /// One column for a caller without scopes, then one for each scope: a caller with that scope alone.
    Scope,
}

/// A table of every operation and every column.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
#[non_exhaustive]
pub struct Matrix<'p> {
    /// What the columns are.
    pub by: MatrixBy,
    /// Names of roles or scopes in the order of the file; `None` is the caller without scopes.
    pub columns: Vec<Option<&'p str>>,
    /// One row for each operation, in the order of [`OperationKind::ALL`] and of the file.
    pub rows: Vec<MatrixRow<'p>>,
}

/// The answers for one operation.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MatrixRow<'p> {
    /// What is called.
    pub kind: OperationKind,
    /// Its name.
    pub name: &'p str,
    /// One cell for each column.
    pub cells: Vec<MatrixCell>,
}

/// The answer for one operation and one column.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
#[non_exhaustive]
pub struct MatrixCell {
    /// How far the caller gets, unless one of `depends_on` applies.
    pub decision: Decision,
    /// The line of the rule that decides, counted from 1.
    pub line: usize,
    /// The forbids that would turn the answer into `deny`, depending on claims, arguments, client or issuer of the call; in the order of the file.
    pub depends_on: Vec<ForbidId>,
}

/// A caller of whom only scopes and roles are known.
struct Column<'p> {
    name: Option<&'p str>,
    held: Bits,
    /// `None`: it may have any.
    roles: Option<Bits>,
}

impl Policy {
    /// Answers every operation for every role, or for every single scope.
    ///
    /// A cell says what scopes and roles give. What a call brings along besides (claims, client, issuer, arguments) is open: forbids that read it are
    /// named beside the answer. Where issuers map roles, the callers of the scope columns may have any.
    ///
    /// ```
    /// use mcp_auth_policy::{MatrixBy, Policy, Reach};
    ///
    /// let policy = Policy::parse("
    /// version: 1
    /// scopes: { add: Add notes }
    /// tools: { add-note: { requires: add } }
    /// forbid:
    ///   - id: long
    ///     tools: [add-note]
    ///     when: { arg: { name: text, longer_than: 100, if_missing: deny } }
    /// ")?;
    /// let matrix = policy.matrix(MatrixBy::Scope);
    /// let row = matrix.rows.first().ok_or("no tool")?;
    /// let reaches: Vec<(Reach, usize)> = row.cells.iter().map(|cell| (cell.decision.reach, cell.depends_on.len())).collect();
    /// assert_eq!(reaches, [(Reach::Deny, 0), (Reach::Any, 1)]); // without scopes, with `add`
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn matrix(&self, by: MatrixBy) -> Matrix<'_> {
        let columns = match by {
            MatrixBy::Role => self.role_columns(),
            MatrixBy::Scope => self.scope_columns(),
        };
        let operations = OperationKind::ALL.into_iter().flat_map(|kind| self.operations(kind));
        let rows = operations.map(|operation| MatrixRow {
            kind: operation.kind,
            name: &operation.name,
            cells: columns.iter().map(|column| self.cell(operation, column)).collect(),
        });
        Matrix {
            by,
            rows: rows.collect(),
            columns: columns.iter().map(|column| column.name).collect(),
        }
    }

    fn role_columns(&self) -> Vec<Column<'_>> {
        let no_roles = Bits::empty(self.roles.len());
        let columns = self.roles.iter().map(|role| Column {
            name: Some(&role.name),
            held: role.closure.clone(),
            // Roles of a policy that maps none say what scopes a token has; no caller carries them.
            roles: Some(match self.callers.map_roles() {
                true => role.included.clone(),
                false => no_roles.clone(),
            }),
        });
        columns.collect()
    }

    fn scope_columns(&self) -> Vec<Column<'_>> {
        let roles = (!self.callers.map_roles()).then(|| Bits::empty(self.roles.len()));
        let column = |name, held| Column {
            name,
            held,
            roles: roles.clone(),
        };
        let scopes = self.scopes.iter();
        let scopes = scopes.map(|scope| column(Some(scope.name.as_str()), scope.closure.clone()));
        std::iter::once(column(None, self.no_scopes())).chain(scopes).collect()
    }

    fn cell(&self, operation: &Operation, column: &Column<'_>) -> MatrixCell {
        let mut decision = operation.rule.decide(column.held.words());
        let mut line = operation.line_of(decision.because);
        let mut depends_on = Vec::new();
        for id in self.forbids_on(operation) {
            let Some(forbid) = self.forbid(id) else { continue };
            match column.meets(forbid, operation.kind) {
                Some(false) => {}
                None => depends_on.push(id),
                Some(true) => {
                    decision = Decision::forbidden(id);
                    line = forbid.line;
                    break;
                }
            }
        }
        if decision.reach == Reach::Deny {
            depends_on.clear();
        }
        MatrixCell {
            decision,
            line,
            depends_on,
        }
    }
}

impl Column<'_> {
    /// Tells whether a forbid matches; `None` if that depends on more than scopes and roles.
    fn meets(&self, forbid: &Forbid, kind: OperationKind) -> Option<bool> {
        let when = self.condition(&forbid.when, kind, Side::When);
        let unless = (forbid.unless.as_ref()).map_or(Some(false), |unless| self.condition(unless, kind, Side::Unless));
        match (when, unless) {
            (Some(false), _) | (_, Some(true)) => Some(false),
            (Some(true), Some(false)) => Some(true),
            _ => None,
        }
    }

    fn condition(&self, condition: &Condition, kind: OperationKind, side: Side) -> Option<bool> {
        let roles = self.roles.as_ref().map(|roles| condition.roles.is_held(roles.words()));
        let takes_arguments = matches!(kind, OperationKind::Tool | OperationKind::Prompt);
        let arguments = condition.args.iter().map(|atom| match takes_arguments {
            true => None,
            false => Some(atom.test.holds(Found::Missing, atom.if_missing, side)),
        });
        let open = condition.issuer.is_some() || condition.client.is_some() || !condition.claims.is_empty();
        let parts = [
            Some(condition.scopes.is_held(self.held.words())),
            if condition.role_numbers.is_empty() {
                Some(true)
            } else {
                roles
            },
            if open { None } else { Some(true) },
        ];
        // All must hold: one that does not decides, whatever the open ones say.
        let mut all = Some(true);
        for part in parts.into_iter().chain(arguments) {
            match part {
                Some(false) => return Some(false),
                None => all = None,
                Some(true) => {}
            }
        }
        all
    }
}
