//! Finds and reads the files that were named. `-` is standard input.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the binary reads the files that the library may not"
)]

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

use crate::outcome::Outcome;

/// Bytes read of a file at most: one more than the library takes, so that it sees a file that is too large.
const LIMIT: u64 = 1024 * 1024 + 1;

/// Which files of a folder are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    Policies,
    Suites,
}

/// Lists the files named, and for each folder named the wanted files directly in it, sorted by name.
pub(crate) fn collect(named: &[PathBuf], wanted: Wanted, outcome: &mut Outcome) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for path in named {
        match list(path, wanted) {
            Ok(files) if files.is_empty() => {
                let what = if wanted == Wanted::Suites {
                    "*.test.yaml"
                } else {
                    "policy *.yaml"
                };
                outcome
                    .complaints
                    .push_str(&format!("there is no {what} in `{}`\n", path.display()));
            }
            Ok(files) => found.extend(files),
            Err(error) => outcome.complain(format!(
                "cannot read `{}`: {error}; name a file or a folder",
                path.display()
            )),
        }
    }
    found
}

fn list(path: &Path, wanted: Wanted) -> io::Result<Vec<PathBuf>> {
    if is_standard_input(path) || !fs::metadata(path)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(path)? {
        let file = entry?.path();
        if kind(&file) == Some(wanted) && !file.is_dir() {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

fn kind(path: &Path) -> Option<Wanted> {
    let name = path.file_name()?.to_str()?;
    let stem = name.strip_suffix(".yaml").or_else(|| name.strip_suffix(".yml"))?;
    Some(if stem.ends_with(".test") {
        Wanted::Suites
    } else {
        Wanted::Policies
    })
}

pub(crate) fn is_standard_input(path: &Path) -> bool {
    path == Path::new("-")
}

/// Gives the name of a file for messages.
pub(crate) fn shown(path: &Path) -> String {
    match is_standard_input(path) {
        true => "standard input".to_owned(),
        false => path.display().to_string(),
    }
}

pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    static TAKEN: AtomicBool = AtomicBool::new(false);
    let mut bytes = Vec::new();
    if !is_standard_input(path) {
        File::open(path)?.take(LIMIT).read_to_end(&mut bytes)?;
    } else if TAKEN.swap(true, Ordering::Relaxed) {
        return Err(io::Error::other("it can be read only once; name a file"));
    } else {
        io::stdin().lock().take(LIMIT).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

pub(crate) fn write(path: &Path, text: &str) -> io::Result<()> {
    fs::write(path, text)
}
