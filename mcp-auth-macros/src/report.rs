//! Collects mistakes, so that one compile shows all of them.

use proc_macro2::{Span, TokenStream};
use syn::Error;

/// The mistakes found so far.
#[derive(Default)]
pub(crate) struct Report(Option<Error>);

impl Report {
    /// Adds a mistake at a place in the user's code.
    pub(crate) fn at(&mut self, span: Span, message: impl std::fmt::Display) {
        self.add(Error::new(span, message));
    }

    /// Adds the mistakes of an error.
    pub(crate) fn add(&mut self, error: Error) {
        match &mut self.0 {
            Some(all) => all.combine(error),
            None => self.0 = Some(error),
        }
    }

    /// Returns the value, or notes the mistakes that kept it from being made.
    pub(crate) fn ok<T>(&mut self, result: Result<T, Error>) -> Option<T> {
        result.map_err(|error| self.add(error)).ok()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    pub(crate) fn into_result<T>(self, value: T) -> Result<T, Error> {
        self.0.map_or(Ok(value), Err)
    }

    /// Returns a `compile_error!` for each mistake, and nothing when there is none.
    pub(crate) fn into_tokens(self) -> TokenStream {
        self.0.map(Error::into_compile_error).unwrap_or_default()
    }
}
