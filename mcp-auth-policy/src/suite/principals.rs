//! The callers of a suite.

use std::collections::HashMap;

use super::names::known_scopes;
use crate::{
    Grants, Ownership, Policy,
    diagnostic::Code,
    fields::{Fields, Named, mapping, missing, text, texts, wrong_type},
    findings::Findings,
    text::{did_you_mean, is_name, quoted, quoted_path},
    yaml::{Entry, Value},
};

/// Words that stand for an owner, so that no principal may be called so.
const OWNERS: &[&str] = &["other", "absent"];

/// The callers of a suite, each with its grants, or `None` for a call without a token.
pub(super) struct Principals<'n> {
    pub(super) order: Vec<&'n str>,
    callers: HashMap<&'n str, Option<Grants>>,
}

impl Principals<'_> {
    pub(super) fn get(&self, name: &str) -> Option<&Option<Grants>> {
        self.callers.get(name)
    }

    /// Finds a caller: its grants, or `None` inside for one without a token.
    pub(super) fn find(&self, name: &Named, findings: &mut Findings<'_>) -> Option<&Option<Grants>> {
        let found = self.callers.get(name.name.as_str());
        // Without any principal the one mistake is that they are missing.
        if found.is_none() && !self.order.is_empty() {
            let message = format!("principal {} is not declared", quoted(&name.name));
            let help = || did_you_mean(&name.name, self.order.iter().copied());
            findings.error_with(Code::UnknownPrincipal, name.span, message, help);
        }
        found
    }

    /// Reads `owner`: a principal's name means that principal's subject.
    pub(super) fn ownership(&self, owner: &Named, caller: &Named, findings: &mut Findings<'_>) -> Option<Ownership> {
        match owner.name.as_str() {
            "other" => Some(Ownership::Other),
            "absent" => Some(Ownership::Absent),
            name => {
                self.find(owner, findings)?;
                Some(if name == caller.name {
                    Ownership::Caller
                } else {
                    Ownership::Other
                })
            }
        }
    }
}

pub(super) fn read_principals<'n>(fields: &Fields<'n>, policy: &Policy, findings: &mut Findings<'_>) -> Principals<'n> {
    let mut principals = Principals {
        order: Vec::new(),
        callers: HashMap::new(),
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
    for entry in mapping(&entry.node, "`principals`", findings).unwrap_or_default() {
        let name = entry.key.as_str();
        if !is_name(name) || name.contains('|') || OWNERS.contains(&name) {
            let message = format!("{} cannot name a principal", quoted(name));
            let help = "use visible characters without `|`; `other` and `absent` are owners";
            findings.error_help(Code::InvalidName, entry.key_span, message, help);
        }
        principals.order.push(name);
        principals.callers.insert(name, read_principal(entry, policy, findings));
    }
    principals
}

fn read_principal(entry: &Entry, policy: &Policy, findings: &mut Findings<'_>) -> Option<Grants> {
    let path = quoted_path("principals", &entry.key);
    let node = &entry.node;
    if node.value == Value::Text("none".to_owned()) {
        return None;
    }
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
    let fields = Fields::open(node, &path, &["as", "scopes"], &["issuer", "claims"], findings)?;
    match (fields.get("as"), fields.get("scopes")) {
        (Some(role), None) => {
            let role = text(&role.node, &format!("the role of {path}"), findings)?;
            let Some(scopes) = policy.scopes_of_role(&role.name) else {
                let message = format!("role {} is not declared in the policy", quoted(&role.name));
                let help = || did_you_mean(&role.name, policy.roles().collect::<Vec<_>>());
                findings.error_with(Code::UnknownRole, role.span, message, help);
                return None;
            };
            Some(policy.grants(scopes))
        }
        (None, Some(scopes)) => {
            let scopes = texts(&scopes.node, &format!("the scopes of {path}"), findings)?;
            known_scopes(&scopes, policy, findings);
            Some(policy.grants(scopes.iter().map(|scope| scope.name.as_str())))
        }
        _ => {
            let message = format!("{path} must have either `as` or `scopes`");
            findings.error_help(Code::InvalidExpectation, node.span, message, "write one of the two");
            None
        }
    }
}
