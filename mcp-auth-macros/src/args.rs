//! The grammar of `#[requires_scope(…)]`, every mistake reported at once.

use mcp_auth_policy::OperationKind;
use proc_macro2::{Span, TokenStream, TokenTree};
use quote::quote;
use syn::{
    Error, Expr, Ident, LitStr, Path, Token,
    ext::IdentExt,
    parse::{ParseStream, Parser},
    punctuated::Punctuated,
    token,
};

use crate::report::Report;

/// Says that `#[guarded]` already reported a policy file that cannot be used. Never written by people.
pub(crate) const POLICY_REPORTED: &str = "__policy_reported";

/// Asks for the requirement as a constant beside the function, which the block's table names: so the table has an entry only for a function
/// that was really guarded. Given by `#[guarded]`, never written by people.
pub(crate) const IN_BLOCK: &str = "__in_block";

/// The arguments of one `#[requires_scope(…)]`.
pub(crate) struct Args {
    pub(crate) requires: Requires,
    pub(crate) owner_fallback: Option<Span>,
    /// The owner of the object that the function is about, asked only where the caller is limited to its own objects.
    pub(crate) owner: Option<(Span, Expr)>,
    /// The variable that holds the `Access` in the body, for a signature that cannot have it as a parameter.
    pub(crate) access: Option<Ident>,
    pub(crate) name: Option<(OperationKind, LitStr)>,
    pub(crate) policy: Option<LitStr>,
    pub(crate) krate: Option<Path>,
    /// Set by `#[guarded]` after it reported an unusable policy file, so that one mistake gives one error.
    pub(crate) policy_reported: bool,
}

/// Which scopes an annotation demands.
pub(crate) enum Requires {
    /// All of these.
    All(Vec<LitStr>),
    /// At least one of these.
    Any(Vec<LitStr>),
    /// Every authenticated caller; the span is that of the word `none`.
    Open(Span),
}

impl Requires {
    /// Returns the scope literals as written.
    pub(crate) fn literals(&self) -> &[LitStr] {
        match self {
            Self::All(literals) | Self::Any(literals) => literals,
            Self::Open(_) => &[],
        }
    }

    /// Returns the alternatives, each of which is enough: the form of `Annotation::requires` in the policy crate.
    pub(crate) fn alternatives(&self) -> Vec<Vec<String>> {
        match self {
            Self::All(all) => vec![all.iter().map(LitStr::value).collect()],
            Self::Any(any) => any.iter().map(|scope| vec![scope.value()]).collect(),
            Self::Open(_) => vec![Vec::new()],
        }
    }
}

impl Args {
    /// Stands in for arguments that could not be read. No alternative at all: nobody gets in, should it ever be compiled.
    pub(crate) fn unreadable() -> Self {
        Self {
            requires: Requires::Any(Vec::new()),
            owner_fallback: None,
            owner: None,
            access: None,
            name: None,
            policy: None,
            krate: None,
            policy_reported: true,
        }
    }

    /// Returns the module that generated code names.
    pub(crate) fn private(&self) -> TokenStream {
        private(self.krate.as_ref())
    }

    /// Reads the arguments.
    ///
    /// # Errors
    /// All mistakes in one error.
    pub(crate) fn parse(tokens: TokenStream) -> Result<Self, Error> {
        let mut parts = Parts::default();
        (|input: ParseStream<'_>| parts.read(input)).parse2(tokens)?;
        parts.finish()
    }
}

/// Returns the module that generated code names, of `mcp-auth` under its own path or the given one.
pub(crate) fn private(krate: Option<&Path>) -> TokenStream {
    krate.map_or_else(|| quote!(::mcp_auth::__private), |path| quote!(#path::__private))
}

/// What has been read so far.
#[derive(Default)]
struct Parts {
    all: Vec<LitStr>,
    any: Option<(Span, Vec<LitStr>)>,
    none: Option<Span>,
    owner_fallback: Option<Span>,
    owner: Option<(Span, Expr)>,
    access: Option<Ident>,
    name: Option<(OperationKind, LitStr)>,
    policy: Option<LitStr>,
    krate: Option<Path>,
    policy_reported: bool,
    report: Report,
}

impl Parts {
    fn read(&mut self, input: ParseStream<'_>) -> Result<(), Error> {
        while !input.is_empty() {
            if input.peek(LitStr) {
                self.all.push(input.parse()?);
            } else if input.peek(Ident::peek_any) {
                let word = input.call(Ident::parse_any)?;
                self.word(&word, input)?;
            } else {
                self.report.at(input.span(), "expected a scope in quotes or an option");
                skip_argument(input)?;
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(())
    }

    fn word(&mut self, word: &Ident, input: ParseStream<'_>) -> Result<(), Error> {
        match word.to_string().as_str() {
            "any" if input.peek(token::Paren) => {
                let inner;
                syn::parenthesized!(inner in input);
                let scopes = Punctuated::<LitStr, Token![,]>::parse_terminated(&inner)?;
                if scopes.len() < 2 {
                    self.report.at(word.span(), "`any(…)` needs at least two scopes");
                }
                if self.any.replace((word.span(), scopes.into_iter().collect())).is_some() {
                    self.report.at(word.span(), "`any(…)` is written twice");
                }
            }
            "none" => set_once(&mut self.none, word.span(), word, &mut self.report),
            "owner_fallback" => set_once(&mut self.owner_fallback, word.span(), word, &mut self.report),
            "name" => self.name(OperationKind::Operation, word, input)?,
            "tool" => self.name(OperationKind::Tool, word, input)?,
            "prompt" => self.name(OperationKind::Prompt, word, input)?,
            "resource" => self.name(OperationKind::Resource, word, input)?,
            "owner" => {
                input.parse::<Token![=]>()?;
                set_once(&mut self.owner, (word.span(), input.parse()?), word, &mut self.report);
            }
            "access" => {
                input.parse::<Token![=]>()?;
                set_once(&mut self.access, input.parse()?, word, &mut self.report);
            }
            "policy" => set_once(&mut self.policy, string_after_equals(input)?, word, &mut self.report),
            "crate" => {
                input.parse::<Token![=]>()?;
                set_once(
                    &mut self.krate,
                    input.call(Path::parse_mod_style)?,
                    word,
                    &mut self.report,
                );
            }
            POLICY_REPORTED => self.policy_reported = true,
            IN_BLOCK => {}
            _ => {
                self.report.at(
                    word.span(),
                    format!(
                        "unknown option `{word}`\nexpected a scope in quotes, `any(…)`, `none`, `owner_fallback`, `owner = …`, \
                         `access = …`, `name`, `tool`, `prompt` or `resource = \"…\"`, `policy = \"…\"` or `crate = …`"
                    ),
                );
                skip_argument(input)?;
            }
        }
        Ok(())
    }

    /// One function is one operation, so it has one name.
    fn name(&mut self, kind: OperationKind, word: &Ident, input: ParseStream<'_>) -> Result<(), Error> {
        let literal = string_after_equals(input)?;
        if let Some((other, _)) = self.name.replace((kind, literal)) {
            let message = if other == kind {
                format!("`{word}` is written twice")
            } else {
                "one function is one operation\nwrite one of `name`, `tool`, `prompt` and `resource`".to_owned()
            };
            self.report.at(word.span(), message);
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Args, Error> {
        let scopes = || self.all.iter().chain(self.any.iter().flat_map(|(_, any)| any));
        let mut seen = Vec::new();
        for literal in scopes() {
            let scope = literal.value();
            if let Some(problem) = problem_of_scope(&scope) {
                self.report.at(literal.span(), problem);
            } else if seen.contains(&scope) {
                self.report
                    .at(literal.span(), format!("scope `{scope}` is written twice"));
            }
            seen.push(scope);
        }
        if let (Some((span, _)), false) = (&self.any, self.all.is_empty()) {
            self.report
                .at(*span, "write either a list of scopes or one `any(…)`, not both");
        }
        if let Some(span) = self.none {
            if scopes().next().is_some() {
                self.report
                    .at(span, "`none` says that no scope is needed\nremove it or the scopes");
            }
            if self.owner_fallback.is_some() || self.owner.is_some() {
                self.report.at(
                    span,
                    "`none` lets every caller reach everything\nan owner has no effect then; remove one",
                );
            }
        } else if scopes().next().is_none() && self.any.is_none() && self.report.is_empty() {
            self.report.at(
                Span::call_site(),
                "which scopes?\nwrite `#[requires_scope(\"create:todos\")]`, or `#[requires_scope(none)]` for every authenticated caller",
            );
        }
        if let (Some((span, _)), None, None) = (&self.owner, self.owner_fallback, self.none) {
            self.report.at(
                *span,
                "`owner` is for callers limited to their own objects\nadd `owner_fallback`",
            );
        }
        if let Some((_, name)) = self.name.as_ref().filter(|(_, name)| name.value().is_empty()) {
            self.report.at(name.span(), "the name of an operation cannot be empty");
        }
        let requires = match (self.none, self.any) {
            (Some(span), _) => Requires::Open(span),
            (None, Some((_, any))) => Requires::Any(any),
            (None, None) => Requires::All(self.all),
        };
        self.report.into_result(Args {
            requires,
            owner_fallback: self.owner_fallback,
            owner: self.owner,
            access: self.access,
            name: self.name,
            policy: self.policy,
            krate: self.krate,
            policy_reported: self.policy_reported,
        })
    }
}

fn set_once<T>(slot: &mut Option<T>, value: T, word: &Ident, report: &mut Report) {
    if slot.replace(value).is_some() {
        report.at(word.span(), format!("`{word}` is written twice"));
    }
}

fn string_after_equals(input: ParseStream<'_>) -> Result<LitStr, Error> {
    input.parse::<Token![=]>()?;
    input.parse()
}

/// Goes on to the next comma, so that the arguments behind a mistake are read too.
fn skip_argument(input: ParseStream<'_>) -> Result<(), Error> {
    while !input.is_empty() && !input.peek(Token![,]) {
        input.parse::<TokenTree>()?;
    }
    Ok(())
}

/// A scope token has no space, quote or backslash, and is printable ASCII (RFC 6749 section 3.3).
fn problem_of_scope(scope: &str) -> Option<String> {
    if scope.is_empty() {
        return Some("a scope cannot be empty; for every authenticated caller write `none`".into());
    }
    if scope.contains(' ') {
        return Some("one scope per literal: write `\"a\", \"b\"` instead of `\"a b\"`".into());
    }
    let allowed = |c: char| matches!(c, '!' | '#'..='[' | ']'..='~');
    (!scope.chars().all(allowed))
        .then(|| format!("`{}` is not a scope token (RFC 6749 section 3.3)", scope.escape_debug()))
}

#[cfg(test)]
mod tests;
