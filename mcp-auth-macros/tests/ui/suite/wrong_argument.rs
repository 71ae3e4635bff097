mod nothing {
    mcp_auth::suite!();
}

mod no_text {
    mcp_auth::suite!(notes);
}

mod two {
    mcp_auth::suite!("suite/notes.test.yaml", "suite/other.test.yaml");
}

fn main() {}
