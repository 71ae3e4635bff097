//! Replaces a file by another text, wholly or not at all.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the binary writes the files that the library may not"
)]

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::Path,
    process,
};

/// Writes the text beside the file and moves it there: who reads at the same time sees the old file or the new one. A link stays a
/// link, and the file keeps its permissions.
pub(crate) fn replace(file: &Path, text: &str) -> io::Result<()> {
    let file = fs::canonicalize(file)?;
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", process::id()));
    let beside = file.with_file_name(name);
    let result = write(&beside, &file, text).and_then(|()| fs::rename(&beside, &file));
    if result.is_err() {
        // Nothing else can be done about it.
        let _ = fs::remove_file(&beside);
    }
    result
}

fn write(beside: &Path, file: &Path, text: &str) -> io::Result<()> {
    let mut written = File::create_new(beside)?;
    written.set_permissions(fs::metadata(file)?.permissions())?;
    written.write_all(text.as_bytes())?;
    written.sync_all()
}
