//! Sets of scopes, roles and forbids, one bit each, in the order of the file.

/// A set of numbered things.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Bits(Vec<u64>);

/// Members that must be there together, as the words that hold their bits.
#[derive(Debug, Clone, Default)]
pub(crate) struct Mask(Box<[(usize, u64)]>);

impl Bits {
    pub(crate) fn empty(members: usize) -> Self {
        Self(vec![0; members.div_ceil(64)])
    }

    /// The places that are `true`.
    pub(crate) fn of(members: &[bool]) -> Self {
        let mut set = Self::empty(members.len());
        let held = members.iter().enumerate().filter(|(_, held)| **held);
        held.for_each(|(member, _)| set.insert(member));
        set
    }

    pub(crate) fn insert(&mut self, member: usize) {
        if let Some(word) = self.0.get_mut(member / 64) {
            *word |= 1 << (member % 64);
        }
    }

    pub(crate) fn extend(&mut self, other: &Self) {
        for (word, more) in self.0.iter_mut().zip(&other.0) {
            *word |= more;
        }
    }

    /// Keeps only the members that are in the other set too.
    pub(crate) fn intersect(&mut self, other: &Self) {
        for (word, kept) in self.0.iter_mut().zip(&other.0) {
            *word &= kept;
        }
    }

    /// Returns the members of one of the two that the other does not have.
    pub(crate) fn difference(&self, other: &Self) -> Self {
        let words = self.0.iter().zip(&other.0).map(|(one, two)| one ^ two);
        Self(words.collect())
    }

    pub(crate) fn is_within(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).all(|(word, outer)| word & !outer == 0)
    }

    pub(crate) fn full(members: usize) -> Self {
        let mut words = vec![u64::MAX; members / 64];
        if !members.is_multiple_of(64) {
            words.push((1 << (members % 64)) - 1);
        }
        Self(words)
    }

    pub(crate) fn contains(&self, member: usize) -> bool {
        holds(&self.0, member)
    }

    pub(crate) fn words(&self) -> &[u64] {
        &self.0
    }
}

/// Tells whether the bit of a member is set.
pub(crate) fn holds(words: &[u64], member: usize) -> bool {
    words
        .get(member / 64)
        .is_some_and(|word| word & (1 << (member % 64)) != 0)
}

impl Mask {
    pub(crate) fn new(members: &[usize]) -> Self {
        let mut words: Vec<(usize, u64)> = Vec::with_capacity(members.len());
        for member in members {
            let bit = 1 << (member % 64);
            match words.iter_mut().find(|(word, _)| *word == member / 64) {
                Some((_, bits)) => *bits |= bit,
                None => words.push((member / 64, bit)),
            }
        }
        Self(words.into())
    }

    /// Tells whether all members of the mask are among these. An empty mask is always held.
    pub(crate) fn is_held(&self, words: &[u64]) -> bool {
        self.0
            .iter()
            .all(|(word, bits)| words.get(*word).is_some_and(|held| held & bits == *bits))
    }
}
