//! The report for people.

use mcp_auth::__doctor::{Report, Severity};

pub(crate) fn report(report: &Report) -> String {
    let mut text = String::new();
    let mut line = |line: String| {
        text.push_str(line.trim_end());
        text.push('\n');
    };
    let verdict = match report.usable {
        true => "works with MCP clients and with mcp-auth",
        false => "does not work as it is",
    };
    line(format!("{}  {verdict}", report.issuer));
    for location in &report.metadata {
        line(match &location.problem {
            None => format!("  metadata  {}", location.url),
            Some(problem) => format!("  not at    {} ({problem})", location.url),
        });
    }
    let usable = report.keys.iter().filter(|key| key.problem.is_none()).count();
    line(format!("  keys      {usable} of {} can be used", report.keys.len()));
    let modes = match report.modes.is_empty() {
        true => "none".to_owned(),
        false => report.modes.join(", "),
    };
    line(format!("  modes     {modes}"));

    line(String::new());
    line("Works".to_owned());
    for works in &report.works {
        line(format!("  {}  [{}]", works.message, works.code));
    }
    if !report.does_not_work.is_empty() {
        line(String::new());
        line("Does not work".to_owned());
        for problem in &report.does_not_work {
            let severity = match problem.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Note => "note",
            };
            line(format!("  {severity}: {}  [{}]", problem.message, problem.code));
        }
    }
    if !report.to_change.is_empty() {
        line(String::new());
        line("To change at the provider".to_owned());
        for change in &report.to_change {
            let how = if change.required { "must" } else { "could" };
            line(format!("  {how}: {}  [{}]", change.action, change.code));
        }
    }
    text
}
