//! Finds the functions of an impl block that make its tool router and its prompt router.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Attribute, Expr, ExprLit, Ident, ImplItem, ItemImpl, Lit, Meta, ReturnType, Token, Type};

use crate::function::is_attribute;

/// The attribute that writes a router, the type it has, and the method of `GuardedPart` that reads it.
const ROUTERS: [(&str, &str, &str); 2] = [
    ("tool_router", "ToolRouter", "tools"),
    ("prompt_router", "PromptRouter", "prompts"),
];

/// Returns `.tools(&Self::tool_router())` and the like, for each router of the block.
pub(crate) fn readers(block: &ItemImpl) -> Vec<TokenStream> {
    let routers = ROUTERS.iter().filter_map(|(attribute, ty, reader)| {
        let router = router(block, attribute, ty)?;
        let reader = format_ident!("{reader}");
        Some(quote!(.#reader(&Self::#router())))
    });
    routers.collect()
}

/// Named in an attribute below, or already written by one above.
fn router(block: &ItemImpl, attribute: &str, ty: &str) -> Option<Ident> {
    let below = block.attrs.iter().find(|below| is_attribute(below, attribute));
    below.map_or_else(
        || {
            block.items.iter().find_map(|item| match item {
                ImplItem::Fn(function) if function.sig.inputs.is_empty() && returns(&function.sig.output, ty) => {
                    Some(function.sig.ident.clone())
                }
                _ => None,
            })
        },
        |below| Some(name_in(below).unwrap_or_else(|| format_ident!("{attribute}"))),
    )
}

/// Reads `router = name`, which `#[prompt_router]` wants in quotes. Other options are rmcp's business.
fn name_in(attribute: &Attribute) -> Option<Ident> {
    let Meta::List(_) = attribute.meta else { return None };
    let mut name = None;
    let _ = attribute.parse_nested_meta(|option| {
        if option.input.peek(Token![=]) {
            let value = option.value()?.parse::<Expr>()?;
            if option.path.is_ident("router") {
                name = match value {
                    Expr::Path(path) => path.path.get_ident().cloned(),
                    Expr::Lit(ExprLit {
                        lit: Lit::Str(text), ..
                    }) => text.parse().ok(),
                    _ => None,
                };
            }
        }
        Ok(())
    });
    name
}

fn returns(output: &ReturnType, ty: &str) -> bool {
    let ReturnType::Type(_, output) = output else {
        return false;
    };
    matches!(&**output, Type::Path(path) if path.path.segments.last().is_some_and(|segment| segment.ident == ty))
}
