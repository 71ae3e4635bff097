//! The callers of a suite.

use std::{
    cell::RefCell,
    collections::{HashMap, HashSet},
};

use super::{
    names::{known_role, known_scopes},
    token::{NoToken, TokenSketch},
    values::Values,
};
use crate::{
    Ownership, Policy, Resolved,
    diagnostic::Code,
    fields::{Fields, Named, mapping, missing, text, texts, wrong_type},
    findings::Findings,
    text::{did_you_mean, is_name, quoted, quoted_path},
    yaml::{Entry, Value},
};

/// Words that stand for an owner, so that no principal may be called so.
pub(crate) const OWNERS: &[&str] = &["other", "absent"];
pub(crate) const PRINCIPAL: &[&str] = &["as", "scopes", "issuer", "client", "subject", "claims"];
/// Principals that a suite may have: each is a caller with its own grants, and a column of the matrix.
const MOST: usize = 1000;

/// A caller of a suite.
#[derive(Debug)]
pub(crate) struct Principal {
    pub(crate) name: String,
    /// `None` for calls without a token.
    pub(crate) token: Option<TokenSketch>,
}

/// The callers of a suite, in the order of the file.
pub(super) struct Principals {
    pub(super) list: Vec<Principal>,
    /// What the policy makes of each; `None` without a token.
    pub(super) callers: Vec<Option<Resolved>>,
    numbers: HashMap<String, usize>,
    /// Which of them something else in the file names.
    used: RefCell<HashSet<usize>>,
}

impl Principal {
    /// Makes the caller anew for a policy that reads its token otherwise. `None` without a token.
    pub(super) fn resolve(&self, policy: &Policy) -> Option<Resolved> {
        self.token.as_ref()?.resolve(&self.name, policy).ok()
    }
}

impl Principals {
    /// Finds the number of a caller, without a word about a name that is wrong.
    pub(super) fn number(&self, name: &str) -> Option<usize> {
        self.numbers.get(name).copied()
    }

    /// Finds the number of a caller.
    pub(super) fn find(&self, name: &Named, findings: &mut Findings<'_>) -> Option<usize> {
        let found = self.number(&name.name);
        self.used.borrow_mut().extend(found);
        // Without any principal the one mistake is that they are missing.
        if found.is_none() && !self.list.is_empty() {
            let message = format!("principal {} is not declared", quoted(&name.name));
            let names = self.list.iter().map(|principal| principal.name.as_str());
            findings.error_with(Code::UnknownPrincipal, name.span, message, || {
                did_you_mean(&name.name, names)
            });
        }
        found
    }

    /// Gives the principals that nothing names.
    pub(super) fn unused(&self) -> impl Iterator<Item = &str> {
        let principals = self.list.iter().enumerate();
        principals
            .filter(|(number, _)| !self.used.borrow().contains(number))
            .map(|(_, principal)| principal.name.as_str())
    }

    /// Reads `owner`: a principal's name means the owner key of that principal.
    pub(super) fn ownership(
        &self,
        owner: &Named,
        caller: Option<usize>,
        findings: &mut Findings<'_>,
    ) -> Option<Ownership> {
        let key_of = |number: usize| {
            let caller = self.callers.get(number).and_then(Option::as_ref);
            caller.map(Resolved::owner_key).unwrap_or_default()
        };
        let owner = match owner.name.as_str() {
            "other" => return Some(Ownership::Other),
            "absent" => return Some(Ownership::Absent),
            _ => self.find(owner, findings)?,
        };
        // Empty keys are never the same owner. Without a token nobody asks.
        Some(match (key_of(owner), key_of(caller?)) {
            ("", _) => Ownership::Absent,
            (owner, caller) if owner == caller => Ownership::Caller,
            _ => Ownership::Other,
        })
    }
}

pub(super) fn read_principals(
    fields: &Fields<'_>,
    policy: &Policy,
    values: &mut Values,
    findings: &mut Findings<'_>,
) -> Principals {
    let mut principals = Principals {
        list: Vec::new(),
        callers: Vec::new(),
        numbers: HashMap::new(),
        used: RefCell::default(),
    };
    let Some(entry) = fields.get("principals") else {
        missing(
            fields.span(),
            "principals",
            "name the callers, such as `alice: { as: user }`",
            findings,
        );
        return principals;
    };
    let entries = mapping(&entry.node, "`principals`", findings).unwrap_or_default();
    if let Some(entry) = entries.get(MOST) {
        let message = format!("a suite may have {MOST} principals, and this is one more");
        findings.error(Code::TooManyPrincipals, entry.key_span, message);
    }
    for entry in entries.iter().take(MOST) {
        let name = entry.key.as_str();
        if !is_principal_name(name) {
            let message = format!("{} cannot name a principal", quoted(name));
            let help = "use visible characters without `|`; `other` and `absent` are owners";
            findings.error_help(Code::InvalidName, entry.key_span, message, help);
        }
        let has_token = entry.node.value != Value::Text("none".to_owned());
        let token = has_token.then(|| read_token(entry, policy, values, findings)).flatten();
        let caller = token.as_ref().and_then(|token| {
            let resolved = token.resolve(name, policy);
            resolved.map_err(|reason| report(&reason, entry, findings)).ok()
        });
        principals.numbers.insert(name.to_owned(), principals.list.len());
        principals.callers.push(caller);
        principals.list.push(Principal {
            name: name.to_owned(),
            token,
        });
    }
    principals
}

/// Tells whether a principal may be called so: in the head of the matrix, and as an owner, the name has to be one.
pub(super) fn is_principal_name(name: &str) -> bool {
    is_name(name) && !name.contains('|') && !OWNERS.contains(&name)
}

/// Reads what a principal says about its token. `None` after a mistake.
fn read_token(entry: &Entry, policy: &Policy, values: &mut Values, findings: &mut Findings<'_>) -> Option<TokenSketch> {
    let path = quoted_path("principals", &entry.key);
    let node = &entry.node;
    if !matches!(node.value, Value::Map(_)) {
        wrong_type(
            node.span,
            &path,
            "`none`, `{ as: role }` or `{ scopes: [...] }`",
            &node.value,
            findings,
        );
        return None;
    }
    let fields = Fields::open(node, &path, PRINCIPAL, &[], findings)?;
    let one = |key: &str, findings: &mut Findings<'_>| {
        let entry = fields.get(key)?;
        text(&entry.node, &format!("`{key}` of {path}"), findings)
    };
    let (issuer, role, client) = (one("issuer", findings), one("as", findings), one("client", findings));
    let subject = match fields.get("subject").map(|entry| &entry.node.value) {
        // `subject: ""` is a token without one.
        Some(Value::Text(subject)) => Some(subject.clone()),
        _ => one("subject", findings).map(|subject| subject.name),
    };
    let scopes = fields
        .get("scopes")
        .and_then(|entry| texts(&entry.node, &format!("the scopes of {path}"), findings));
    let claims = fields
        .get("claims")
        .map(|entry| values.read_named(&entry.node, &format!("`claims` of {path}"), findings));
    if ["as", "scopes", "claims"].iter().all(|key| fields.get(key).is_none()) {
        let message = format!("{path} does not say what its token carries");
        let help = "write `as` with a role, `scopes` or `claims`; `scopes: []` is a token without scopes";
        findings.error_help(Code::MissingField, node.span, message, help);
        return None;
    }
    let known = [
        issuer
            .as_ref()
            .is_none_or(|issuer| known_issuer(issuer, policy, findings)),
        role.as_ref().is_none_or(|role| known_role(role, policy, findings)),
    ];
    if let Some(scopes) = &scopes {
        known_scopes(scopes, policy, findings);
    }
    let token = TokenSketch {
        issuer: issuer.map(|issuer| issuer.name).unwrap_or_default(),
        role: role.map(|role| role.name),
        scopes: scopes.map(|scopes| scopes.into_iter().map(|scope| scope.name).collect()),
        client: client.map(|client| client.name),
        subject,
        claims: claims.unwrap_or_else(|| Some(serde_json::Map::new()))?,
    };
    (known == [true, true]).then_some(token)
}

/// Without `callers.issuers` every issuer is one.
fn known_issuer(issuer: &Named, policy: &Policy, findings: &mut Findings<'_>) -> bool {
    let Some(listed) = &policy.callers.issuers else {
        return true;
    };
    let known = listed.contains_key(&issuer.name);
    if !known {
        let message = format!(
            "issuer {} is not under `callers.issuers` of the policy",
            quoted(&issuer.name)
        );
        findings.error_with(Code::UnknownIssuer, issuer.span, message, || {
            let mut names: Vec<&str> = listed.keys().map(String::as_str).collect();
            names.sort_unstable();
            did_you_mean(&issuer.name, names)
        });
    }
    known
}

fn report(reason: &NoToken, entry: &Entry, findings: &mut Findings<'_>) {
    let path = quoted_path("principals", &entry.key);
    let (code, message, help) = match reason {
        NoToken::Conflict { field, claim } => (
            Code::ConflictingFields,
            format!(
                "the claim {} of {path} is not what `{field}` makes of it",
                quoted(claim)
            ),
            format!("write `{field}`, or the claim, not both"),
        ),
        NoToken::NoIssuer => (
            Code::MissingField,
            format!("{path} names no issuer, and the policy lists several and no `default`"),
            "add `issuer:` with one of those under `callers.issuers`".to_owned(),
        ),
        NoToken::NoScopes => (
            Code::ConflictingFields,
            format!("{path} has `scopes`, and the policy reads only roles from the tokens of its issuer"),
            "write `as` with a role".to_owned(),
        ),
        NoToken::NotBoth => (
            Code::ConflictingFields,
            format!("{path} has both `as` and `scopes`, and the policy reads no roles from its token"),
            "write one of the two".to_owned(),
        ),
        NoToken::UnnamedRole => (
            Code::UnknownRole,
            format!("the issuer of {path} has no name for its role"),
            "add one to `role_names` of the issuer in the policy, or choose another role".to_owned(),
        ),
        NoToken::Refused { claim } => (
            Code::WrongType,
            format!("a token with this claim `{claim}` is refused before the policy is asked"),
            "write a text that is not empty".to_owned(),
        ),
    };
    findings.error_help(code, entry.node.span, message, help);
}
