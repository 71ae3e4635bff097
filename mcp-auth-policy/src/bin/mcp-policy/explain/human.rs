//! An explanation for people.

use mcp_auth_policy::{Because, Decision, Explanation, ForbidAnswer, OnNotOwner, Ownership, Reach, ScopeAnswer};

use super::Asked;
use crate::{call, paint};

/// Lines that begin with a label.
struct Page {
    text: String,
    /// The name of the policy's file without its folders.
    file: String,
}

impl Page {
    fn new(asked: &Asked<'_>, word: &str, reason: &str) -> Self {
        let file = asked.policy.file_name().rsplit(['/', '\\']).next().unwrap_or_default();
        Self {
            text: format!("{word}  {}  {reason}\n", asked.call),
            file: file.to_owned(),
        }
    }

    fn line(&mut self, label: &str, text: &str) {
        self.text.push_str(&format!("  {label:<8}  {text}\n"));
    }

    fn ruled(&mut self, label: &str, text: &str, line: usize) {
        let place = format!("{text}  {}:{line}", self.file);
        self.line(label, &place);
    }
}

pub(super) fn unlisted(asked: &Asked<'_>) -> String {
    let why = call::unlisted(asked.policy, asked.call);
    let mut page = Page::new(asked, &paint::error("DENY"), &why);
    page.line("caller", &asked.caller.label);
    page.text
}

pub(super) fn print(asked: &Asked<'_>, explanation: &Explanation) -> String {
    let mut page = Page::new(asked, &word(asked, explanation.decision), &reason(asked, explanation));
    caller(asked, explanation, &mut page);
    forbids(asked, explanation, &mut page);
    requires(explanation, &mut page);
    if let Some(fallback) = &explanation.owner_fallback {
        page.ruled("owner", &owner(asked, &fallback.scopes), fallback.line);
    }
    sufficient(explanation, &mut page);
    challenge(asked, explanation, &mut page);
    page.text
}

fn word(asked: &Asked<'_>, decision: Decision) -> String {
    match decision.reach {
        Reach::Deny => paint::error("DENY"),
        Reach::Own if asked.owner.is_none() => paint::warning("OWN"),
        Reach::Own | Reach::Any => paint::good("ALLOW"),
    }
}

fn reason(asked: &Asked<'_>, explanation: &Explanation) -> String {
    let reason = match explanation.decision.because {
        Because::Open => "open to every authenticated caller".to_owned(),
        Because::Scope => "the required scopes are held".to_owned(),
        Because::Owner if asked.owner.is_some() => "the caller is the owner".to_owned(),
        Because::Owner => "only the caller's own objects".to_owned(),
        Because::MissingScope => "scopes are missing".to_owned(),
        Because::NotOwner => "the caller is not the owner".to_owned(),
        Because::OwnerUnknown => "there is no owner to compare with".to_owned(),
        Because::Forbidden(id) => {
            let forbid = asked.policy.forbid(id);
            let message = forbid
                .and_then(|forbid| forbid.message())
                .map(|message| format!(": {message}"));
            let id = forbid.map(|forbid| forbid.id()).unwrap_or_default();
            format!("forbidden by `{id}`{}", message.unwrap_or_default())
        }
        because => because.code().to_owned(),
    };
    let open = explanation.forbids.iter().filter(|forbid| forbid.applies.is_none());
    let open: Vec<String> = open.map(|forbid| format!("`{}`", forbid.id)).collect();
    match explanation.decision.reach {
        Reach::Deny => reason,
        _ if open.is_empty() => reason,
        _ => format!("{reason}, unless {} applies", open.join(" or ")),
    }
}

fn caller(asked: &Asked<'_>, explanation: &Explanation, page: &mut Page) {
    let caller = asked.caller;
    let scopes = match explanation.held.is_empty() {
        true => "no scopes".to_owned(),
        false => format!("scopes {}", explanation.held.join(", ")),
    };
    let roles = asked.policy.roles_of(caller.resolved.grants());
    let roles = match roles.is_empty() {
        true => String::new(),
        false => format!("; roles {}", roles.join(", ")),
    };
    page.line("caller", &format!("{} -> {scopes}{roles}", caller.label));
    if asked.is_unlisted_issuer() {
        page.line(
            "",
            "its issuer is not under `callers.issuers`, so that its token carries nothing",
        );
    }
}

fn forbids(asked: &Asked<'_>, explanation: &Explanation, page: &mut Page) {
    for forbid in &explanation.forbids {
        let ForbidAnswer {
            id, line, applies, why, ..
        } = forbid;
        let verdict = match applies {
            Some(true) => paint::error("applies"),
            Some(false) => "does not apply".to_owned(),
            None => paint::warning("may apply"),
        };
        page.ruled("forbid", &format!("{id}  {verdict}: {why}"), *line);
    }
    let is_about = |id: &str| explanation.forbids.iter().any(|forbid| forbid.id == id);
    let others = asked
        .policy
        .forbids()
        .map(|forbid| forbid.id())
        .filter(|id| !is_about(id));
    let others: Vec<&str> = others.collect();
    if !others.is_empty() {
        page.line("forbid", &format!("{}  for other calls", others.join(", ")));
    }
}

fn requires(explanation: &Explanation, page: &mut Page) {
    for (number, alternative) in explanation.requires.iter().enumerate() {
        let label = if number == 0 { "requires" } else { "or" };
        let text = match alternative.is_empty() {
            true => "nothing".to_owned(),
            false => scopes(alternative),
        };
        page.ruled(label, &text, explanation.requires_line);
    }
}

fn scopes(answers: &[ScopeAnswer]) -> String {
    let texts = answers.iter().map(|answer| {
        let state = if answer.held { "held" } else { "missing" };
        format!("{} ({state})", answer.scope)
    });
    texts.collect::<Vec<_>>().join(", ")
}

fn owner(asked: &Asked<'_>, needed: &[ScopeAnswer]) -> String {
    let who = match asked.owner {
        _ if asked.caller.resolved.owner_key().is_empty() => "the caller has no subject, and owns nothing",
        None => "not given",
        Some(Ownership::Caller) => "the caller",
        Some(Ownership::Other) => "somebody else",
        Some(Ownership::Absent) => "nobody",
    };
    match needed.is_empty() {
        true => format!("{who}; an owner needs no scopes"),
        false => format!("{who}; an owner needs {}", scopes(needed)),
    }
}

fn sufficient(explanation: &Explanation, page: &mut Page) {
    let any = explanation.sufficient.for_any.iter().map(|set| set.join(" + "));
    let own = explanation.sufficient.for_own.iter().map(|set| match set.is_empty() {
        true => "being the owner".to_owned(),
        false => format!("as the owner, {}", set.join(" + ")),
    });
    let label = match explanation.decision.reach {
        Reach::Any => return,
        Reach::Own => "every object with",
        Reach::Deny => "would be allowed with",
    };
    let ways: Vec<String> = any.chain(own).collect();
    page.text
        .push_str(&match (ways.is_empty(), explanation.decision.reach) {
            (false, _) => format!("  {label}: {}\n", ways.join("   or: ")),
            (true, Reach::Deny) => "  no scopes would allow it\n".to_owned(),
            (true, _) => "  no scopes would give more\n".to_owned(),
        });
}

fn challenge(asked: &Asked<'_>, explanation: &Explanation, page: &mut Page) {
    if explanation.decision.reach > Reach::Deny {
        return;
    }
    let scope = explanation
        .challenge
        .as_ref()
        .map(|challenge| format!("scope=\"{}\"", challenge.scopes.join(" ")));
    let text = match scope {
        None => "none".to_owned(),
        Some(scope) if asked.is_hidden(explanation) => {
            format!("none, it looks like an object that does not exist; `on_not_owner: step_up` would send {scope}")
        }
        Some(scope) => scope,
    };
    page.text.push_str(&format!("  challenge: {text}\n"));
}

impl Asked<'_> {
    /// Tells whether the answer hides that the object exists.
    pub(super) fn is_hidden(&self, explanation: &Explanation) -> bool {
        let about_owner = matches!(explanation.decision.because, Because::NotOwner | Because::OwnerUnknown);
        about_owner && self.policy.on_not_owner() == OnNotOwner::Hide
    }

    fn is_unlisted_issuer(&self) -> bool {
        let facts = self.caller.token.facts();
        let issuers = [facts.issuer].into_iter().filter(|issuer| !issuer.is_empty());
        self.policy.check_issuers(issuers).is_err()
    }
}
