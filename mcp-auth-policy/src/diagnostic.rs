//! One finding in a policy or test file: what, where, and what to do.

use std::{fmt, sync::Arc};

use crate::source::{Excerpt, Source, Span};

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The file cannot be used.
    Error,
    /// The file can be used, but probably does not say what its author means.
    Warning,
}

impl Severity {
    /// Returns the word that begins a report: `error` or `warning`.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

macro_rules! codes {
    ($($variant:ident = $text:literal,)*) => {
        /// Every kind of finding. The texts are stable: tools may match on them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Code { $($variant,)* }

        impl Code {
            pub(crate) fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// All codes, for the test that demands a sample file for each.
            #[cfg(test)]
            pub(crate) const ALL: &'static [&'static str] = &[$($text,)*];
        }
    };
}

codes! {
    YamlAlias = "yaml-alias",
    YamlAnchor = "yaml-anchor",
    YamlCharacter = "yaml-character",
    YamlDepth = "yaml-depth",
    YamlDirective = "yaml-directive",
    YamlEmpty = "yaml-empty",
    YamlEncoding = "yaml-encoding",
    YamlKeyNotText = "yaml-key-not-text",
    YamlMergeKey = "yaml-merge-key",
    YamlSecondDocument = "yaml-second-document",
    YamlSyntax = "yaml-syntax",
    YamlTag = "yaml-tag",
    YamlTooLarge = "yaml-too-large",
    ChangeableSubject = "changeable-subject",
    ConflictingFields = "conflicting-fields",
    Cycle = "cycle",
    DuplicateKey = "duplicate-key",
    DuplicateName = "duplicate-name",
    EmptyAny = "empty-any",
    EmptyCondition = "empty-condition",
    EmptyList = "empty-list",
    InvalidClaimPath = "invalid-claim-path",
    InvalidColumnName = "invalid-column-name",
    InvalidName = "invalid-name",
    InvalidResourceUri = "invalid-resource-uri",
    InvalidScopeToken = "invalid-scope-token",
    InvalidToolName = "invalid-tool-name",
    MissingField = "missing-field",
    MissingIfMissing = "missing-if-missing",
    MissingRequires = "missing-requires",
    MissingTarget = "missing-target",
    MissingTest = "missing-test",
    ObjectWithoutOwner = "object-without-owner",
    OverlappingTemplates = "overlapping-templates",
    OwnerFallbackWithoutObject = "owner-fallback-without-object",
    TooManyScopes = "too-many-scopes",
    UnknownField = "unknown-field",
    UnknownIssuer = "unknown-issuer",
    UnknownObject = "unknown-object",
    UnknownRole = "unknown-role",
    UnknownScope = "unknown-scope",
    UnknownWord = "unknown-word",
    UnsupportedVersion = "unsupported-version",
    WrongType = "wrong-type",
    CombineUnion = "combine-union",
    EqualScopes = "equal-scopes",
    NotMonotone = "not-monotone",
    OpenTool = "open-tool",
    RedundantRole = "redundant-role",
    ShadowedForbid = "shadowed-forbid",
    UnmatchedForbid = "unmatched-forbid",
    UnusedOwnerFallback = "unused-owner-fallback",
    UnusedScope = "unused-scope",
    InvalidCell = "invalid-cell",
    InvalidExpectation = "invalid-expectation",
    MissingCell = "missing-cell",
    MissingColumn = "missing-column",
    MissingRow = "missing-row",
    NoTests = "no-tests",
    TextTooLong = "text-too-long",
    TooManyPrincipals = "too-many-principals",
    UnknownOperation = "unknown-operation",
    UnknownPrincipal = "unknown-principal",
}

/// One finding: a closed code, a message, a place, and often help.
///
/// `Display` gives the report for people, several lines without a trailing line break:
///
/// ```text
/// error[unknown-scope]: tool `get-todos` requires `raed:todos`, which is not declared
///   --> policies/todo.yaml:17:15
///    |
/// 17 |     requires: raed:todos
///    |               ^^^^^^^^^^ help: did you mean `read:todos`?
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    severity: Severity,
    code: Code,
    message: String,
    help: Option<String>,
    file: Arc<str>,
    span: Span,
    excerpt: Option<Excerpt>,
}

impl Diagnostic {
    pub(crate) fn new(severity: Severity, code: Code, source: &Source<'_>, span: Span, message: String) -> Self {
        Self {
            severity,
            code,
            message,
            help: None,
            file: Arc::clone(source.file()),
            span,
            excerpt: source.excerpt(span),
        }
    }

    pub(crate) fn with_help(mut self, help: Option<String>) -> Self {
        self.help = help;
        self
    }

    /// Returns whether this finding makes the file unusable.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// Returns the kind of finding, such as `unknown-scope`. The vocabulary is closed and its words are stable.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.code.as_str()
    }

    /// Returns what is wrong, as one lower-case sentence without a final period.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns what to do about it, if that is known.
    #[must_use]
    pub fn help(&self) -> Option<&str> {
        self.help.as_deref()
    }

    /// Returns the name of the file as it was given to the loader.
    #[must_use]
    pub fn file_name(&self) -> &str {
        &self.file
    }

    /// Returns the line, counted from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.span.line
    }

    /// Returns the column, counted from 1 in characters.
    #[must_use]
    pub fn column(&self) -> usize {
        self.span.column
    }

    /// Returns the column after the last character of the place, counted from 1 in characters.
    #[must_use]
    pub fn end_column(&self) -> usize {
        self.span.column + self.span.width
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Span { line, column, .. } = self.span;
        let gutter = line.to_string().len();
        writeln!(f, "{}[{}]: {}", self.severity.label(), self.code(), self.message)?;
        write!(f, "{:gutter$}--> {}:{line}:{column}", "", self.file)?;
        let help = self
            .help
            .as_deref()
            .map(|help| format!(" help: {help}"))
            .unwrap_or_default();
        match &self.excerpt {
            Some(Excerpt { text, indent, width }) => {
                writeln!(f, "\n{:gutter$} |", "")?;
                writeln!(f, "{line} | {text}")?;
                write!(f, "{:gutter$} | {:indent$}{}{help}", "", "", "^".repeat(*width))
            }
            None if help.is_empty() => Ok(()),
            None => write!(f, "\n{:gutter$} ={help}", ""),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::Code;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "the test reads its samples")]
    fn every_code_has_a_sample_in_tests_invalid() {
        // These take large files, which `tests/hostile.rs` and `tests/suites_hostile.rs` make.
        let mut reports = "[yaml-too-large] [too-many-scopes] [too-many-principals]".to_owned();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/invalid");
        for file in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if file.extension().is_some_and(|extension| extension == "txt") {
                reports.push_str(&fs::read_to_string(file).unwrap());
            }
        }
        let missing: Vec<_> = Code::ALL
            .iter()
            .filter(|code| !reports.contains(&format!("[{code}]")))
            .collect();
        assert!(missing.is_empty(), "no sample for {missing:?}");
    }
}
