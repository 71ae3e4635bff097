//! Writes the body of a guarded function: the check, the user's statements, and the question whether the limit was kept.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{
    Attribute, FnArg, Ident, ImplItemFn, Pat, ReturnType, Stmt, Type, parse_quote, spanned::Spanned,
    visit_mut::VisitMut,
};

use crate::function::CallerSource;

/// Puts the check in front of the user's statements. The user's braces stay, so that lints on the item point at the user's code.
pub(crate) fn write(
    function: &mut ImplItemFn,
    source: &CallerSource,
    lint: Option<TokenStream>,
    prologue: TokenStream,
) {
    let return_type = match &function.sig.output {
        ReturnType::Type(_, ty) => (**ty).clone(),
        ReturnType::Default => parse_quote!(()),
    };
    let hidden = |name: &str| Ident::new(name, Span::mixed_site());
    let (caller, denied) = (hidden("caller"), hidden("denied"));
    // An error about a return type that cannot carry a denial belongs on that type.
    let at_type = Span::mixed_site().located_at(return_type.span());
    let refuse = quote_spanned!(at_type=> ::mcp_auth::__private::FromDenied::from_denied(#denied));
    let statements = std::mem::take(&mut function.block.stmts);
    let inputs = &mut function.sig.inputs;

    let (caller, by_ref) = match source {
        CallerSource::Access { index, by_ref } => {
            if let Some(FnArg::Typed(parameter)) = inputs.get_mut(*index) {
                let binding = Binding {
                    attributes: std::mem::take(&mut parameter.attrs),
                    pattern: std::mem::replace(&mut parameter.pat, parse_quote!(#caller)),
                    ty: (*parameter.ty).clone(),
                    by_ref: *by_ref,
                    lint,
                };
                *parameter.ty = caller_type(*by_ref);
                let check = Check {
                    caller,
                    denied,
                    refuse,
                    at_type,
                    return_type,
                    prologue,
                };
                function.block.stmts = check.with_access(&binding, function.sig.asyncness.is_some(), &statements);
            }
            return;
        }
        CallerSource::Caller { index, by_ref } => match inputs.get_mut(*index) {
            Some(FnArg::Typed(parameter)) => match &*parameter.pat {
                Pat::Ident(name) => (name.ident.clone(), *by_ref),
                _ => {
                    *parameter.pat = parse_quote!(#caller);
                    (caller, *by_ref)
                }
            },
            _ => return,
        },
        CallerSource::Inject | CallerSource::Missing => {
            let behind_receiver = usize::from(matches!(inputs.first(), Some(FnArg::Receiver(_))));
            let ty = caller_type(false);
            inputs.insert(behind_receiver, parse_quote!(#caller: #ty));
            (caller, false)
        }
    };
    let borrow = (!by_ref).then(|| quote!(&));
    let block: syn::Block = parse_quote!({
        #prologue
        if let ::core::result::Result::Err(#denied) = ::mcp_auth::__private::permit(#borrow #caller, __REQUIREMENT) {
            return #refuse;
        }
        #(#statements)*
    });
    function.block.stmts = block.stmts;
}

fn caller_type(by_ref: bool) -> Type {
    if by_ref {
        parse_quote!(&::mcp_auth::__private::Caller)
    } else {
        parse_quote!(::mcp_auth::__private::Caller)
    }
}

/// The user's parameter that becomes a `let`.
struct Binding {
    attributes: Vec<Attribute>,
    pattern: Box<Pat>,
    ty: Type,
    by_ref: bool,
    lint: Option<TokenStream>,
}

/// The pieces of a check that hands out an `Access`.
struct Check {
    caller: Ident,
    denied: Ident,
    refuse: TokenStream,
    at_type: Span,
    return_type: Type,
    prologue: TokenStream,
}

impl Check {
    /// The user's statements run in a block of their own, so that `return` and `?` end there and the `Access` can be asked afterwards
    /// whether it was consulted.
    fn with_access(&self, binding: &Binding, is_async: bool, statements: &[Stmt]) -> Vec<Stmt> {
        let Self {
            caller,
            denied,
            refuse,
            at_type,
            return_type,
            prologue,
        } = self;
        let hidden = |name: &str| Ident::new(name, Span::mixed_site());
        let (access, watch, result, typed) = (hidden("access"), hidden("watch"), hidden("result"), hidden("typed"));
        let Binding {
            attributes,
            pattern,
            ty,
            ..
        } = binding;
        let lint = &binding.lint;
        let borrow_access = binding.by_ref.then(|| quote!(&));
        let borrow_caller = (!binding.by_ref).then(|| quote!(&));
        // Repeating the user's type keeps its import used.
        let bind = quote!(#(#attributes)* #lint let #pattern: #ty = #borrow_access #access;);
        let output = without_impl_trait(return_type);
        let run = if is_async {
            // An async block has no place for its type. A `return` that never runs tells the compiler before it reads the user's code.
            quote! {
                let #result: #output = async move {
                    #[allow(unreachable_code, clippy::diverging_sub_expression, clippy::empty_loop)]
                    if false {
                        let #typed: #output = loop {};
                        return #typed;
                    }
                    #bind
                    #(#statements)*
                }
                .await;
            }
        } else {
            quote!(let #result = ::mcp_auth::__private::run(move || -> #output { #bind #(#statements)* });)
        };
        // The same variable as `result`, seen at the type: what is wrong with the type is reported once.
        let settled = Ident::new("result", *at_type);
        let settle = quote_spanned!(*at_type=> ::mcp_auth::__private::FromDenied::settle(#settled, #watch));
        let block: syn::Block = parse_quote!({
            #prologue
            let (#access, #watch) = match ::mcp_auth::__private::admit(#borrow_caller #caller, __REQUIREMENT) {
                ::core::result::Result::Ok(admitted) => admitted,
                ::core::result::Result::Err(#denied) => return #refuse,
            };
            #run
            #settle
        });
        block.stmts
    }
}

/// `impl Trait` may stand in a return type but not in the type of a block; there the compiler infers it.
fn without_impl_trait(ty: &Type) -> Type {
    struct Infer;
    impl VisitMut for Infer {
        fn visit_type_mut(&mut self, ty: &mut Type) {
            if matches!(ty, Type::ImplTrait(_)) {
                *ty = parse_quote!(_);
            } else {
                syn::visit_mut::visit_type_mut(self, ty);
            }
        }
    }
    let mut ty = ty.clone();
    Infer.visit_type_mut(&mut ty);
    ty
}
