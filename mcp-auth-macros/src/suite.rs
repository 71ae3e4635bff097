//! `suite!`: reads a test suite while compiling and writes one `#[test]` for each of its tests.
//!
//! The tests run against the text that the compiler included: they open no file. They find their test by its number, since this process and
//! the test binary parse the same text.

use std::{
    env,
    fmt::Display,
    fs,
    path::{Path, PathBuf},
};

use mcp_auth_policy::{
    Policy,
    suite::{Suite, SuiteFile, Test, TestKind},
};
use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::{
    Error, LitStr, Token,
    parse::{Parse, ParseStream},
};

use crate::{
    policy_file::first_lines,
    suite_names::{Names, identifier},
};

/// The path of a suite.
struct Input(LitStr);

impl Parse for Input {
    fn parse(input: ParseStream<'_>) -> Result<Self, Error> {
        let usage = "expected the path of a suite: `suite!(\"policies/todo.test.yaml\")`";
        let path = input.parse().map_err(|error| Error::new(error.span(), usage))?;
        input.parse::<Option<Token![,]>>()?;
        if !input.is_empty() {
            return Err(input.error(usage));
        }
        Ok(Self(path))
    }
}

pub(crate) fn expand(input: TokenStream) -> TokenStream {
    syn::parse2(input)
        .and_then(|Input(path)| {
            let folder = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
            write(&path.value(), folder).map_err(|message| Error::new(path.span(), message))
        })
        .unwrap_or_else(Error::into_compile_error)
}

fn write(path: &str, folder: Option<PathBuf>) -> Result<TokenStream, String> {
    let folder = folder.ok_or("cannot tell the package's folder: build with cargo")?;
    let read = |what: &str, path: &str| {
        fs::read(folder.join(path)).map_err(|error| {
            format!(
                "cannot read {what} `{path}` from the folder `{}`: {error}",
                folder.display()
            )
        })
    };
    relative(path, "the suite", "package's")?;
    let suite_bytes = read("suite", path)?;
    let file = SuiteFile::parse_bytes(path, &suite_bytes).map_err(|errors| invalid("suite", path, &errors))?;

    relative(file.policy_path(), &format!("the policy in `{path}`"), "suite's")?;
    let folder_of_suite = Path::new(path).parent().unwrap_or(Path::new(""));
    let policy_path = folder_of_suite.join(file.policy_path()).display().to_string();
    let policy_bytes = read(&format!("the policy of `{path}`,"), &policy_path)?;
    let policy = Policy::loader()
        .file_name(&policy_path)
        .parse_bytes(&policy_bytes)
        .map_err(|errors| invalid("policy", &policy_path, &errors))?;

    let suite = file
        .with_policy(&policy)
        .map_err(|errors| invalid("suite", path, &errors))?;
    if suite.tests().is_empty() {
        return Err(format!("suite `{path}` tests nothing"));
    }
    Ok(items(path, &policy_path, &suite))
}

fn relative(path: &str, what: &str, whose: &str) -> Result<(), String> {
    if Path::new(path).has_root() {
        return Err(format!(
            "the path of {what} is absolute\nwrite it relative to the {whose} folder"
        ));
    }
    Ok(())
}

fn invalid(what: &str, path: &str, report: &impl Display) -> String {
    let report = first_lines(&report.to_string(), "mcp-policy test");
    format!("{what} `{path}` is not valid\n{report}")
}

fn items(path: &str, policy_path: &str, suite: &Suite<'_>) -> TokenStream {
    // The path is put together by the compiler, so that no absolute path gets into the output.
    let included = |path: &str| quote!(::core::concat!(::core::env!("CARGO_MANIFEST_DIR"), "/", #path));
    let (suite_file, policy_file) = (included(path), included(policy_path));
    let modules = sections(suite).into_iter().map(|section| module(section, suite));
    quote! {
        // Only what the compiler itself reads counts as a dependency, in builds without tests too: the suite is checked there as well.
        const _: [&[::core::primitive::u8]; 2] =
            [::core::include_bytes!(#suite_file), ::core::include_bytes!(#policy_file)];
        #[cfg(test)]
        static __MCP_AUTH_SUITE: ::mcp_auth::__private::EmbeddedSuite = ::mcp_auth::__private::EmbeddedSuite::new(
            (#path, ::core::include_str!(#suite_file)),
            (#policy_path, ::core::include_str!(#policy_file)),
        );
        #(#modules)*
    }
}

fn module(section: &str, suite: &Suite<'_>) -> TokenStream {
    let mut names = Names::default();
    let tests = suite.tests().iter().enumerate();
    let tests = tests.filter(|(_, test)| section_of(test) == section);
    let tests = tests.map(|(number, test)| {
        let name = names.unique(identifier(test.name()));
        quote! {
            #[::core::prelude::v1::test]
            fn #name() -> ::core::result::Result<(), ::mcp_auth::__private::FailedTest> {
                super::__MCP_AUTH_SUITE.run(#number)
            }
        }
    });
    let name = Ident::new(section, Span::call_site());
    quote! {
        #[cfg(test)]
        mod #name {
            #(#tests)*
        }
    }
}

/// Names the keys of a suite that tests come from, in their order.
fn sections(suite: &Suite<'_>) -> Vec<&'static str> {
    let mut sections = Vec::new();
    for section in suite.tests().iter().map(section_of) {
        if !sections.contains(&section) {
            sections.push(section);
        }
    }
    sections
}

/// Names the key of a suite that a test comes from.
fn section_of(test: &Test) -> &'static str {
    match test.kind() {
        TestKind::Cell => "matrix",
        TestKind::Case => "cases",
        TestKind::List => "lists",
        TestKind::Invariant => "invariants",
        TestKind::Coverage | TestKind::Mutants => "cover",
        // One that this crate does not know yet runs all the same.
        other => other.as_str(),
    }
}
