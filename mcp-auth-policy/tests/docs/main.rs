//! `docs/policy.md` says what is true: each file in it is written, each command is run, and what it shows is what is printed.
//!
//! `WRITE_DOCS=1 cargo test -p mcp-auth-policy --test docs` writes the real output under each command. Read the difference before you commit it.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests run the binary on files"
)]

mod keys;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

const GUIDE: &str = "../docs/policy.md";

/// A fenced block of the guide.
struct Block<'g> {
    /// The line of the fence, from 1.
    line: usize,
    info: &'g str,
    lines: Vec<&'g str>,
}

pub(crate) fn guide() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(GUIDE)
}

/// Splits a text into the lines outside of blocks and the blocks, in order.
fn parts(text: &str) -> Vec<Result<&str, Block<'_>>> {
    let mut parts: Vec<Result<&str, Block<'_>>> = Vec::new();
    let mut open: Option<Block<'_>> = None;
    for (number, line) in text.lines().enumerate() {
        let fence = line.trim_start().strip_prefix("```");
        assert!(
            !line.trim_start().starts_with("~~~"),
            "line {}: fences are ```",
            number + 1
        );
        match (&mut open, fence) {
            (None, Some(info)) => {
                assert!(
                    line.starts_with('`'),
                    "line {}: a block that is indented is not checked",
                    number + 1
                );
                open = Some(Block {
                    line: number + 1,
                    info,
                    lines: Vec::new(),
                });
            }
            (None, None) => parts.push(Ok(line)),
            (Some(block), None) => block.lines.push(line),
            (Some(_), Some(_)) => parts.extend(open.take().map(Err)),
        }
    }
    assert!(open.is_none(), "the last block is not closed");
    parts
}

/// The folder of somebody who follows the guide from top to bottom.
struct Reader {
    folder: PathBuf,
    /// Files that no command has looked at since they were written, with the line of the block.
    untried: Vec<(String, usize)>,
}

impl Reader {
    fn new() -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("guide");
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Self {
            folder,
            untried: Vec::new(),
        }
    }

    /// Writes a file. In one that is there already, each section of the block takes the place of the section with its name, or is added.
    fn write(&mut self, name: &str, block: &Block<'_>) {
        let overwritten = self.untried.iter().find(|(file, _)| file == name);
        assert_eq!(
            overwritten, None,
            "no command looks at this file before line {}",
            block.line
        );
        let path = self.folder.join(name);
        let mut sections = match fs::read_to_string(&path) {
            Ok(text) if !block.lines.iter().any(|line| line.starts_with("version:")) => sections(&text),
            _ => Vec::new(),
        };
        for (key, text) in self::sections(&block.lines.join("\n")) {
            match sections.iter_mut().find(|(known, _)| *known == key) {
                Some((_, old)) => *old = text,
                None => sections.push((key, text)),
            }
        }
        let text: String = sections.into_iter().map(|(_, text)| text).collect();
        fs::write(path, text).unwrap();
        self.untried.push((name.to_owned(), block.line));
    }

    /// Runs the commands of a block in one shell, and gives what each printed.
    fn run(&mut self, commands: &[&str]) -> Vec<String> {
        const END: &str = "--- end of a command ---";
        let binary = Path::new(env!("CARGO_BIN_EXE_mcp-policy"));
        let path = format!("{}:{}", binary.parent().unwrap().display(), env::var("PATH").unwrap());
        // `$?` passes from one command to the next.
        let script: String = (commands.iter())
            .map(|command| format!("(exit $status); {command}\nstatus=$?; echo '{END}'\n"))
            .collect();
        let output = Command::new("sh")
            .args(["-c", &format!("exec 2>&1; status=0\n{script}")])
            .current_dir(&self.folder)
            .env("PATH", path)
            .output()
            .unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        let mut printed: Vec<String> = printed.split(&format!("{END}\n")).map(str::to_owned).collect();
        assert_eq!(
            (printed.pop().unwrap(), printed.len()),
            (String::new(), commands.len()),
            "{commands:?}"
        );
        self.untried
            .retain(|(file, _)| !commands.iter().any(|command| command.contains(file.as_str())));
        printed
    }
}

/// The top-level keys of a file, each with its lines and the comments above it.
fn sections(text: &str) -> Vec<(String, String)> {
    let mut sections: Vec<(String, String)> = Vec::new();
    let mut above = String::new();
    for line in text.lines() {
        let key = line
            .split_once(':')
            .map(|(key, _)| key)
            .filter(|key| key.chars().all(|c| c.is_ascii_lowercase() || c == '_'));
        match (key.filter(|key| !key.is_empty()), sections.last_mut()) {
            (Some(key), _) => sections.push((key.to_owned(), std::mem::take(&mut above) + line + "\n")),
            (None, Some((_, text))) if !line.starts_with('#') => *text += &(line.to_owned() + "\n"),
            (None, _) => above += &(line.to_owned() + "\n"),
        }
    }
    assert!(above.is_empty(), "a comment stands above nothing");
    sections
}

/// Follows the guide, and writes it anew with what the commands really print.
fn follow(text: &str) -> String {
    let mut reader = Reader::new();
    let mut written = String::new();
    for part in parts(text) {
        let block = match part {
            Ok(line) => {
                written += line;
                written += "\n";
                continue;
            }
            Err(block) => block,
        };
        written += &format!("```{}\n", block.info);
        if let Some(name) = block.info.strip_prefix("yaml file=") {
            reader.write(name, &block);
            written += &(block.lines.join("\n") + "\n");
        } else if block.info == "console" {
            let commands: Vec<&str> = block.lines.iter().filter_map(|line| line.strip_prefix("$ ")).collect();
            assert!(
                block.lines.first().is_some_and(|line| line.starts_with("$ ")),
                "line {}: no command",
                block.line
            );
            for (command, printed) in commands.iter().zip(reader.run(&commands)) {
                written += &format!("$ {command}\n{printed}");
            }
        } else {
            panic!(
                "line {}: nothing checks a block `{}`; write `yaml file=…` or `console`",
                block.line, block.info
            );
        }
        written += "```\n";
    }
    assert_eq!(reader.untried, [], "no command looks at these files");
    written
}

#[test]
fn every_file_and_every_output_of_the_guide_is_real() {
    let text = fs::read_to_string(guide()).unwrap();
    let real = follow(&text);
    if env::var("WRITE_DOCS").is_ok() {
        fs::write(guide(), real).unwrap();
        return;
    }
    for (number, (shown, real)) in text.lines().zip(real.lines()).enumerate() {
        assert_eq!(
            shown,
            real,
            "docs/policy.md:{}: the guide shows the left, the program prints the right",
            number + 1
        );
    }
    assert_eq!(text, real, "docs/policy.md ends too early or too late");
}

#[test]
fn every_link_of_the_guide_leads_somewhere() {
    let text = fs::read_to_string(guide()).unwrap();
    let targets = text
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'))
        .map(|(target, _)| target);
    let mut count = 0;
    for target in targets.filter(|target| !target.starts_with("https://")) {
        let found = match target.strip_prefix('#') {
            Some(anchor) => text
                .lines()
                .filter(|line| line.starts_with('#'))
                .any(|heading| slug(heading) == anchor),
            None => guide().parent().unwrap().join(target).exists(),
        };
        assert!(found, "`{target}` leads nowhere");
        count += 1;
    }
    assert!(count > 0);
}

/// The anchor of a heading, as GitHub makes it.
fn slug(heading: &str) -> String {
    let words = heading.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
    words
        .chars()
        .filter(|c| c.is_alphanumeric() || "-_".contains(*c))
        .collect()
}
