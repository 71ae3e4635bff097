//! A second copy of a policy, to be changed on purpose.

use crate::{Policy, resources::Templates};

impl Policy {
    /// Copies what decisions read. The copy has the id of the policy, so that resolved callers are valid in both: whoever changes a
    /// rule of it tries the same callers, and whoever changes what a token gives resolves them anew.
    pub(super) fn twin(&self) -> Self {
        Self {
            id: self.id,
            name: self.name.clone(),
            file_name: self.file_name.clone(),
            canonical: String::new(),
            revision: String::new(),
            scopes: self.scopes.clone(),
            scope_numbers: self.scope_numbers.clone(),
            roles: self.roles.clone(),
            role_numbers: self.role_numbers.clone(),
            objects: self.objects,
            operations: self.operations.clone(),
            indexes: self.indexes.clone(),
            // Suites call resources by their names.
            templates: Templates::default(),
            forbids: self.forbids.clone(),
            forbids_everything: self.forbids_everything.clone(),
            callers: self.callers.clone(),
            visibility: self.visibility,
            on_not_owner: self.on_not_owner,
            advertised: self.advertised.clone(),
            warnings: Vec::new(),
        }
    }
}
