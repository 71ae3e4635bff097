//! From the text of a file to a compiled policy.

use crate::{Policy, PolicyErrors, compile::compile, findings::Findings, link::link, read::read, source::Source, yaml};

/// Bytes that a policy file may have by default: 1 MiB.
const MAX_BYTES: usize = 1024 * 1024;

/// Settings for loading one policy file.
#[derive(Debug, Clone)]
#[must_use]
pub struct PolicyLoader {
    file_name: String,
    max_bytes: usize,
}

impl Default for PolicyLoader {
    fn default() -> Self {
        Self {
            file_name: "policy".to_owned(),
            max_bytes: MAX_BYTES,
        }
    }
}

impl PolicyLoader {
    /// Sets the name that messages call the file by. Default `policy`. The file is not opened.
    pub fn file_name(mut self, name: impl Into<String>) -> Self {
        self.file_name = name.into();
        self
    }

    /// Sets the size limit in bytes. Default 1 MiB, enough for about 10,000 tools.
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// Reads and compiles the text of a file.
    ///
    /// # Errors
    /// Gives every mistake of the file at once. After a mistake in the YAML itself the rest of the file is not judged.
    pub fn parse(self, text: &str) -> Result<Policy, PolicyErrors> {
        let source = Source::new(&self.file_name, text);
        let mut findings = Findings::new(&source);
        if !yaml::check_text(text, self.max_bytes, &mut findings) {
            return Err(findings.into_errors());
        }
        let Some(root) = yaml::parse(text, &mut findings) else {
            return Err(findings.into_errors());
        };
        let document = read(&root, &mut findings);
        // As large as the file; what comes next can use the memory.
        drop(root);
        let linked = link(&document, &mut findings);
        if !findings.is_empty() {
            return Err(findings.into_errors());
        }
        Ok(compile(document, linked, &source))
    }

    /// Reads and compiles the bytes of a file, which must be UTF-8.
    ///
    /// # Errors
    /// As [`PolicyLoader::parse`], and for another encoding.
    pub fn parse_bytes(self, bytes: &[u8]) -> Result<Policy, PolicyErrors> {
        let text = yaml::decode(&self.file_name, bytes)?;
        self.parse(text)
    }
}
