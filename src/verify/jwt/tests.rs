//! Judges the JSON Web Signature vectors of Wycheproof, which no crate carries: give their folder (`testvectors_v1`) as `WYCHEPROOF` and run
//! `cargo test --lib wycheproof -- --ignored`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests"
)]

use std::{env, fs, path::PathBuf};

use serde_json::{Value, json};

use super::*;

/// Vectors on which this crate knowingly decides otherwise, by comment, and why.
const OTHERWISE: [(&str, &str); 3] = [
    ("Figure20", "the key is for PS256, the token says PS384"),
    ("Figure27", "P-521 is not supported"),
    (
        "rejectsKeyWithRocaVulnerability",
        "keys of that make are not told apart",
    ),
];

fn is_accepted(keys: &Value, jws: &str) -> bool {
    let keys = match keys.get("keys") {
        Some(_) => keys.clone(),
        None => json!({ "keys": [keys] }),
    };
    let set = KeySet::parse("https://as.example.com", keys.to_string().as_bytes()).unwrap();
    Signed::parse(jws).is_ok_and(|(signed, _)| check_with(&set, &signed).is_ok())
}

#[test]
#[ignore = "needs the vectors"]
fn wycheproof_signatures_in_compact_form() {
    super::super::install_crypto();
    let folder = PathBuf::from(env::var_os("WYCHEPROOF").expect("`WYCHEPROOF` names the folder with the vectors"));
    let (mut right, mut otherwise, mut wrong) = (0, 0, Vec::new());
    for name in ["json_web_signature", "json_web_key", "json_web_crypto"] {
        let file = fs::read(folder.join(format!("{name}_test.json"))).unwrap();
        let file: Value = serde_json::from_slice(&file).unwrap();
        for group in file["testGroups"].as_array().unwrap() {
            // A set of symmetric keys stands for one that an issuer published by mistake.
            let keys = group.get("public").unwrap_or(&group["private"]);
            for test in group["tests"].as_array().unwrap() {
                let comment = test["comment"].as_str().unwrap();
                let jws = match &test["jws"] {
                    Value::Null => continue, // encrypted
                    Value::String(compact) => compact.clone(),
                    json_form => json_form.to_string(),
                };
                let expected = test["result"] == "valid" && group.get("public").is_some();
                match is_accepted(keys, &jws) == expected {
                    true => right += 1,
                    false if OTHERWISE.iter().any(|(known, _)| *known == comment) => otherwise += 1,
                    false => wrong.push(format!("{name} {} {comment}", test["tcId"])),
                }
            }
        }
    }
    println!(
        "{right} right, {otherwise} otherwise by decision, {} wrong",
        wrong.len()
    );
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(right >= 400, "the vectors are there");
}
