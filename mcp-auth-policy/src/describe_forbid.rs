//! What a forbid says, in words.

use crate::{
    Forbid, ForbidId, Operation, Policy,
    claim_path::Found,
    forbid::{Condition, ValueAtom},
    text::quoted,
    value_test::{Scalar, Side, ValueTest},
};

impl Policy {
    /// Returns the forbids with the ids that decisions call them by, in the order of the file.
    pub fn forbids_with_ids(&self) -> impl Iterator<Item = (ForbidId, &Forbid)> {
        (0..).map(ForbidId).zip(&self.forbids)
    }

    /// Returns the operations that a forbid names, in the order of the file; all of them for one that is for everything.
    pub fn forbid_targets(&self, id: ForbidId) -> impl Iterator<Item = &Operation> {
        let all = self.forbid(id).is_some_and(Forbid::is_for_everything);
        (self.operations.iter()).filter(move |operation| all || operation.rule.forbids.contains(&id.0))
    }

    /// Says in words when a forbid applies: `always`, or `when argument `content` is longer than 2000 characters, unless …`.
    ///
    /// Names and values are in backticks, each on one line and without characters that could act on a terminal.
    #[must_use]
    pub fn describe_forbid(&self, forbid: &Forbid) -> String {
        let when = self.describe(&forbid.when, Side::When);
        let when = match when.is_empty() {
            true => "always".to_owned(),
            false => format!("when {when}"),
        };
        match &forbid.unless {
            Some(unless) => format!("{when}, unless {}", self.describe(unless, Side::Unless)),
            None => when,
        }
    }

    fn describe(&self, condition: &Condition, side: Side) -> String {
        let scopes = condition.scope_numbers.iter();
        let scopes = scopes.filter_map(|number| Some(format!("scope {} is held", quoted(self.scope_name(*number)?))));
        let roles = condition.role_numbers.iter();
        let roles = roles.filter_map(|number| Some(format!("role {} is held", quoted(&self.roles.get(*number)?.name))));
        let issuer = condition.issuer.iter();
        let client = condition.client.iter();
        let atoms = scopes
            .chain(roles)
            .chain(issuer.map(|issuer| format!("the issuer is {}", quoted(issuer))))
            .chain(client.map(|client| format!("the client is {}", quoted(client))))
            .chain(condition.claims.iter().map(|atom| {
                let name = quoted(&atom.path.to_string());
                format!("claim {name} {}", describe_test(atom, side))
            }))
            .chain(condition.args.iter().map(|atom| {
                let name = quoted(atom.path.last());
                format!("argument {name} {}", describe_test(atom, side))
            }));
        atoms.collect::<Vec<String>>().join(" and ")
    }
}

fn describe_test(atom: &ValueAtom, side: Side) -> String {
    let test = match &atom.test {
        ValueTest::Is(scalar) => format!("is {}", describe_scalar(scalar)),
        ValueTest::In(scalars) => {
            let scalars: Vec<String> = scalars.iter().map(describe_scalar).collect();
            format!("is one of {}", scalars.join(", "))
        }
        ValueTest::Min(least) => format!("is at least {least}"),
        ValueTest::Max(most) => format!("is at most {most}"),
        ValueTest::LongerThan(limit) => format!("is longer than {limit} characters"),
        ValueTest::Present(true) => return "is there".to_owned(),
        ValueTest::Present(false) => return "is missing".to_owned(),
    };
    match atom.test.holds(Found::Missing, atom.if_missing, side) {
        true => format!("{test} or missing"),
        false => test,
    }
}

fn describe_scalar(scalar: &Scalar) -> String {
    match scalar {
        Scalar::Text(text) => quoted(text),
        Scalar::Number(number) => number.to_string(),
        Scalar::Bool(value) => value.to_string(),
    }
}
