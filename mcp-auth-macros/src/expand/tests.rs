#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::str::FromStr;

use quote::ToTokens;

use super::*;

/// The documented expansion is what the attribute writes.
#[test]
fn the_documentation_shows_the_expansion() {
    let text = include_str!("../expansion.md");
    let blocks: Vec<&str> = text.split("```").skip(1).step_by(2).collect();
    let code = |block: &str| TokenStream::from_str(block.strip_prefix("rust,ignore").unwrap()).unwrap();
    let mut written: ImplItemFn = syn::parse2(code(blocks[0])).unwrap();
    let attribute = written.attrs.remove(0);
    let expanded = expand(
        attribute.meta.require_list().unwrap().tokens.clone(),
        written.into_token_stream(),
    );
    let documented = code(blocks[1]);
    assert!(
        without_spaces(&expanded) == without_spaces(&documented),
        "write this into expansion.md, formatted:\n{expanded}"
    );
}

fn without_spaces(tokens: &TokenStream) -> String {
    tokens.to_string().split_whitespace().collect()
}
