//! Reads the sign-in page's form, as far as this program's own page needs it.

/// What a browser would send back from the sign-in page.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct SignInForm {
    /// The id of the pending request.
    pub(crate) request_id: String,
    /// The subjects one can choose from.
    pub(crate) users: Vec<String>,
}

impl SignInForm {
    /// Finds the fields. Their values are ids and subjects, which have no character that HTML would escape.
    pub(crate) fn parse(page: &str) -> Option<Self> {
        let values = |name: &str| -> Vec<String> {
            let marker = format!("name=\"{name}\" value=\"");
            let mut parts = page.split(marker.as_str());
            // What stands before the first marker.
            parts.next();
            parts
                .filter_map(|part| part.split_once('"'))
                .map(|(value, _)| value.to_owned())
                .collect()
        };
        Some(Self {
            request_id: values("request").into_iter().next()?,
            users: values("user"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_gives_its_fields() {
        let page = r#"<input type="hidden" name="request" value="r1"><input type="radio" name="user" value="alice" checked>
            <input type="radio" name="user" value="bob"><button name="decision" value="allow">"#;
        assert_eq!(
            SignInForm::parse(page),
            Some(SignInForm {
                request_id: "r1".to_owned(),
                users: vec!["alice".to_owned(), "bob".to_owned()]
            })
        );
        assert_eq!(SignInForm::parse("<p>no form</p>"), None);
    }
}
