//! The scopes of a caller as bits.

use std::sync::Arc;

use crate::policy::{Policy, PolicyId};

/// The scopes of one caller, closed under `implies`, as bits of one policy. Cheap to clone.
///
/// The bits mean something only to the policy that made them: every other policy, a reloaded one included, denies them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grants {
    policy: PolicyId,
    words: Arc<[u64]>,
}

/// A set of scopes, one bit each, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ScopeSet(Vec<u64>);

/// Scopes that must be held together, as the words that hold their bits.
#[derive(Debug, Clone)]
pub(crate) struct Mask(Box<[(usize, u64)]>);

impl Grants {
    pub(crate) fn new(policy: PolicyId, scopes: ScopeSet) -> Self {
        Self {
            policy,
            words: scopes.0.into(),
        }
    }

    /// Returns the bits if they are of this policy.
    pub(crate) fn of(&self, policy: PolicyId) -> Option<&[u64]> {
        (self.policy == policy).then_some(&*self.words)
    }
}

impl ScopeSet {
    pub(crate) fn empty(scopes: usize) -> Self {
        Self(vec![0; scopes.div_ceil(64)])
    }

    pub(crate) fn from_words(words: &[u64]) -> Self {
        Self(words.to_vec())
    }

    pub(crate) fn insert(&mut self, scope: usize) {
        if let Some(word) = self.0.get_mut(scope / 64) {
            *word |= 1 << (scope % 64);
        }
    }

    pub(crate) fn extend(&mut self, other: &Self) {
        for (word, more) in self.0.iter_mut().zip(&other.0) {
            *word |= more;
        }
    }

    pub(crate) fn contains(&self, scope: usize) -> bool {
        holds(&self.0, scope)
    }

    pub(crate) fn words(&self) -> &[u64] {
        &self.0
    }
}

/// Tells whether the bit of a scope is set.
pub(crate) fn holds(words: &[u64], scope: usize) -> bool {
    words
        .get(scope / 64)
        .is_some_and(|word| word & (1 << (scope % 64)) != 0)
}

impl Mask {
    pub(crate) fn new(scopes: &[usize]) -> Self {
        let mut words: Vec<(usize, u64)> = Vec::new();
        for scope in scopes {
            let bit = 1 << (scope % 64);
            match words.iter_mut().find(|(word, _)| *word == scope / 64) {
                Some((_, bits)) => *bits |= bit,
                None => words.push((scope / 64, bit)),
            }
        }
        Self(words.into())
    }

    /// Tells whether all scopes of the mask are among these. An empty mask is always held.
    pub(crate) fn is_held(&self, words: &[u64]) -> bool {
        self.0
            .iter()
            .all(|(word, bits)| words.get(*word).is_some_and(|held| held & bits == *bits))
    }
}

impl Policy {
    /// Resolves scope tokens to bits, closed under `implies`. Scopes that the policy does not declare are ignored.
    #[must_use]
    pub fn grants<'a>(&self, scopes: impl IntoIterator<Item = &'a str>) -> Grants {
        let numbers = scopes.into_iter().filter_map(|name| self.scope_number(name));
        Grants::new(self.id(), self.closure_of(numbers))
    }

    pub(crate) fn closure_of(&self, scopes: impl IntoIterator<Item = usize>) -> ScopeSet {
        let mut set = ScopeSet::empty(self.scope_list().len());
        for scope in scopes.into_iter().filter_map(|scope| self.scope_list().get(scope)) {
            set.extend(&scope.closure);
        }
        set
    }
}
