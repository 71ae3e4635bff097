//! Which tools, prompts and resources a list shows to a caller.

use crate::{
    Grants, OperationId, OperationKind, Policy, Reach,
    bits::Bits,
    grants::Granted,
    operation::{Operation, Rule},
};

/// What lists show, from `visibility:`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Visibility {
    /// Everything that the policy lists.
    All,
    /// What some scopes would let this caller use, with its roles and claims. The default.
    #[default]
    Obtainable,
    /// What this caller can use now.
    Granted,
}

/// What a caller hears about an object of somebody else, from `on_not_owner:`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum OnNotOwner {
    /// The same as about an object that does not exist. The default.
    #[default]
    Hide,
    /// Which scopes would let it act on other people's objects.
    StepUp,
}

impl Policy {
    /// Returns what lists show.
    #[must_use]
    pub fn visibility(&self) -> Visibility {
        self.visibility
    }

    /// Returns what a caller hears about an object of somebody else.
    #[must_use]
    pub fn on_not_owner(&self) -> OnNotOwner {
        self.on_not_owner
    }

    /// Returns whether a list shows an operation to this caller, as `visibility:` says.
    ///
    /// Arguments are not known then: what some arguments would allow is shown. An id or grants of another policy show nothing.
    #[must_use]
    pub fn is_listed(&self, id: OperationId, grants: &Grants) -> bool {
        let (Some(operation), Some(granted)) = (self.operation(id), grants.of(self.id())) else {
            return false;
        };
        match self.visibility {
            Visibility::All => true,
            Visibility::Granted => self.could_reach(id, grants).reach > Reach::Deny,
            Visibility::Obtainable => self.is_obtainable(operation, granted),
        }
    }

    /// Tells whether some scopes in the token would give this caller more than deny.
    ///
    /// A forbid on scopes says "whoever holds these is denied, unless it holds those too". So the fewest scopes that a
    /// demand brings with it are found by adding what the forbids ask for until nothing is new; if that does not help, nothing does.
    fn is_obtainable(&self, operation: &Operation, granted: &Granted) -> bool {
        let Rule {
            alternatives, owner, ..
        } = &operation.rule;
        let demands = alternatives.iter().map(|alternative| &alternative.scopes);
        let mut demands = demands.chain(owner.iter().map(|owner| &owner.scopes));
        demands.any(|scopes| {
            let wanted = self.closure_of(scopes.iter().copied());
            self.survives_forbids(operation, granted, wanted)
        })
    }

    fn survives_forbids(&self, operation: &Operation, granted: &Granted, wanted: Bits) -> bool {
        let mut allowed = granted.limit.clone();
        allowed.extend(&granted.base);
        let mut held = granted.base.clone();
        held.extend(&wanted);
        loop {
            if !held.is_within(&allowed) {
                return false;
            }
            let before = held.clone();
            for number in operation.rule.forbids.iter().chain(&self.forbids_everything) {
                let number = usize::try_from(*number).unwrap_or(usize::MAX);
                let Some(forbid) = self.forbids.get(number) else {
                    continue;
                };
                let no_arguments = serde_json::Map::new();
                let known = matches!(operation.kind, OperationKind::Resource | OperationKind::Operation);
                let arguments = known.then_some(&no_arguments);
                let settled = granted.settled(number);
                if forbid.matches(settled, held.words(), arguments) != Some(true) {
                    continue;
                }
                // Only the scopes of `unless` can still take the forbid away.
                let Some(unless) = forbid.unless.as_ref().filter(|_| settled.unless) else {
                    return false;
                };
                held.extend(&self.closure_of(unless.scope_numbers.iter().copied()));
                if forbid.matches(settled, held.words(), arguments) == Some(true) {
                    return false;
                }
            }
            if held == before {
                return true;
            }
        }
    }
}
