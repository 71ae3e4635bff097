//! The matrix: a table of tools and principals, one expected reach in each cell.

use std::{collections::HashSet, sync::Arc};

use super::{
    model::{Cell, CellAnswer, Check, Row, Test},
    names::{find_operation, operations, suite_name},
    principals::Principals,
};
use crate::{
    Policy,
    diagnostic::Code,
    fields::{Named, wrong_type},
    findings::Findings,
    source::Span,
    text::{nearest, quoted},
    yaml::{Node, Value},
};

/// Reads the table. `None` if it is no table at all, which is reported.
pub(super) fn read_matrix(
    node: &Node,
    policy: &Policy,
    principals: &Principals,
    findings: &mut Findings<'_>,
) -> Option<Vec<Test>> {
    let Value::Text(table) = &node.value else {
        wrong_type(node.span, "`matrix`", "a table", &node.value, findings);
        return None;
    };
    let lines = placed_lines(table, node.span.line, findings);
    let Some(((head_line, head), rows)) = lines.split_first() else {
        let help = "write `matrix: |` and the table in the lines after it";
        findings.error_help(Code::WrongType, node.span, "`matrix` must be a literal block", help);
        return None;
    };
    let columns = read_head(*head_line, head, principals, findings);
    let mut seen = HashSet::new();
    let mut tests = Vec::new();
    for (number, raw) in rows {
        let cells = cells(*number, raw);
        let Some((call, answers)) = cells.split_first() else {
            continue;
        };
        if !seen.insert(call.name.clone()) {
            findings.error(
                Code::DuplicateName,
                call.span,
                format!("a row for {} was given already", quoted(&call.name)),
            );
        }
        let operation = find_operation(call, policy, findings);
        let text: Arc<str> = Arc::from(raw.trim());
        report_count(call, answers, &columns, findings);
        for (index, (answer, column)) in answers.iter().zip(&columns).enumerate() {
            let expected = read_answer(answer, findings);
            let (Some(operation), Some(expected), Some(caller)) =
                (operation, expected, principals.number(&column.name))
            else {
                continue;
            };
            let row = Row {
                text: Arc::clone(&text),
                cell: index + 1,
            };
            tests.push(Test {
                name: format!("{} as {}", call.name, column.name),
                span: answer.span,
                check: Check::Cell(Cell {
                    operation,
                    caller,
                    answer: expected,
                    row,
                }),
            });
        }
    }
    report_missing_rows(policy, &seen, node.span, findings);
    Some(tests)
}

/// Gives the lines of a literal block that are not blank, each with its number and as it stands in the file.
///
/// In a literal block the lines of the text are lines of the file, which gives every cell a place. Other ways to write the
/// same text have no such lines, and give nothing here.
fn placed_lines<'s>(table: &str, line: usize, findings: &Findings<'s>) -> Vec<(usize, &'s str)> {
    let written: Vec<&str> = table
        .lines()
        .map(str::trim)
        .skip_while(|line| line.is_empty())
        .collect();
    let stand_from = |first: usize| -> Option<Vec<(usize, &'s str)>> {
        let lines = (first..).zip(&written);
        let same = |(number, line): (usize, &&str)| {
            findings
                .source()
                .line(number)
                .filter(|raw| raw.trim() == *line)
                .map(|raw| (number, raw))
        };
        lines.map(same).collect()
    };
    // The parser places a block at its first line; leading blank lines and the `|` may come before.
    let found = (line..line + 3).find_map(stand_from).unwrap_or_default();
    found.into_iter().filter(|(_, raw)| !raw.trim().is_empty()).collect()
}

fn read_head(line: usize, head: &str, principals: &Principals, findings: &mut Findings<'_>) -> Vec<Named> {
    let mut head = cells(line, head).into_iter();
    if let Some(corner) = head.next().filter(|corner| corner.name != "tool") {
        let message = format!(
            "the first column of the matrix must be `tool`, and this is {}",
            quoted(&corner.name)
        );
        findings.error(Code::MissingColumn, corner.span, message);
    }
    let columns: Vec<Named> = head.collect();
    let mut seen = HashSet::new();
    for column in &columns {
        principals.find(column, findings);
        if !seen.insert(column.name.as_str()) {
            findings.error(
                Code::DuplicateName,
                column.span,
                format!("the column {} is there twice", quoted(&column.name)),
            );
        }
    }
    columns
}

fn report_count(call: &Named, answers: &[Named], columns: &[Named], findings: &mut Findings<'_>) {
    if let Some(column) = columns.get(answers.len()) {
        let message = format!(
            "the row {} has no cell for {}",
            quoted(&call.name),
            quoted(&column.name)
        );
        findings.error(Code::MissingCell, call.span, message);
    }
    if let Some(answer) = answers.get(columns.len()) {
        findings.error(
            Code::InvalidCell,
            answer.span,
            format!("the row {} has more cells than columns", quoted(&call.name)),
        );
    }
}

fn read_answer(cell: &Named, findings: &mut Findings<'_>) -> Option<CellAnswer> {
    let answer = CellAnswer::from_word(&cell.name);
    match answer {
        Some(_) => {}
        None if cell.name.is_empty() => {
            findings.error_help(
                Code::MissingCell,
                cell.span,
                "this cell is empty",
                "write 401, deny, own or any",
            );
        }
        None => {
            let help = nearest(&cell.name, CellAnswer::WORDS).map(|word| format!("did you mean `{word}`?"));
            findings.error_with(
                Code::InvalidCell,
                cell.span,
                format!("a cell cannot be {}", quoted(&cell.name)),
                || help.or_else(|| Some("write 401, deny, own or any".to_owned())),
            );
        }
    }
    answer
}

fn report_missing_rows(policy: &Policy, seen: &HashSet<String>, table: Span, findings: &mut Findings<'_>) {
    let names = operations(policy).map(|(_, operation)| suite_name(operation));
    for name in names.filter(|name| !seen.contains(name)) {
        let help = "add it, so that no permission goes untested";
        findings.error_help(
            Code::MissingRow,
            table,
            format!("the matrix has no row for {}", quoted(&name)),
            help,
        );
    }
}

/// Splits a line at its bars; each cell without the spaces around it, with its place.
fn cells(line: usize, raw: &str) -> Vec<Named> {
    let mut column = 1;
    raw.split('|')
        .map(|part| {
            let before = part.chars().take_while(|c| c.is_whitespace()).count();
            let name = part.trim().to_owned();
            let width = name.chars().count();
            let start = if width == 0 { column } else { column + before };
            column += part.chars().count() + 1;
            Named {
                name,
                span: Span {
                    line,
                    column: start,
                    width: width.max(1),
                },
            }
        })
        .collect()
}

impl Row {
    /// Returns the row with other words in some of its cells, as wide as before where that is possible.
    pub(super) fn with(&self, words: &[(usize, &str)]) -> String {
        let parts = self.text.split('|').enumerate().map(|(index, part)| {
            let Some((_, word)) = words.iter().find(|(cell, _)| *cell == index) else {
                return part.to_owned();
            };
            let before: String = part.chars().take_while(|c| c.is_whitespace()).collect();
            let width = part.chars().count() - before.chars().count();
            let gap = if part.ends_with(char::is_whitespace) && word.len() >= width {
                " "
            } else {
                ""
            };
            format!("{before}{word:<width$}{gap}")
        });
        parts.collect::<Vec<_>>().join("|").trim_end().to_owned()
    }
}
