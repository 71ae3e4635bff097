//! What the tests that `suite!` writes run.

use std::{fmt, sync::OnceLock};

use mcp_auth_policy::{
    Policy, PolicyErrors,
    suite::{Suite, SuiteFile},
};

/// A suite and its policy as text in a test binary, parsed once for all tests.
#[derive(Debug)]
pub struct EmbeddedSuite {
    suite_file: File,
    policy_file: File,
    policy: OnceLock<Result<Policy, PolicyErrors>>,
    suite: OnceLock<Result<Suite<'static>, FailedTest>>,
}

/// A file's name for messages, and its text.
type File = (&'static str, &'static str);

/// Why a test failed.
///
/// `Debug` gives the text that `mcp-policy test` prints: that is what the test harness shows of an error.
#[derive(Clone)]
pub struct FailedTest(String);

impl EmbeddedSuite {
    /// Takes the two files; nothing is parsed yet.
    #[must_use]
    pub const fn new(suite: File, policy: File) -> Self {
        Self {
            suite_file: suite,
            policy_file: policy,
            policy: OnceLock::new(),
            suite: OnceLock::new(),
        }
    }

    /// Runs the test with this number, counted from 0 in the order of the suite.
    ///
    /// # Errors
    /// What was expected, what the policy answers, which rule decides, and what to write into the suite if the policy is right.
    pub fn run(&'static self, number: usize) -> Result<(), FailedTest> {
        let suite = self.suite.get_or_init(|| self.parse()).as_ref();
        let suite = suite.map_err(FailedTest::clone)?;
        let test = suite.tests().get(number);
        let test =
            test.ok_or_else(|| FailedTest(format!("`{}` changed while compiling; build again", suite.file_name())))?;
        suite.run_test(test).map_err(FailedTest::new)
    }

    fn parse(&'static self) -> Result<Suite<'static>, FailedTest> {
        let (name, text) = self.policy_file;
        let policy = self.policy.get_or_init(|| Policy::loader().file_name(name).parse(text));
        let policy = policy.as_ref().map_err(FailedTest::new)?;
        let (name, text) = self.suite_file;
        SuiteFile::parse(name, text)
            .and_then(|file| file.with_policy(policy))
            .map_err(FailedTest::new)
    }
}

impl FailedTest {
    fn new(report: impl fmt::Display) -> Self {
        Self(report.to_string())
    }
}

impl fmt::Debug for FailedTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
