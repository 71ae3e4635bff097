//! Rows of a failure, put into the suite by hand.

use mcp_auth_policy::suite::Failure;

/// Puts each row behind the key that it stands under. A key that the suite lacks comes to its end, and a row that is there already is left out.
pub(crate) fn paste(suite: &str, failure: &Failure) -> String {
    let mut suite = suite.to_owned();
    let mut key = "";
    for line in failure.paste().lines() {
        if !line.starts_with(' ') {
            key = line;
            if !suite.lines().any(|line| line == key) {
                suite.push_str(&format!("{key}\n"));
            }
        } else if !suite.lines().any(|other| other == line) || key.starts_with("matrix") {
            let mut lines: Vec<&str> = suite.lines().collect();
            let head = lines.iter().position(|line| *line == key).unwrap();
            let rest = &lines[head + 1..];
            let end = rest
                .iter()
                .position(|line| !line.starts_with(' '))
                .unwrap_or(rest.len());
            lines.insert(head + 1 + end, line);
            suite = lines.join("\n") + "\n";
        }
    }
    suite
}
