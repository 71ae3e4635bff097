//! Names of tests, which are sentences, to names of functions.

use std::collections::HashMap;

use proc_macro2::{Ident, Span};

/// The names that one module has given out.
#[derive(Default)]
pub(crate) struct Names(HashMap<String, usize>);

impl Names {
    /// Returns the name as an identifier, with a number behind it if it is taken.
    pub(crate) fn unique(&mut self, name: String) -> Ident {
        let mut candidate = name.clone();
        while self.0.contains_key(&candidate) {
            // Counting goes on where it stopped: a suite may have thousands of cases of one name.
            let used = self.0.entry(name.clone()).or_insert(1);
            *used += 1;
            candidate = format!("{name}_{used}");
        }
        let ident = Ident::new(&candidate, Span::call_site());
        self.0.insert(candidate, 1);
        ident
    }
}

/// Turns a sentence into an identifier: letters and digits of any script in lower case, and one `_` for what is between them.
pub(crate) fn identifier(sentence: &str) -> String {
    let mut name = String::with_capacity(sentence.len());
    for c in sentence.chars().flat_map(char::to_lowercase) {
        if unicode_ident::is_xid_continue(c) && c != '_' {
            name.push(c);
        } else if !name.is_empty() && !name.ends_with('_') {
            name.push('_');
        }
    }
    name.truncate(name.trim_end_matches('_').len());
    if name.is_empty() {
        return "test".to_owned();
    }
    if !name.starts_with(unicode_ident::is_xid_start) {
        name.insert(0, '_');
    }
    // `syn` does not know that edition 2024 reserves `gen`.
    if syn::parse_str::<Ident>(&name).is_err() || name == "gen" {
        // A keyword. Not every one may be written raw, and `match_` is as good to read as `r#match`.
        name.push('_');
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sentence_becomes_an_identifier() {
        let table = [
            ("delete-todo as alice", "delete_todo_as_alice"),
            (
                "alice cannot delete bob's item; one scope would do",
                "alice_cannot_delete_bob_s_item_one_scope_would_do",
            ),
            ("  Root -- deletes  ", "root_deletes"),
            ("notes://{owner}/{id} as Alice", "notes_owner_id_as_alice"),
            ("2001 characters", "_2001_characters"),
            ("_private_", "private"),
            ("match", "match_"),
            ("Self", "self_"),
            ("crate", "crate_"),
            ("async", "async_"),
            ("gen", "gen_"),
            ("Jürgen löscht", "jürgen_löscht"),
            ("爱丽丝 删除", "爱丽丝_删除"),
            ("x² is ①", "x_is"),
            ("İstanbul", "i\u{307}stanbul"),
            ("🦀", "test"),
            ("--", "test"),
            ("", "test"),
        ];
        for (sentence, name) in table {
            assert_eq!(identifier(sentence), name, "{sentence}");
            let _ = Ident::new(name, Span::call_site());
        }
    }

    #[test]
    fn a_name_that_is_taken_gets_a_number() {
        let mut names = Names::default();
        let given = ["a_b", "a_b", "a_b_2", "a_b", "a_b_2", "c"].map(|name| names.unique(name.to_owned()).to_string());
        assert_eq!(given, ["a_b", "a_b_2", "a_b_2_2", "a_b_3", "a_b_2_3", "c"]);
    }

    #[test]
    fn thousands_of_equal_names_take_no_time() {
        let mut names = Names::default();
        let last = (0..50_000).map(|_| names.unique("same".to_owned())).last();
        assert_eq!(last.map(|name| name.to_string()).as_deref(), Some("same_50000"));
    }
}
