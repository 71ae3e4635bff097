//! What a suite leaves out: principals, and the matrix. Each gap comes with rows that close it.

use std::collections::HashMap;

use super::{
    model::{Check, Suite},
    names::{operations, suite_name},
    rows::Rows,
    token::TokenSketch,
    witness::Witness,
};
use crate::{Ownership, bits::Bits, text::quoted};

/// Gaps that are shown at most, each with its row.
const SHOWN: usize = 50;

/// Collects gaps, and rows that close them.
pub(super) struct Gaps<'s> {
    pub(super) rows: Rows<'s>,
    /// Scopes that a line asks for of which a gap tells: they need no gaps of their own.
    pub(super) scopes: Bits,
    /// Gaps that are not shown.
    pub(super) more: usize,
    list: Vec<String>,
}

impl<'s> Gaps<'s> {
    pub(super) fn new(suite: &'s Suite<'s>) -> Self {
        Self {
            rows: Rows::new(suite),
            scopes: suite.policy.no_scopes(),
            more: 0,
            list: Vec::new(),
        }
    }

    /// Tells whether further gaps are not shown.
    pub(super) fn is_full(&self) -> bool {
        self.list.len() >= SHOWN
    }

    /// Notes a gap. False if it is one of too many, and needs no row.
    pub(super) fn add(&mut self, gap: String) -> bool {
        let is_shown = !self.is_full();
        if is_shown {
            self.list.push(gap);
        } else {
            self.more += 1;
        }
        is_shown
    }

    /// Gives the gaps and the rows.
    pub(super) fn finish(mut self) -> (Vec<String>, String) {
        if self.more > 0 {
            self.list.push(format!("… and about {} more", self.more));
        }
        (self.list, self.rows.text())
    }
}

impl Suite<'_> {
    pub(super) fn missing_roles(&self, gaps: &mut Gaps<'_>) {
        let policy = self.policy;
        for (number, role) in policy.roles.iter().enumerate() {
            let mut principals = self.principals.iter().zip(&self.callers);
            let is_used = principals.any(|(principal, caller)| {
                let written = principal.token.as_ref().and_then(|token| token.role.as_ref());
                let carries = || {
                    let granted = caller.as_ref().and_then(|caller| caller.grants().of(policy.id));
                    granted.is_some_and(|granted| granted.roles.contains(number))
                };
                written.map_or_else(carries, |written| *written == role.name)
            });
            // A role that no issuer has a name for is nobody's.
            let token = (!is_used).then(|| self.token_with_role(&role.name)).flatten();
            if let Some(token) = token {
                let gap = format!("role {}: no principal has it", quoted(&role.name));
                self.add_principal(gap, &format!("by role {}", role.name), token, gaps);
            }
        }
    }

    fn token_with_role(&self, role: &str) -> Option<TokenSketch> {
        let issuers = self.policy.callers.issuers.iter().flat_map(HashMap::keys);
        let mut issuers: Vec<&str> = issuers.map(String::as_str).chain([""]).collect();
        issuers.sort_unstable();
        let mut tokens = issuers.into_iter().map(|issuer| TokenSketch {
            issuer: issuer.to_owned(),
            role: Some(role.to_owned()),
            ..TokenSketch::default()
        });
        tokens.find(|token| token.resolve("caller", self.policy).is_ok())
    }

    /// Reports issuers that are read in their own way, and of which no principal has a token.
    pub(super) fn missing_issuers(&self, gaps: &mut Gaps<'_>) {
        let callers = &self.policy.callers;
        let tokens = || self.principals.iter().filter_map(|principal| principal.token.as_ref());
        let Some(issuers) = &callers.issuers else {
            if callers.default.is_some() && tokens().next().is_none() {
                let gap = "`callers.default`: no principal has a token".to_owned();
                self.add_principal(gap, "with a token", TokenSketch::default(), gaps);
            }
            return;
        };
        let mut names: Vec<&String> = issuers.keys().collect();
        names.sort_unstable();
        for issuer in names {
            if tokens().all(|token| token.issuer != *issuer) {
                let gap = format!("issuer {}: no principal has a token of it", quoted(issuer));
                let token = TokenSketch {
                    issuer: issuer.clone(),
                    ..TokenSketch::default()
                };
                self.add_principal(gap, &format!("from {issuer}"), token, gaps);
            }
        }
    }

    /// Adds a principal that is missing, and a call so that it is used.
    fn add_principal(&self, gap: String, title: &str, token: TokenSketch, gaps: &mut Gaps<'_>) {
        let witness = operations(self.policy).next().map(|(operation, called)| Witness {
            token,
            operation,
            arguments: serde_json::Map::new(),
            owner: called.has_owner_fallback().then_some(Ownership::Other),
        });
        let called = witness
            .as_ref()
            .and_then(|witness| self.policy.operation(witness.operation));
        let title = format!("{} {title}", called.map(suite_name).unwrap_or_default());
        if let (true, Some(witness)) = (gaps.add(gap), &witness) {
            gaps.rows.add_exactly(&title, witness);
        }
    }

    /// Reports that there is no matrix. A matrix has a row for each operation. Gives the matrix.
    pub(super) fn missing_matrix(&self, gaps: &mut Gaps<'_>) -> String {
        if self.tests.iter().any(|test| matches!(test.check, Check::Cell(_))) {
            return String::new();
        }
        gaps.add("matrix: no tool is in it".to_owned());
        let mut table: Vec<Vec<String>> = vec![vec!["tool".to_owned()]];
        table.extend(operations(self.policy).map(|(_, operation)| vec![suite_name(operation)]));
        for (number, principal) in self.principals.iter().enumerate() {
            let answers = operations(self.policy).map(|(id, _)| self.view().best_cell(id, number).word().to_owned());
            let column = std::iter::once(principal.name.clone()).chain(answers);
            table.iter_mut().zip(column).for_each(|(row, cell)| row.push(cell));
        }
        let columns = table.first().map_or(0, Vec::len);
        let widths: Vec<usize> = (0..columns)
            .map(|column| {
                table
                    .iter()
                    .filter_map(|row| row.get(column))
                    .map(|cell| cell.chars().count())
                    .max()
                    .unwrap_or(0)
            })
            .collect();
        let lines = table.iter().map(|row| {
            let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
            format!("  {}", cells.collect::<Vec<_>>().join(" | ").trim_end())
        });
        std::iter::once("matrix: |".to_owned())
            .chain(lines)
            .collect::<Vec<_>>()
            .join("\n")
    }
}
