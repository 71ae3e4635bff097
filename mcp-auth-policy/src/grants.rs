//! What a caller was granted, as bits.

use std::sync::Arc;

use crate::{
    bits::Bits,
    forbid::Settled,
    policy::{Policy, PolicyId},
    token_facts::TokenFacts,
};

/// What one caller was granted by one policy: scopes closed under `implies`, roles, and the forbids that its token settles.
///
/// Cheap to clone. The bits mean something only to the policy that made them: every other policy, a reloaded one included,
/// denies them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grants(Arc<Granted>);

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Granted {
    policy: PolicyId,
    /// The scopes that count.
    pub(crate) held: Bits,
    /// The scopes that count whatever the token's scopes are: those of roles where they add up or decide alone.
    pub(crate) base: Bits,
    /// The scopes that count if the token has them: all, or those that roles leave.
    pub(crate) limit: Bits,
    /// The roles, closed under `includes`.
    pub(crate) roles: Bits,
    /// Forbids whose `when`, or `unless`, holds but for scopes and arguments.
    when: Bits,
    unless: Bits,
    /// Forbids that match this caller whatever the arguments are.
    pub(crate) forbidden: Bits,
    /// Forbids that match depending on arguments.
    pub(crate) depends: Bits,
}

/// Where the scopes of a caller come from: `base ∪ (token ∩ limit)`.
pub(crate) struct Sources {
    pub(crate) token: Bits,
    pub(crate) base: Bits,
    pub(crate) limit: Bits,
    pub(crate) roles: Bits,
}

impl Grants {
    /// Returns the grants if they are of this policy.
    pub(crate) fn of(&self, policy: PolicyId) -> Option<&Granted> {
        (self.0.policy == policy).then_some(&*self.0)
    }
}

impl Granted {
    pub(crate) fn settled(&self, forbid: usize) -> Settled {
        Settled {
            when: self.when.contains(forbid),
            unless: self.unless.contains(forbid),
        }
    }
}

impl Policy {
    /// Resolves scope tokens alone: a caller of no particular issuer and client, without roles and claims.
    ///
    /// Scopes that the policy does not declare are ignored. `callers:` is not applied: [`Policy::resolve`] does that to a token.
    #[must_use]
    pub fn grants<'a>(&self, scopes: impl IntoIterator<Item = &'a str>) -> Grants {
        let claims = serde_json::Map::new();
        let facts = TokenFacts {
            issuer: "",
            subject: "",
            client_id: None,
            scopes: &[],
            claims: &claims,
        };
        let sources = Sources {
            token: self.closure_of_names(scopes),
            base: self.no_scopes(),
            limit: Bits::full(self.scopes.len()),
            roles: Bits::empty(self.roles.len()),
        };
        self.granted(&facts, sources)
    }

    /// Returns what the same caller would be granted if its token carried these scopes too. Grants of another policy stay as
    /// they are.
    #[must_use]
    pub fn with_scopes<'a>(&self, grants: &Grants, scopes: impl IntoIterator<Item = &'a str>) -> Grants {
        let Some(granted) = grants.of(self.id()) else {
            return grants.clone();
        };
        self.with_more(granted, self.closure_of_names(scopes))
    }

    /// Returns the names of the caller's roles, those included by others too, in the order of the file.
    #[must_use]
    pub fn roles_of(&self, grants: &Grants) -> Vec<&str> {
        let Some(granted) = grants.of(self.id()) else {
            return Vec::new();
        };
        let roles = self.roles.iter().enumerate();
        roles
            .filter(|(number, _)| granted.roles.contains(*number))
            .map(|(_, role)| role.name.as_str())
            .collect()
    }

    pub(crate) fn granted(&self, facts: &TokenFacts<'_>, sources: Sources) -> Grants {
        let (mut when, mut unless) = (Bits::empty(self.forbids.len()), Bits::empty(self.forbids.len()));
        for (number, forbid) in self.forbids.iter().enumerate() {
            let settled = forbid.settle(facts, sources.roles.words());
            if settled.when {
                when.insert(number);
            }
            if settled.unless {
                unless.insert(number);
            }
        }
        let mut held = sources.token;
        held.intersect(&sources.limit);
        held.extend(&sources.base);
        self.judged(Granted {
            policy: self.id(),
            held,
            base: sources.base,
            limit: sources.limit,
            roles: sources.roles,
            when,
            unless,
            forbidden: Bits::empty(0),
            depends: Bits::empty(0),
        })
    }

    /// Adds scopes, already closed, to the token of a caller.
    pub(crate) fn with_more(&self, granted: &Granted, mut more: Bits) -> Grants {
        more.intersect(&granted.limit);
        more.extend(&granted.held);
        self.judged(Granted {
            policy: granted.policy,
            held: more,
            base: granted.base.clone(),
            limit: granted.limit.clone(),
            roles: granted.roles.clone(),
            when: granted.when.clone(),
            unless: granted.unless.clone(),
            forbidden: Bits::empty(0),
            depends: Bits::empty(0),
        })
    }

    /// Judges every forbid as far as it does not depend on arguments, once for all calls of this caller.
    fn judged(&self, mut granted: Granted) -> Grants {
        let (mut forbidden, mut depends) = (Bits::empty(self.forbids.len()), Bits::empty(self.forbids.len()));
        for (number, forbid) in self.forbids.iter().enumerate() {
            match forbid.matches(granted.settled(number), granted.held.words(), None) {
                Some(true) => forbidden.insert(number),
                Some(false) => {}
                None => depends.insert(number),
            }
        }
        granted.forbidden = forbidden;
        granted.depends = depends;
        Grants(Arc::new(granted))
    }

    pub(crate) fn no_scopes(&self) -> Bits {
        Bits::empty(self.scopes.len())
    }

    pub(crate) fn closure_of(&self, scopes: impl IntoIterator<Item = usize>) -> Bits {
        let mut set = self.no_scopes();
        for scope in scopes.into_iter().filter_map(|scope| self.scopes.get(scope)) {
            set.extend(&scope.closure);
        }
        set
    }

    pub(crate) fn closure_of_names<'a>(&self, scopes: impl IntoIterator<Item = &'a str>) -> Bits {
        self.closure_of(scopes.into_iter().filter_map(|name| self.scope_number(name)))
    }
}
