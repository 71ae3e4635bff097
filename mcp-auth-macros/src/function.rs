//! The annotated function: is it a tool or a prompt, what is it called, and where does its caller come from.

use mcp_auth_policy::OperationKind;
use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{
    Attribute, Error, Expr, ExprLit, FnArg, Ident, ImplItemFn, Lit, LitStr, Meta, Pat, ReturnType, Token, Type,
    parse::Parser, punctuated::Punctuated, spanned::Spanned,
};

use crate::args::Args;

/// Where a function receives its caller.
pub(crate) enum CallerSource {
    /// A parameter `access: Access` at this position; `by_ref` if it is `&Access`.
    Access { index: usize, by_ref: bool },
    /// A parameter of type `Caller` or `&Caller` at this position.
    Caller { index: usize, by_ref: bool },
    /// A parameter of type `RequestContext<…>` or `&RequestContext<…>`, which `rmcp` gives to hand-written handlers.
    Context { index: usize, by_ref: bool },
    /// Nowhere yet: a tool or prompt, which gets a hidden parameter.
    Inject,
    /// Nowhere, and it is neither.
    Missing,
}

/// The name under which a function is looked up in the policy, and where that name is written.
pub(crate) struct Name {
    pub(crate) text: String,
    pub(crate) span: Span,
}

/// Tells whether an attribute is `name` under any path: `#[tool]`, `#[rmcp::tool]`.
pub(crate) fn is_attribute(attribute: &Attribute, name: &str) -> bool {
    attribute
        .path()
        .segments
        .last()
        .is_some_and(|segment| segment.ident == name)
}

/// Returns the `#[cfg(…)]` of a function, which decide whether it is there.
pub(crate) fn conditions(function: &ImplItemFn) -> Vec<&Attribute> {
    let attributes = function.attrs.iter();
    attributes
        .filter(|attribute| attribute.path().is_ident("cfg"))
        .collect()
}

/// Returns what an attribute makes of its method: `#[tool]` a tool, `#[prompt]` a prompt.
pub(crate) fn kind_of(attribute: &Attribute) -> Option<OperationKind> {
    let kinds = [("tool", OperationKind::Tool), ("prompt", OperationKind::Prompt)];
    let kind = kinds.into_iter().find(|(name, _)| is_attribute(attribute, name))?;
    Some(kind.1)
}

/// Returns kind and name of a tool or prompt: the `name` given in its attribute, or the function's.
pub(crate) fn routed(function: &ImplItemFn) -> Option<(OperationKind, Name)> {
    let mut attributes = function.attrs.iter();
    let (attribute, kind) = attributes.find_map(|attribute| Some((attribute, kind_of(attribute)?)))?;
    let name = name_argument(attribute).map_or_else(|| own_name(&function.sig.ident), |literal| named(&literal));
    Some((kind, name))
}

/// Returns the function's own name exactly as written; for `r#move` that is `move`.
pub(crate) fn own_name(ident: &Ident) -> Name {
    let text = ident.to_string();
    Name {
        text: text.strip_prefix("r#").unwrap_or(&text).to_owned(),
        span: ident.span(),
    }
}

pub(crate) fn named(literal: &LitStr) -> Name {
    Name {
        text: literal.value(),
        span: literal.span(),
    }
}

fn name_argument(attribute: &Attribute) -> Option<LitStr> {
    let Meta::List(list) = &attribute.meta else { return None };
    let arguments = Punctuated::<Meta, Token![,]>::parse_terminated
        .parse2(list.tokens.clone())
        .ok()?;
    arguments.into_iter().find_map(|argument| match argument {
        Meta::NameValue(pair) if pair.path.is_ident("name") => match pair.value {
            Expr::Lit(ExprLit {
                lit: Lit::Str(literal), ..
            }) => Some(literal),
            _ => None,
        },
        _ => None,
    })
}

/// Finds the parameter through which the caller arrives: an `Access`, else a `Caller`, else the context of the request.
pub(crate) fn caller_source(function: &ImplItemFn, is_routed: bool) -> CallerSource {
    let position = |name: &str| {
        let inputs = function.sig.inputs.iter().enumerate();
        inputs.into_iter().find_map(|(index, input)| match input {
            FnArg::Typed(parameter) => type_named(&parameter.ty, name).map(|by_ref| (index, by_ref)),
            FnArg::Receiver(_) => None,
        })
    };
    if let Some((index, by_ref)) = position("Access") {
        CallerSource::Access { index, by_ref }
    } else if let Some((index, by_ref)) = position("Caller") {
        CallerSource::Caller { index, by_ref }
    } else if is_routed {
        CallerSource::Inject
    } else if let Some((index, by_ref)) = position("RequestContext") {
        CallerSource::Context { index, by_ref }
    } else {
        CallerSource::Missing
    }
}

/// `Some(by_ref)` if the type is `name` or `&name`, under any path. Only `RequestContext` has type arguments.
fn type_named(ty: &Type, name: &str) -> Option<bool> {
    match ty {
        Type::Path(path) => path
            .path
            .segments
            .last()
            .is_some_and(|segment| segment.ident == name && (segment.arguments.is_none() != (name == "RequestContext")))
            .then_some(false),
        Type::Reference(reference) => type_named(&reference.elem, name).map(|_| true),
        Type::Paren(inner) => type_named(&inner.elem, name),
        Type::Group(inner) => type_named(&inner.elem, name),
        _ => None,
    }
}

/// Refuses what no expansion can guard.
///
/// # Errors
/// The first problem of the signature.
pub(crate) fn check_signature(function: &ImplItemFn, args: &Args) -> Result<(), Error> {
    let signature = &function.sig;
    let name = &signature.ident;
    if let Some(constness) = &signature.constness {
        return Err(Error::new(
            constness.span(),
            "a `const fn` runs without a caller, so it cannot be guarded",
        ));
    }
    if let Some(second) = function
        .attrs
        .iter()
        .find(|attribute| is_attribute(attribute, "requires_scope"))
    {
        return Err(Error::new(
            second.path().span(),
            "one `#[requires_scope]` per function\nlist all scopes in one",
        ));
    }
    let routed = routed(function);
    if let (Some((kind, routed)), Some((_, given))) = (&routed, &args.name) {
        let kind = kind.as_str();
        let message = format!(
            "the name of this {kind} is `{}`, from its `#[{kind}]`\ntake this one away",
            routed.text
        );
        return Err(Error::new(given.span(), message));
    }
    if routed.is_none() && args.name.is_none() && is_expanded(function) {
        return Err(Error::new(
            name.span(),
            "`#[tool]` or `#[prompt]` above `#[requires_scope]` hides the name\nswap them, put `#[guarded]` on the impl block, or give \
             `name = \"…\"` if this is neither",
        ));
    }
    match &signature.output {
        ReturnType::Default => Err(Error::new(
            name.span(),
            format!("`{name}` returns nothing, so it cannot refuse a caller\nreturn `Result<_, Denied>`"),
        )),
        ReturnType::Type(_, ty) if matches!(**ty, Type::ImplTrait(_)) => Err(Error::new(
            ty.span(),
            "this return type cannot carry a denial\nwrite `async fn`, `Result<_, Denied>` or `axum::response::Response`",
        )),
        ReturnType::Type(..) => Ok(()),
    }
}

/// Refuses an `Access` that nobody asks although the function is limited to the caller's own objects.
///
/// # Errors
/// At `owner_fallback` if there is none, at its pattern or name if the body does not use it, at `access = …` if there are two.
pub(crate) fn check_access(function: &ImplItemFn, source: &CallerSource, args: &Args) -> Result<(), Error> {
    let parameter = match source {
        CallerSource::Access { index, .. } => match function.sig.inputs.get(*index) {
            Some(FnArg::Typed(parameter)) => Some(&parameter.pat),
            _ => None,
        },
        _ => None,
    };
    if let (Some(_), Some(second)) = (parameter, &args.access) {
        return Err(Error::new(
            second.span(),
            "a parameter is the `Access` already\ntake `access = …` away",
        ));
    }
    let (Some(option), None) = (args.owner_fallback, &args.owner) else {
        return Ok(());
    };
    let name = match (parameter.map(|pattern| &**pattern), &args.access) {
        (Some(Pat::Ident(pattern)), _) => &pattern.ident,
        (Some(other), _) => return Err(Error::new(other.span(), UNUSABLE)),
        (None, Some(name)) => name,
        (None, None) => {
            return Err(Error::new(
                option,
                "`owner_fallback` needs a way to find the caller's own objects\nadd a parameter `access: Access` to filter by, or `owner = …`",
            ));
        }
    };
    if name.to_string().starts_with('_') {
        return Err(Error::new(name.span(), UNUSABLE));
    }
    if !mentions(function.block.to_token_stream(), name) {
        let message = format!("with `owner_fallback` the body must ask `{name}`\nfilter by it or check each owner");
        return Err(Error::new(name.span(), message));
    }
    Ok(())
}

const UNUSABLE: &str =
    "with `owner_fallback` the `Access` must be used\nname it `access`, then filter by it or check each owner";

/// Also looks into the arguments of macros, which only a search through the tokens can.
pub(crate) fn mentions(tokens: TokenStream, name: &Ident) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == *name,
        TokenTree::Group(group) => mentions(group.stream(), name),
        _ => false,
    })
}

/// Tells whether the function is what `#[tool]` or `#[prompt]` makes of an `async fn`: the attributes are in the wrong order.
fn is_expanded(function: &ImplItemFn) -> bool {
    let ReturnType::Type(_, ty) = &function.sig.output else {
        return false;
    };
    let Type::Path(path) = &**ty else { return false };
    let is_pin = path.path.segments.last().is_some_and(|segment| segment.ident == "Pin");
    let [syn::Stmt::Expr(Expr::Call(call), None)] = function.block.stmts.as_slice() else {
        return false;
    };
    is_pin && matches!(call.args.first(), Some(Expr::Async(_))) && call.args.len() == 1
}
