//! `#[guarded]`: no tool of an impl block goes without a requirement.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{
    Attribute, Error, Ident, ImplItem, ImplItemFn, ItemImpl, LitStr, Meta, ReturnType, Token, Type, parse::ParseStream,
    parse::Parser, parse_quote, punctuated::Punctuated, spanned::Spanned,
};

use crate::{
    args::{Args, POLICY_REPORTED},
    expand,
    function::{self, is_attribute},
    policy_file::Setting,
    report::Report,
};

/// Expands `#[guarded(…)]`. Always gives the impl block back.
pub(crate) fn expand(attribute: TokenStream, item: TokenStream) -> TokenStream {
    let Ok(mut block) = syn::parse2::<ItemImpl>(item.clone()) else {
        let error = Error::new(Span::call_site(), "`#[guarded]` belongs on an impl block").into_compile_error();
        return quote!(#error #item);
    };
    let mut report = Report::default();
    let policy = report.ok(parse_policy.parse2(attribute)).flatten();
    let implementation = try_expand(&mut block, policy.as_ref(), &mut report);
    let errors = report.into_tokens();
    quote!(#block #implementation #errors)
}

/// Reads nothing, or `policy = "…"`.
fn parse_policy(input: ParseStream<'_>) -> Result<Option<LitStr>, Error> {
    if input.is_empty() {
        return Ok(None);
    }
    let word: Ident = input.parse()?;
    if word != "policy" {
        return Err(Error::new(
            word.span(),
            format!("unknown option `{word}`; expected `policy = \"…\"`"),
        ));
    }
    input.parse::<Token![=]>()?;
    let path = input.parse()?;
    input.parse::<Option<Token![,]>>()?;
    Ok(Some(path))
}

fn try_expand(block: &mut ItemImpl, policy: Option<&LitStr>, report: &mut Report) -> Option<TokenStream> {
    if let Some((path, _)) = &block.trait_ {
        report.at(
            path.span(),
            "`#[guarded]` belongs on the impl block that holds the tools, not on that of a trait",
        );
        return None;
    }
    // A file that cannot be used is one mistake, not one per tool.
    let usable = report.ok(Setting::from_environment(policy).load()).is_some();
    let router = router_name(block);
    if router.is_none() {
        report.at(
            block.self_ty.span(),
            "`#[guarded]` found no tools here: put it on the impl block of `#[tool_router]`",
        );
    }
    let mut requirements = Vec::new();
    for item in &mut block.items {
        let ImplItem::Fn(method) = item else { continue };
        pass_on_policy(method, policy, usable);
        move_in_front_of_tool(method);
        let tool = function::tool_name(method);
        let stated = method
            .attrs
            .iter()
            .find(|attribute| is_attribute(attribute, "requires_scope"));
        match (tool, stated) {
            (Some(tool), None) => report.at(
                method.sig.ident.span(),
                format!(
                    "tool `{}` states no requirement; add `#[requires_scope(\"…\")]`, or `#[requires_scope(none)]` for every \
                     authenticated caller",
                    tool.text
                ),
            ),
            (tool, Some(attribute)) => requirements.extend(requirement(attribute, tool, method)),
            (None, None) => {}
        }
    }
    let router = router?;
    let ty = &block.self_ty;
    let (generics, _, bounds) = block.generics.split_for_impl();
    Some(quote! {
        impl #generics ::mcp_auth::__private::Guarded for #ty #bounds {
            const REQUIREMENTS: &'static [::mcp_auth::__private::Requirement] = &[#(#requirements),*];
            fn served() -> ::mcp_auth::__private::Vec<::mcp_auth::__private::String> {
                ::mcp_auth::__private::served_names(&Self::#router())
            }
            fn input_schemas() -> ::mcp_auth::__private::InputSchemas {
                ::mcp_auth::__private::input_schemas(&Self::#router())
            }
        }
    })
}

/// `None` if the arguments cannot be read; the method's own attribute reports that.
fn requirement(attribute: &Attribute, tool: Option<function::Name>, method: &ImplItemFn) -> Option<TokenStream> {
    let args = Args::parse(arguments(attribute)?).ok()?;
    let (kind, name) = expand::operation(&args, tool, method);
    Some(expand::requirement(&args, kind, &name))
}

/// `None` for `#[requires_scope = …]`, which the attribute itself cannot read either.
fn arguments(attribute: &Attribute) -> Option<TokenStream> {
    match &attribute.meta {
        Meta::Path(_) => Some(TokenStream::new()),
        Meta::List(list) => Some(list.tokens.clone()),
        Meta::NameValue(_) => None,
    }
}

/// Adds the block's policy to the method's arguments, unless the method names its own.
fn pass_on_policy(method: &mut ImplItemFn, policy: Option<&LitStr>, usable: bool) {
    for attribute in method
        .attrs
        .iter_mut()
        .filter(|attribute| is_attribute(attribute, "requires_scope"))
    {
        let Some(arguments) = arguments(attribute) else {
            continue;
        };
        let extra = if !usable {
            let word = Ident::new(POLICY_REPORTED, Span::call_site());
            quote!(#word)
        } else if let (Some(path), true) = (
            policy,
            Args::parse(arguments.clone()).is_ok_and(|args| args.policy.is_none()),
        ) {
            quote!(policy = #path)
        } else {
            continue;
        };
        if let Meta::List(list) = &mut attribute.meta {
            let given = Punctuated::<TokenStream, Token![,]>::from_iter(strip_trailing_comma(arguments));
            list.tokens = quote!(#given, #extra);
        }
    }
}

fn strip_trailing_comma(tokens: TokenStream) -> Option<TokenStream> {
    let mut tokens: Vec<_> = tokens.into_iter().collect();
    if matches!(tokens.last(), Some(proc_macro2::TokenTree::Punct(last)) if last.as_char() == ',') {
        tokens.pop();
    }
    (!tokens.is_empty()).then(|| tokens.into_iter().collect())
}

/// `#[tool]` above would expand first and hide the tool's name.
fn move_in_front_of_tool(method: &mut ImplItemFn) {
    let position = |name: &str| method.attrs.iter().position(|attribute| is_attribute(attribute, name));
    if let (Some(tool), Some(requires)) = (position("tool"), position("requires_scope"))
        && tool < requires
    {
        let attribute = method.attrs.remove(requires);
        method.attrs.insert(tool, attribute);
    }
}

/// Finds the function that lists the served tools: named in a `#[tool_router]` below, or already written by one above.
fn router_name(block: &ItemImpl) -> Option<Ident> {
    if let Some(attribute) = block
        .attrs
        .iter()
        .find(|attribute| is_attribute(attribute, "tool_router"))
    {
        let mut name = parse_quote!(tool_router);
        if let Meta::List(_) = attribute.meta {
            // Options are rmcp's business; only `router = name` matters here.
            let _ = attribute.parse_nested_meta(|option| {
                if option.path.is_ident("router") {
                    name = option.value()?.parse()?;
                } else if option.input.peek(Token![=]) {
                    option.value()?.parse::<syn::Expr>()?;
                }
                Ok(())
            });
        }
        return Some(name);
    }
    block.items.iter().find_map(|item| match item {
        ImplItem::Fn(function) if function.sig.inputs.is_empty() && returns_tool_router(&function.sig.output) => {
            Some(function.sig.ident.clone())
        }
        _ => None,
    })
}

fn returns_tool_router(output: &ReturnType) -> bool {
    let ReturnType::Type(_, ty) = output else { return false };
    matches!(&**ty, Type::Path(path) if path.path.segments.last().is_some_and(|segment| segment.ident == "ToolRouter"))
}
