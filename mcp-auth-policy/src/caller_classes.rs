//! Every class of callers and call arguments that some policies can tell apart at one operation, each with a concrete witness.
//!
//! A decision looks at a token in few places: the claims that scopes and roles are read from, the client, and the claims and arguments that the
//! forbids of the operation test. Each such place is an [axis](axes::Axis) with representatives of everything that it can hold, and a class is one
//! choice on each. The representatives are told apart by asking the policies' own code ([`observe`]), never by a second reading of the language;
//! so two callers of one class get the same decision, with the same reason, from each of the policies.
//!
//! Issuers are not an axis: each maps its own claims, so each has its own axes.

pub(crate) mod axes;
mod interest;
mod joins;
mod names;
mod observe;
mod principal;
#[cfg(test)]
pub(crate) mod tests;
mod values;

use std::fmt;

use serde_json::{Map, Value};

pub(crate) use self::principal::flow;
use self::{axes::Axis, interest::Interest, observe::Slot};
use crate::{Arguments, Decision, Grants, OperationId, OperationKind, Policy, TokenFacts};

/// Classes of one operation at most. Beyond, nothing is proved, and whoever asks must say so.
pub(crate) const MAX_CLASSES: usize = 1 << 16;
/// Characters of all representative texts of one operation at most.
const MAX_TEXT: usize = 1 << 24;

/// There are too many classes to try each, or a forbid measures texts that are too long to try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooManyClasses;

/// The classes of one operation. Those of one caller with different arguments stand together.
#[derive(Debug)]
pub(crate) struct CallerClasses<'p> {
    policies: Vec<(&'p Policy, Option<OperationId>)>,
    pub(crate) issuers: Vec<IssuerAxes>,
    pub(crate) argument_axes: Vec<Axis>,
    callers: Vec<Caller>,
    arguments: Vec<Choice<Map<String, Value>>>,
}

/// What can vary among the callers of one issuer.
#[derive(Debug)]
pub(crate) struct IssuerAxes {
    /// Empty where no policy names an issuer: then all are alike.
    pub(crate) issuer: String,
    /// No policy names it: it stands for all others.
    pub(crate) is_other: bool,
    /// Some policy says how its tokens are read. The others are for servers that do not trust it.
    pub(crate) is_mapped: bool,
    pub(crate) axes: Vec<Axis>,
}

/// Something made of one value of each axis: the numbers of these values, in the order of the axes.
#[derive(Debug)]
struct Choice<T> {
    numbers: Vec<usize>,
    made: T,
}

#[derive(Debug)]
struct Caller {
    /// Which of the issuers.
    issuer: usize,
    numbers: Vec<usize>,
    token: Token,
    /// By policy.
    grants: Vec<Grants>,
}

/// What a token carries.
#[derive(Debug, Default)]
struct Token {
    client: Option<String>,
    scopes: Vec<String>,
    claims: Map<String, Value>,
}

/// One class: a caller and the arguments of its call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CallerClass<'c> {
    classes: &'c CallerClasses<'c>,
    caller: &'c Caller,
    arguments: &'c Choice<Map<String, Value>>,
}

impl<'p> CallerClasses<'p> {
    /// Enumerates the classes of an operation that these policies tell apart. One that lists no such operation denies it to everybody.
    ///
    /// Classes also differ by whether they hold each of the `extra` scopes.
    pub(crate) fn of(
        policies: &[&'p Policy],
        kind: OperationKind,
        name: &str,
        extra: &[&str],
    ) -> Result<Self, TooManyClasses> {
        let operations = policies.iter().map(|policy| (*policy, policy.find(kind, name)));
        Self::of_operations(operations.collect(), extra)
    }

    /// As [`of`](Self::of), with the operation of each policy that is asked for, whatever its name is there.
    pub(crate) fn of_operations(
        policies: Vec<(&'p Policy, Option<OperationId>)>,
        extra: &[&str],
    ) -> Result<Self, TooManyClasses> {
        let interest = Interest::of(&policies, extra);
        let mut classes = Self {
            policies,
            issuers: Vec::new(),
            argument_axes: axes::of_arguments(&interest)?,
            callers: Vec::new(),
            arguments: Vec::new(),
        };
        let argument_count = count(&classes.argument_axes)?;
        let mut total = 0_usize;
        for (issuer, is_other) in interest.issuers() {
            let slots = observe::slots(&interest, &issuer);
            let axes = axes::of_issuer(&interest, &issuer, &slots)?;
            total = (count(&axes)?.checked_mul(argument_count))
                .and_then(|here| total.checked_add(here))
                .filter(|total| *total <= MAX_CLASSES)
                .ok_or(TooManyClasses)?;
            classes.add_callers(&interest, &issuer, &axes, &slots);
            let mut policies = classes.policies.iter();
            classes.issuers.push(IssuerAxes {
                is_mapped: policies.any(|(policy, _)| policy.callers.mapping(&issuer).is_some()),
                issuer,
                is_other,
                axes,
            });
        }
        classes.arguments = choices(&classes.argument_axes)
            .map(|numbers| {
                let mut made = Map::new();
                for (axis, number) in classes.argument_axes.iter().zip(&numbers) {
                    axes::insert(&mut made, axis.path.names(), axis.value(*number));
                }
                Choice { numbers, made }
            })
            .collect();
        Ok(classes)
    }

    fn add_callers(&mut self, interest: &Interest<'_>, issuer: &str, axes: &[Axis], slots: &[Slot<'_>]) {
        for numbers in choices(axes) {
            let mut token = Token::default();
            for (axis, number) in axes.iter().zip(&numbers) {
                axis.put(*number, &mut token);
            }
            if !axes::agrees(interest, axes, &numbers, slots, &token.claims) {
                continue;
            }
            let resolve = |policy: &Policy| policy.resolve(&token.facts(issuer)).grants().clone();
            let grants = self.policies.iter().map(|(policy, _)| resolve(policy)).collect();
            self.callers.push(Caller {
                issuer: self.issuers.len(),
                numbers,
                token,
                grants,
            });
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.callers.len() * self.arguments.len()
    }

    /// Returns the classes, callers with the least first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = CallerClass<'_>> {
        self.callers.iter().flat_map(move |caller| {
            self.arguments.iter().map(move |arguments| CallerClass {
                classes: self,
                caller,
                arguments,
            })
        })
    }
}

impl Token {
    fn facts<'t>(&'t self, issuer: &'t str) -> TokenFacts<'t> {
        TokenFacts {
            issuer,
            subject: "",
            client_id: self.client.as_deref(),
            scopes: &self.scopes,
            claims: &self.claims,
        }
    }
}

impl<'c> CallerClass<'c> {
    /// Returns what the policy with this number decides.
    pub(crate) fn decision(self, policy: usize) -> Decision {
        let arguments = Arguments::Known(&self.arguments.made);
        match (self.classes.policies.get(policy), self.caller.grants.get(policy)) {
            (Some((policy, Some(id))), Some(grants)) => policy.decide_call(*id, grants, arguments),
            _ => Decision::UNKNOWN,
        }
    }

    #[cfg(test)]
    pub(crate) fn is(self, other: Self) -> bool {
        std::ptr::eq(self.caller, other.caller) && std::ptr::eq(self.arguments, other.arguments)
    }

    /// Returns what the policy with this number granted.
    pub(crate) fn grants(self, policy: usize) -> Option<&'c Grants> {
        self.caller.grants.get(policy)
    }

    /// Tells whether the caller holds a scope under the policy with this number, by itself or because another one implies it.
    pub(crate) fn holds(self, policy: usize, scope: &str) -> bool {
        match (self.classes.policies.get(policy), self.grants(policy)) {
            (Some((policy, _)), Some(grants)) => policy.holds(grants, scope),
            _ => false,
        }
    }

    /// Returns the issuer: empty where no policy names one.
    pub(crate) fn issuer(self) -> &'c str {
        self.axes().map_or("", |axes| axes.issuer.as_str())
    }

    pub(crate) fn client_id(self) -> Option<&'c str> {
        self.caller.token.client.as_deref()
    }

    /// Returns the scope tokens of the standard `scope` claim.
    pub(crate) fn scopes(self) -> &'c [String] {
        &self.caller.token.scopes
    }

    pub(crate) fn claims(self) -> &'c Map<String, Value> {
        &self.caller.token.claims
    }

    pub(crate) fn arguments(self) -> &'c Map<String, Value> {
        &self.arguments.made
    }

    /// Returns which issuer it is of, and which value it has on each of that one's axes and on those of the arguments.
    pub(crate) fn place(self) -> (usize, impl Iterator<Item = usize> + 'c) {
        let numbers = self.caller.numbers.iter().chain(&self.arguments.numbers);
        (self.caller.issuer, numbers.copied())
    }

    /// Tells whether the policy with this number says how tokens of the issuer are read. Without that, a caller has no subject and owns nothing.
    pub(crate) fn is_mapped(self, policy: usize) -> bool {
        let policy = self.classes.policies.get(policy);
        policy.is_some_and(|(policy, _)| policy.callers.mapping(self.issuer()).is_some())
    }

    fn axes(self) -> Option<&'c IssuerAxes> {
        self.classes.issuers.get(self.caller.issuer)
    }
}

/// Counts the combinations of all values, if they are few enough to be made.
fn count(axes: &[Axis]) -> Result<usize, TooManyClasses> {
    let mut count = 1_usize;
    let mut text = 0_usize;
    for axis in axes {
        count = count.checked_mul(axis.len()).ok_or(TooManyClasses)?;
        text = text.saturating_add(axis.longest_text());
    }
    let fits = count <= MAX_CLASSES && count.saturating_mul(text) <= MAX_TEXT;
    fits.then_some(count).ok_or(TooManyClasses)
}

/// Gives every combination: the number of one value of each axis. The first values come first.
fn choices(axes: &[Axis]) -> impl Iterator<Item = Vec<usize>> {
    let lengths: Vec<usize> = axes.iter().map(Axis::len).collect();
    let all = lengths.iter().product();
    (0..all).map(move |mut number: usize| {
        let mut numbers = vec![0; lengths.len()];
        for (place, length) in numbers.iter_mut().zip(&lengths).rev() {
            *place = number % length;
            number /= length;
        }
        numbers
    })
}

impl fmt::Display for TooManyClasses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "more than {MAX_CLASSES} classes of callers and arguments would have to be tried, or texts that are too long"
        )
    }
}

impl std::error::Error for TooManyClasses {}
