//! `#[guarded]`: no tool or prompt of an impl block goes without a requirement.

use mcp_auth_policy::OperationKind;
use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote};
use syn::{
    Attribute, Error, Ident, ImplItem, ImplItemFn, ItemImpl, Meta, Token, parse_quote, punctuated::Punctuated,
    spanned::Spanned,
};

use crate::{
    args::{self, Args, IN_BLOCK, POLICY_REPORTED},
    expand,
    function::{self, is_attribute},
    guarded_options::{Options, Role},
    policy_file::Setting,
    report::Report,
    router,
};

/// Expands `#[guarded(…)]`. Always gives the impl block back.
pub(crate) fn expand(attribute: TokenStream, item: TokenStream) -> TokenStream {
    let Ok(mut block) = syn::parse2::<ItemImpl>(item.clone()) else {
        let error = Error::new(Span::call_site(), "`#[guarded]` belongs on an impl block").into_compile_error();
        return quote!(#error #item);
    };
    let mut report = Report::default();
    let options = report.ok(Options::parse(attribute)).unwrap_or_default();
    let implementation = try_expand(&mut block, &options, &mut report);
    let errors = report.into_tokens();
    quote!(#block #implementation #errors)
}

fn try_expand(block: &mut ItemImpl, options: &Options, report: &mut Report) -> Option<TokenStream> {
    let policy = options.policy.as_ref();
    // A file that cannot be used is one mistake, not one per tool.
    let usable = report.ok(Setting::from_environment(policy).load()).is_some();
    let routers = router::readers(block);
    // A trait has no room for further constants: there the table repeats what the attribute says.
    let is_inherent = block.trait_.is_none();
    let mut requirements = Requirements::default();
    for item in &mut block.items {
        let ImplItem::Fn(method) = item else { continue };
        pass_on(method, options, is_inherent, usable);
        move_to_the_front(method);
        requirements.add(method, is_inherent, report);
    }
    if routers.is_empty() && !requirements.stated {
        let place = block
            .trait_
            .as_ref()
            .map_or_else(|| block.self_ty.span(), |(path, _)| path.span());
        report.at(
            place,
            "`#[guarded]` found nothing to guard here\nput it on the impl block of `#[tool_router]` or `#[prompt_router]`, or of functions \
             with `#[requires_scope]`",
        );
        return None;
    }
    Some(write(block, options, &requirements, &routers))
}

/// Writes what the audit reads: a function of its own for a part, the trait for the block that stands for the type.
fn write(block: &ItemImpl, options: &Options, requirements: &Requirements, routers: &[TokenStream]) -> TokenStream {
    let ty = &block.self_ty;
    let (generics, _, bounds) = block.generics.split_for_impl();
    let Requirements { routed, by_hand, .. } = requirements;
    let private = args::private(options.krate.as_ref());
    let part = quote! {
        #private::GuardedPart::new(const { &[#(#routed),*] }, const { &[#(#by_hand),*] }) #(#routers)*
    };
    match &options.role {
        Role::Part(name) => {
            let name = part_function(name);
            quote! {
                impl #generics #ty #bounds {
                    #[doc(hidden)]
                    pub(crate) fn #name() -> #private::GuardedPart {
                        #part
                    }
                }
            }
        }
        Role::Whole(others) => {
            let others = others.iter().map(part_function);
            quote! {
                impl #generics #private::Guarded for #ty #bounds {
                    fn parts() -> #private::Vec<#private::GuardedPart> {
                        #private::vec![#part #(, Self::#others())*]
                    }
                }
            }
        }
    }
}

/// The compiler says of a name that no block has: "no associated function named `__guarded_part_…`", at that name.
fn part_function(name: &Ident) -> Ident {
    format_ident!("__guarded_part_{}", name, span = name.span())
}

/// What the functions of a block demand.
#[derive(Default)]
struct Requirements {
    /// Of methods with `#[tool]` or `#[prompt]`.
    routed: Vec<TokenStream>,
    /// Of other functions.
    by_hand: Vec<TokenStream>,
    /// There is a `#[requires_scope]`, readable or not, or its absence was reported.
    stated: bool,
}

impl Requirements {
    fn add(&mut self, method: &ImplItemFn, is_inherent: bool, report: &mut Report) {
        let routed = function::routed(method);
        let mut attributes = method.attrs.iter();
        let attribute = attributes.find(|attribute| is_attribute(attribute, "requires_scope"));
        self.stated |= attribute.is_some() || routed.is_some();
        match (routed, attribute) {
            (Some((kind, name)), None) => report.at(
                method.sig.ident.span(),
                format!(
                    "{} `{}` states no requirement\nadd `#[requires_scope(\"…\")]`, or `#[requires_scope(none)]` for every \
                     authenticated caller",
                    kind.as_str(),
                    name.text
                ),
            ),
            (routed, Some(attribute)) => {
                let list = if routed.is_some() { &mut self.routed } else { &mut self.by_hand };
                if is_inherent {
                    let mut constant = expand::constant_name(method);
                    constant.set_span(attribute.path().span());
                    let conditions = function::conditions(method);
                    list.push(quote!(#(#conditions)* Self::#constant));
                } else {
                    list.extend(requirement(attribute, routed, method));
                }
            }
            (None, None) => {}
        }
    }
}

/// `None` if the arguments cannot be read; the method's own attribute reports that.
fn requirement(
    attribute: &Attribute,
    routed: Option<(OperationKind, function::Name)>,
    method: &ImplItemFn,
) -> Option<TokenStream> {
    let args = Args::parse(arguments(attribute)?).ok()?;
    let (kind, name) = expand::operation(&args, routed, method);
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

/// Adds the block's policy and crate to the method's arguments, unless the method names its own.
fn pass_on(method: &mut ImplItemFn, options: &Options, is_inherent: bool, usable: bool) {
    for attribute in method
        .attrs
        .iter_mut()
        .filter(|attribute| is_attribute(attribute, "requires_scope"))
    {
        let Some(arguments) = arguments(attribute) else {
            continue;
        };
        let own = Args::parse(arguments.clone()).ok();
        let mut extra = Vec::new();
        if !usable {
            let word = Ident::new(POLICY_REPORTED, Span::call_site());
            extra.push(quote!(#word));
        } else if let (Some(path), Some(None)) = (&options.policy, own.as_ref().map(|own| &own.policy)) {
            extra.push(quote!(policy = #path));
        }
        if let (Some(path), Some(None)) = (&options.krate, own.as_ref().map(|own| &own.krate)) {
            extra.push(quote!(crate = #path));
        }
        if is_inherent {
            let word = Ident::new(IN_BLOCK, Span::call_site());
            extra.push(quote!(#word));
        }
        let path = attribute.path().clone();
        let given = strip_trailing_comma(arguments).into_iter();
        let arguments = Punctuated::<TokenStream, Token![,]>::from_iter(given.chain(extra));
        attribute.meta = parse_quote!(#path(#arguments));
    }
}

fn strip_trailing_comma(tokens: TokenStream) -> Option<TokenStream> {
    let mut tokens: Vec<_> = tokens.into_iter().collect();
    if matches!(tokens.last(), Some(proc_macro2::TokenTree::Punct(last)) if last.as_char() == ',') {
        tokens.pop();
    }
    (!tokens.is_empty()).then(|| tokens.into_iter().collect())
}

/// `#[tool]` or `#[prompt]` above would expand first and hide the name.
fn move_to_the_front(method: &mut ImplItemFn) {
    let routing = method
        .attrs
        .iter()
        .position(|attribute| function::kind_of(attribute).is_some());
    let requires = method
        .attrs
        .iter()
        .position(|attribute| is_attribute(attribute, "requires_scope"));
    if let (Some(routing), Some(requires)) = (routing, requires)
        && routing < requires
    {
        let attribute = method.attrs.remove(requires);
        method.attrs.insert(routing, attribute);
    }
}
