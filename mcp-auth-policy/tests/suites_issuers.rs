//! A principal without an issuer is one of the policy's only issuer, or a mistake; never one that no server would let in.

#![allow(clippy::unwrap_used, reason = "tests")]

use mcp_auth_policy::{Policy, suite::SuiteFile};

const POLICY: &str = "
version: 1
scopes: { retire: Retire machines }
roles: { admin: { scopes: [retire] } }
callers:
  issuers:
    https://one.example: { roles: groups }
    https://two.example: { roles: groups }
tools: { retire-machine: { requires: retire } }
";

fn failures(policy: &str, principal: &str, cell: &str) -> Result<usize, String> {
    let policy = Policy::parse(policy).unwrap();
    let suite = format!(
        "version: 1\npolicy: p.yaml\nprincipals:\n  caller: {principal}\nmatrix: |\n  tool | caller\n  retire-machine | {cell}\n"
    );
    let file = SuiteFile::parse("p.test.yaml", suite).unwrap();
    let suite = file.with_policy(&policy).map_err(|errors| errors.to_string())?;
    Ok(suite.run().failures().len())
}

#[test]
fn a_principal_without_an_issuer_is_of_the_only_one_or_a_mistake() {
    let one = POLICY.replace("    https://two.example: { roles: groups }\n", "");
    let default = POLICY.replace("  issuers:", "  default: { scopes: scope }\n  issuers:");
    // Scopes count for nothing where roles alone are read.
    assert!(
        failures(&one, "{ scopes: [retire] }", "any")
            .unwrap_err()
            .contains("reads only roles")
    );
    assert_eq!(failures(&one, "{ as: admin }", "any"), Ok(0));
    assert_eq!(failures(&one, "{ claims: { scope: retire } }", "deny"), Ok(0));
    assert_eq!(failures(&default, "{ scopes: [retire] }", "any"), Ok(0));
    assert_eq!(
        failures(POLICY, "{ issuer: https://two.example, as: admin }", "any"),
        Ok(0)
    );
    let several = failures(POLICY, "{ as: admin }", "any").unwrap_err();
    assert!(several.contains("names no issuer"), "{several}");
}
