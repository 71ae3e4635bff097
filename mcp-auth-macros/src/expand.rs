//! From the attribute's tokens to the guarded function: read, check, write.

use mcp_auth_policy::OperationKind;
use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote};
use syn::{Error, Ident, ImplItemFn};

use crate::{
    args::{Args, IN_BLOCK},
    body, check,
    function::{self, CallerSource, Name},
    policy_file::Setting,
    report::Report,
};

/// Expands `#[requires_scope(…)]`. Always gives the function back, so that a mistake shows as one error and not as twenty.
pub(crate) fn expand(attribute: TokenStream, item: TokenStream) -> TokenStream {
    let Ok(function) = syn::parse2::<ImplItemFn>(item.clone()) else {
        let error = Error::new(
            Span::call_site(),
            "`#[requires_scope]` belongs on a function with a body",
        )
        .into_compile_error();
        return quote!(#error #item);
    };
    let mut report = Report::default();
    let constant = constant(&attribute, &function);
    let expanded = try_expand(attribute, function.clone(), &mut report).unwrap_or_else(|| quote!(#function));
    let errors = report.into_tokens();
    quote!(#errors #constant #expanded)
}

/// Returns the constant that the table of a block names. After a mistake too, so that the table makes no second error of it.
fn constant(attribute: &TokenStream, function: &ImplItemFn) -> Option<TokenStream> {
    if !function::mentions(attribute.clone(), &format_ident!("{IN_BLOCK}")) {
        return None;
    }
    let args = Args::parse(attribute.clone()).unwrap_or_else(|_| Args::unreadable());
    let (kind, name) = operation(&args, function::routed(function), function);
    let requirement = requirement(&args, kind, &name);
    let constant = constant_name(function);
    let conditions = function::conditions(function);
    let private = args.private();
    Some(quote! {
        #(#conditions)*
        #[doc(hidden)]
        #[allow(non_upper_case_globals)]
        const #constant: #private::Requirement = #requirement;
    })
}

/// The compiler says of a function that was not guarded: "no associated item named `__requirement_of_…`".
pub(crate) fn constant_name(function: &ImplItemFn) -> Ident {
    format_ident!("__requirement_of_{}", function.sig.ident)
}

/// `None` if the function cannot be given a caller at all.
fn try_expand(attribute: TokenStream, mut function: ImplItemFn, report: &mut Report) -> Option<TokenStream> {
    let args = report.ok(Args::parse(attribute));
    let readable = args.is_some();
    let args = args.unwrap_or_else(Args::unreadable);
    let routed = function::routed(&function);
    let source = function::caller_source(&function, routed.is_some());
    let (kind, name) = operation(&args, routed, &function);

    let guardable = report.ok(function::check_signature(&function, &args)).is_some();
    report.ok(function::check_access(&function, &source, &args));
    let setting = Setting::from_environment(args.policy.as_ref());
    if readable
        && guardable
        && !args.policy_reported
        && let Some(Some(file)) = report.ok(setting.load())
    {
        check::check(&file, &args, kind, &name, report);
    }
    if matches!(source, CallerSource::Missing) && args.owner_fallback.is_none() && guardable {
        report.at(
            function.sig.ident.span(),
            format!(
                "no caller arrives in `{}`\nadd a parameter `access: Access`, `caller: &Caller` or `context: RequestContext<RoleServer>`, or \
                 put `#[requires_scope]` above `#[tool]`",
                function.sig.ident
            ),
        );
    }
    if !guardable || matches!(source, CallerSource::Missing) {
        return None;
    }
    let tracking = report.is_empty().then(|| setting.tracking());
    let requirement = requirement(&args, kind, &name);
    let private = args.private();
    // Tools, prompts and resources are audited with their server.
    let register = (kind == OperationKind::Operation).then(|| quote!(#private::register!(#requirement);));
    let prologue = quote! {
        #tracking
        #register
        const __REQUIREMENT: &#private::Requirement = &#requirement;
    };
    // After a mistake the compiler should stay quiet about what follows from it.
    let lint = match (report.is_empty(), args.owner_fallback) {
        (false, _) => Some(quote!(#[allow(unused_variables)])),
        (true, Some(_)) if args.owner.is_none() => Some(quote!(#[deny(unused_variables)])),
        (true, _) => None,
    };
    body::write(&mut function, &source, &args, lint, &prologue);
    Some(quote!(#function))
}

/// Decides what the policy knows the function as.
pub(crate) fn operation(
    args: &Args,
    routed: Option<(OperationKind, Name)>,
    function: &ImplItemFn,
) -> (OperationKind, Name) {
    match (routed, &args.name) {
        (Some(routed), _) => routed,
        (None, Some((kind, name))) => (*kind, function::named(name)),
        (None, None) => (OperationKind::Operation, function::own_name(&function.sig.ident)),
    }
}

/// Writes the constant that the check at run time and the audit at start-up read.
pub(crate) fn requirement(args: &Args, kind: OperationKind, name: &Name) -> TokenStream {
    let kind = match kind {
        OperationKind::Tool => format_ident!("Tool"),
        OperationKind::Prompt => format_ident!("Prompt"),
        OperationKind::Resource => format_ident!("Resource"),
        _ => format_ident!("Operation"),
    };
    let name = &name.text;
    let alternatives = args.requires.alternatives();
    let alternatives = alternatives.iter().map(|scopes| quote!(&[#(#scopes),*]));
    let owner_fallback = args.owner_fallback.is_some();
    let private = args.private();
    quote! {
        #private::Requirement::new(
            #private::OperationKind::#kind,
            #name,
            &[#(#alternatives),*],
            #owner_fallback,
            ::core::file!(),
            ::core::line!(),
        )
    }
}

#[cfg(test)]
mod tests;
