//! The answer to a call: how far it reaches, and why.

use crate::forbid::ForbidId;

/// What a call may touch: nothing, only what its caller owns, or everything.
///
/// The order is `Deny < Own < Any`. `Own` is not a weaker yes: it obliges the called code to check the owner of the one
/// object it acts on, or to filter a list by owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reach {
    /// Nothing: the call must not run.
    Deny,
    /// Only objects whose owner is the caller.
    Own,
    /// Every object.
    Any,
}

impl Reach {
    /// Returns the word of the policy language: `deny`, `own` or `any`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deny => "deny",
            Self::Own => "own",
            Self::Any => "any",
        }
    }
}

/// Why a decision was made. The vocabulary is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Because {
    /// The policy opens the operation to every authenticated caller (`requires: []`).
    Open,
    /// The caller holds the scopes that the operation requires.
    Scope,
    /// The caller does not hold them, but acts on its own objects.
    Owner,
    /// The policy does not list the operation.
    UnknownOperation,
    /// The caller lacks scopes, and owning the object would not help.
    MissingScope,
    /// The caller reaches its own objects only, and this one belongs to somebody else.
    NotOwner,
    /// The caller reaches its own objects only, and this one has no owner, or the caller has no subject.
    OwnerUnknown,
    /// A forbid matches, whatever the caller was granted. [`Policy::forbid`](crate::Policy::forbid) tells which.
    Forbidden(ForbidId),
}

impl Because {
    /// Returns the stable code for reports and decision records.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Scope => "scope",
            Self::Owner => "owner",
            Self::UnknownOperation => "unknown-tool",
            Self::MissingScope => "missing-scope",
            Self::NotOwner => "not-owner",
            Self::OwnerUnknown => "owner-unknown",
            Self::Forbidden(_) => "forbidden",
        }
    }
}

/// How far a call reaches, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[must_use]
pub struct Decision {
    /// What the call may touch.
    pub reach: Reach,
    /// The reason.
    pub because: Because,
}

/// Who owns the one object that a call acts on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ownership {
    /// The caller. Two empty subjects are not the same owner: that is [`Ownership::Absent`].
    Caller,
    /// Somebody else.
    Other,
    /// Nobody, or it is not known; or the caller has no subject.
    Absent,
}

impl Decision {
    pub(crate) const UNKNOWN: Self = Self {
        reach: Reach::Deny,
        because: Because::UnknownOperation,
    };
    pub(crate) const MISSING: Self = Self {
        reach: Reach::Deny,
        because: Because::MissingScope,
    };
    pub(crate) const OWN: Self = Self {
        reach: Reach::Own,
        because: Because::Owner,
    };

    pub(crate) fn forbidden(forbid: ForbidId) -> Self {
        Self {
            reach: Reach::Deny,
            because: Because::Forbidden(forbid),
        }
    }

    /// Settles the decision for one object: an `own` reach denies unless the caller is the owner.
    ///
    /// `Any` and `Deny` stay as they are.
    pub fn on_object(self, owner: Ownership) -> Self {
        match (self.reach, owner) {
            (Reach::Own, Ownership::Other) => Self {
                reach: Reach::Deny,
                because: Because::NotOwner,
            },
            (Reach::Own, Ownership::Absent) => Self {
                reach: Reach::Deny,
                because: Because::OwnerUnknown,
            },
            _ => self,
        }
    }
}
