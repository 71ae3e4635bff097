//! The grammar of `#[guarded(…)]`.

use proc_macro2::TokenStream;
use syn::{
    Error, Ident, LitStr, Path, Token,
    ext::IdentExt,
    parse::{ParseStream, Parser},
    punctuated::Punctuated,
};

/// The arguments of one `#[guarded(…)]`.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) policy: Option<LitStr>,
    pub(crate) krate: Option<Path>,
    pub(crate) role: Role,
}

/// How several blocks of one type come together.
pub(crate) enum Role {
    /// The block that stands for the type, with the names of the others.
    Whole(Vec<Ident>),
    /// One of the others.
    Part(Ident),
}

impl Default for Role {
    fn default() -> Self {
        Self::Whole(Vec::new())
    }
}

impl Options {
    /// Reads the arguments.
    ///
    /// # Errors
    /// The first mistake.
    pub(crate) fn parse(tokens: TokenStream) -> Result<Self, Error> {
        let read = |input: ParseStream<'_>| {
            let mut options = Self::default();
            let mut seen: Vec<Ident> = Vec::new();
            while !input.is_empty() {
                let word = input.call(Ident::parse_any)?;
                // `part` and `parts` exclude each other.
                let same = |other: &Ident| {
                    let stem = |word: &Ident| word.to_string().trim_end_matches('s').to_owned();
                    stem(other) == stem(&word)
                };
                if let Some(other) = seen.iter().find(|other| same(other)) {
                    return Err(Error::new(
                        word.span(),
                        if *other == word {
                            format!("`{word}` is written twice")
                        } else {
                            "`part = …` and `parts(…)` exclude each other\na block is part of another one, or names its parts".to_owned()
                        },
                    ));
                }
                options.read(&word, input)?;
                seen.push(word);
                if !input.is_empty() {
                    input.parse::<Token![,]>()?;
                }
            }
            Ok(options)
        };
        read.parse2(tokens)
    }

    fn read(&mut self, word: &Ident, input: ParseStream<'_>) -> Result<(), Error> {
        match word.to_string().as_str() {
            "policy" => {
                input.parse::<Token![=]>()?;
                self.policy = Some(input.parse()?);
            }
            "crate" => {
                input.parse::<Token![=]>()?;
                self.krate = Some(input.call(Path::parse_mod_style)?);
            }
            "part" => {
                input.parse::<Token![=]>()?;
                self.role = Role::Part(input.parse()?);
            }
            "parts" => {
                let inner;
                syn::parenthesized!(inner in input);
                let parts = Punctuated::<Ident, Token![,]>::parse_terminated(&inner)?;
                self.role = Role::Whole(parts.into_iter().collect());
            }
            _ => {
                let message = format!(
                    "unknown option `{word}`\nexpected `policy = \"…\"`, `part = …`, `parts(…)` or `crate = …`"
                );
                return Err(Error::new(word.span(), message));
            }
        }
        Ok(())
    }
}
