//! Writes the body of a guarded function: the check, the user's statements, and the question whether the limit was kept.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{
    Attribute, Expr, FnArg, Ident, ImplItemFn, Pat, PatType, ReturnType, Stmt, Type, parse_quote, spanned::Spanned,
    visit_mut::VisitMut,
};

use crate::{args::Args, function::CallerSource};

/// Puts the check in front of the user's statements. The user's braces stay, so that lints on the item point at the user's code.
pub(crate) fn write(
    function: &mut ImplItemFn,
    source: &CallerSource,
    args: &Args,
    lint: Option<TokenStream>,
    prologue: &TokenStream,
) {
    let return_type = match &function.sig.output {
        ReturnType::Type(_, ty) => (**ty).clone(),
        ReturnType::Default => parse_quote!(()),
    };
    let private = args.private();
    let denied = hidden("denied");
    // An error about a return type that cannot carry a denial belongs on that type.
    let at_type = Span::mixed_site().located_at(return_type.span());
    let private_there = located(&private, at_type);
    let refuse = quote_spanned!(at_type=> #private_there::FromDenied::from_denied(#denied));
    let Some(mut received) = receive(function, source, &private) else {
        return;
    };
    if let (Some(name), None) = (&args.access, &received.binding) {
        received.binding = Some(Binding {
            attributes: Vec::new(),
            pattern: parse_quote!(#name),
            ty: parse_quote!(#private::Access),
            by_ref: false,
        });
    }
    let check = Check {
        private,
        denied,
        refuse,
        at_type,
        return_type,
        lint,
        owner: args.owner.as_ref().map(|(_, owner)| owner),
    };
    let statements = std::mem::take(&mut function.block.stmts);
    let is_async = function.sig.asyncness.is_some();
    let lookup = received.from_context.then(|| check.look_up(&received.caller));
    let statements = if received.binding.is_some() || args.owner.is_some() {
        check.with_access(&received, is_async, &statements)
    } else {
        check.without_access(&received, &statements)
    };
    let block: syn::Block = parse_quote!({ #prologue #lookup #(#statements)* });
    function.block.stmts = block.stmts;
}

/// An error about a call is shown where the path of the called function is.
fn located(path: &TokenStream, span: Span) -> TokenStream {
    let moved = path.clone().into_iter().map(|mut token| {
        token.set_span(span);
        token
    });
    moved.collect()
}

fn hidden(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

/// How the caller comes into the function.
struct Received {
    /// An expression of type `&Caller`, or `&RequestContext<…>` if it still has to be looked up there.
    caller: TokenStream,
    from_context: bool,
    /// Where the body wants its `Access`.
    binding: Option<Binding>,
}

/// The user's parameter that becomes a `let`.
struct Binding {
    attributes: Vec<Attribute>,
    pattern: Box<Pat>,
    ty: Type,
    by_ref: bool,
}

/// Makes the signature take a caller. `None` if the parameters are not those that were looked at.
fn receive(function: &mut ImplItemFn, source: &CallerSource, private: &TokenStream) -> Option<Received> {
    let inputs = &mut function.sig.inputs;
    let caller = hidden("caller");
    let (parameter, by_ref) = match source {
        CallerSource::Access { index, by_ref }
        | CallerSource::Caller { index, by_ref }
        | CallerSource::Context { index, by_ref } => match inputs.get_mut(*index)? {
            FnArg::Typed(parameter) => (parameter, *by_ref),
            FnArg::Receiver(_) => return None,
        },
        CallerSource::Inject | CallerSource::Missing => {
            let behind_receiver = usize::from(matches!(inputs.first(), Some(FnArg::Receiver(_))));
            inputs.insert(behind_receiver, parse_quote!(#caller: #private::Caller));
            return Some(Received {
                caller: quote!(&#caller),
                from_context: false,
                binding: None,
            });
        }
    };
    let borrow = (!by_ref).then(|| quote!(&));
    let mut binding = None;
    let caller = if matches!(source, CallerSource::Access { .. }) {
        binding = Some(Binding {
            attributes: std::mem::take(&mut parameter.attrs),
            pattern: std::mem::replace(&mut parameter.pat, parse_quote!(#caller)),
            ty: (*parameter.ty).clone(),
            by_ref,
        });
        let reference = by_ref.then(|| quote!(&));
        *parameter.ty = parse_quote!(#reference #private::Caller);
        caller
    } else {
        name_of(parameter, caller)
    };
    Some(Received {
        caller: quote!(#borrow #caller),
        from_context: matches!(source, CallerSource::Context { .. }),
        binding,
    })
}

/// Returns the parameter's name, or gives it this one.
fn name_of(parameter: &mut PatType, name: Ident) -> Ident {
    if let Pat::Ident(pattern) = &*parameter.pat {
        return pattern.ident.clone();
    }
    *parameter.pat = parse_quote!(#name);
    name
}

/// The pieces of a check.
struct Check<'a> {
    private: TokenStream,
    denied: Ident,
    refuse: TokenStream,
    at_type: Span,
    return_type: Type,
    lint: Option<TokenStream>,
    owner: Option<&'a Expr>,
}

impl Check<'_> {
    /// Takes the caller out of the context of the request.
    fn look_up(&self, context: &TokenStream) -> TokenStream {
        let Self {
            private,
            denied,
            refuse,
            ..
        } = self;
        let caller = hidden("caller");
        quote! {
            let #caller = match #private::caller_of(#context, __REQUIREMENT) {
                ::core::result::Result::Ok(caller) => caller,
                ::core::result::Result::Err(#denied) => return #refuse,
            };
        }
    }

    fn caller(received: &Received) -> TokenStream {
        if received.from_context {
            let caller = hidden("caller");
            quote!(&#caller)
        } else {
            received.caller.clone()
        }
    }

    fn without_access(&self, received: &Received, statements: &[Stmt]) -> Vec<Stmt> {
        let Self {
            private,
            denied,
            refuse,
            ..
        } = self;
        let caller = Self::caller(received);
        let block: syn::Block = parse_quote!({
            if let ::core::result::Result::Err(#denied) = #private::permit(#caller, __REQUIREMENT) {
                return #refuse;
            }
            #(#statements)*
        });
        block.stmts
    }

    /// The user's statements run in a block of their own, so that `return` and `?` end there and the `Access` can be asked afterwards
    /// whether it was consulted.
    fn with_access(&self, received: &Received, is_async: bool, statements: &[Stmt]) -> Vec<Stmt> {
        let Self {
            private,
            denied,
            refuse,
            at_type,
            return_type,
            lint,
            ..
        } = self;
        let (access, watch, result, typed) = (hidden("access"), hidden("watch"), hidden("result"), hidden("typed"));
        let caller = Self::caller(received);
        let bind = received.binding.as_ref().map(|binding| {
            let Binding {
                attributes,
                pattern,
                ty,
                by_ref,
            } = binding;
            let borrow = by_ref.then(|| quote!(&));
            // Repeating the user's type keeps its import used.
            quote!(#(#attributes)* #lint let #pattern: #ty = #borrow #access;)
        });
        let check_owner = self.check_owner(&access);
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
                    #check_owner
                    #bind
                    #(#statements)*
                }
                .await;
            }
        } else {
            quote!(let #result = #private::run(move || -> #output { #check_owner #bind #(#statements)* });)
        };
        // The same variable as `result`, seen at the type: what is wrong with the type is reported once.
        let settled = Ident::new("result", *at_type);
        let private_there = located(private, *at_type);
        let settle = quote_spanned!(*at_type=> #private_there::FromDenied::settle(#settled, #watch));
        let block: syn::Block = parse_quote!({
            let (#access, #watch) = match #private::admit(#caller, __REQUIREMENT) {
                ::core::result::Result::Ok(admitted) => admitted,
                ::core::result::Result::Err(#denied) => return #refuse,
            };
            #run
            #settle
        });
        block.stmts
    }

    /// Asks for the owner only where the answer matters: a caller that reaches every object does not pay for the question.
    fn check_owner(&self, access: &Ident) -> Option<TokenStream> {
        let owner = self.owner?;
        let Self {
            private,
            denied,
            refuse,
            ..
        } = self;
        let found = Ident::new("owner", Span::mixed_site().located_at(owner.span()));
        let at_owner = Span::mixed_site().located_at(owner.span());
        let private_there = located(private, at_owner);
        let check = quote_spanned!(at_owner=> #private_there::check_owner(&#access, &#found));
        Some(quote! {
            if #private::is_limited(&#access) {
                let #found = #owner;
                if let ::core::result::Result::Err(#denied) = #check {
                    return #refuse;
                }
            }
        })
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
