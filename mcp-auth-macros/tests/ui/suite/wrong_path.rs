mod absolute {
    mcp_auth::suite!("/policies/notes.test.yaml");
}

mod policy_absolute {
    mcp_auth::suite!("suite/policy_absolute.test.yaml");
}

fn main() {}
