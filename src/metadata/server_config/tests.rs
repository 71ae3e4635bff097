use serde_json::json;

use super::*;

/// A document where everything works, with some members replaced; `null` removes one. The codes that are no successes.
fn problems(changes: &Value) -> Vec<(ServerConfigSeverity, &'static str)> {
    let mut document = json!({
        "issuer": "https://as.example.com",
        "jwks_uri": "https://as.example.com/jwks",
        "authorization_endpoint": "https://as.example.com/authorize",
        "token_endpoint": "https://as.example.com/token",
        "response_types_supported": ["code"],
        "code_challenge_methods_supported": ["S256"],
        "registration_endpoint": "https://as.example.com/register",
        "client_id_metadata_document_supported": true,
    });
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => document.as_object_mut().unwrap().remove(name),
            value => document.as_object_mut().unwrap().insert(name.clone(), value.clone()),
        };
    }
    let report = validate_server_config(&AuthorizationServerMetadata::from_value(document).unwrap());
    let successes = report.of(Success).count();
    let problems: Vec<_> = report
        .findings()
        .iter()
        .take(report.findings().len() - successes)
        .collect();
    assert!(
        problems.iter().all(|finding| finding.severity() != Success),
        "the gravest first"
    );
    assert_eq!(
        report.is_valid(),
        problems.iter().all(|finding| finding.severity() != Error)
    );
    problems
        .iter()
        .map(|finding| (finding.severity(), finding.code()))
        .collect()
}

#[test]
fn each_shortcoming_has_its_code() {
    // One row each, so that the table can be read as one.
    #[rustfmt::skip]
    let cases = [
        (json!({}), vec![]),
        (json!({"grant_types_supported": ["authorization_code"]}), vec![]),
        (json!({"response_types_supported": ["code", "code id_token"]}), vec![]),
        (json!({"authorization_endpoint": null}), vec![(Error, "invalid_server_metadata")]),
        (json!({"token_endpoint": null}), vec![(Error, "invalid_server_metadata")]),
        (json!({"token_endpoint": "/token"}), vec![(Error, "invalid_server_metadata")]),
        (json!({"introspection_endpoint": "http://as.example.com/i"}), vec![(Error, "invalid_server_metadata")]),
        (json!({"registration_endpoint": "http://localhost/r"}), vec![(Error, "invalid_server_metadata")]),
        (json!({"response_types_supported": null}), vec![(Error, "invalid_server_metadata"), (Warning, "code_response_type_not_supported")]),
        (json!({"jwks_uri": null}), vec![(Error, "missing_jwks_uri")]),
        (json!({"jwks_uri": null, "introspection_endpoint": "https://as.example.com/i"}), vec![(Warning, "missing_jwks_uri")]),
        (json!({"jwks_uri": null, "userinfo_endpoint": "https://as.example.com/u"}), vec![(Warning, "missing_jwks_uri")]),
        (json!({"response_types_supported": ["token"]}), vec![(Warning, "code_response_type_not_supported")]),
        (json!({"grant_types_supported": ["client_credentials"]}), vec![(Warning, "authorization_code_grant_not_supported")]),
        (json!({"grant_types_supported": [], "authorization_endpoint": null}), vec![(Warning, "authorization_code_grant_not_supported")]),
        (json!({"code_challenge_methods_supported": null}), vec![(Warning, "pkce_not_supported")]),
        (json!({"code_challenge_methods_supported": []}), vec![(Warning, "pkce_not_supported")]),
        (json!({"code_challenge_methods_supported": ["plain"]}), vec![(Warning, "s256_code_challenge_method_not_supported")]),
        (json!({"registration_endpoint": null}), vec![(Information, "dynamic_registration_not_supported")]),
        (json!({"client_id_metadata_document_supported": null}), vec![(Information, "client_id_metadata_document_not_supported")]),
        (json!({"client_id_metadata_document_supported": "true"}), vec![(Information, "client_id_metadata_document_not_supported")]),
        (json!({"client_id_metadata_document_supported": false, "registration_endpoint": null}), vec![
            (Warning, "client_registration_not_supported"),
            (Information, "client_id_metadata_document_not_supported"),
            (Information, "dynamic_registration_not_supported"),
        ]),
    ];
    for (changes, expected) in cases {
        assert_eq!(problems(&changes), expected, "{changes}");
    }
}

#[test]
fn what_works_has_the_codes_of_the_other_libraries_too() {
    let metadata = AuthorizationServerMetadata::from_value(json!({
        "issuer": "https://as.example.com",
        "jwks_uri": "https://as.example.com/jwks",
        "authorization_endpoint": "https://as.example.com/authorize",
        "token_endpoint": "https://as.example.com/token",
        "response_types_supported": ["code"],
        "code_challenge_methods_supported": ["S256"],
        "registration_endpoint": "https://as.example.com/register",
        "client_id_metadata_document_supported": true,
    }));
    let report = validate_server_config(&metadata.unwrap());
    let codes: Vec<_> = report.of(Success).map(ServerConfigFinding::code).collect();
    assert_eq!(
        codes,
        [
            "server_metadata_valid",
            "code_response_type_supported",
            "authorization_code_grant_supported",
            "pkce_supported",
            "s256_code_challenge_method_supported",
            "client_id_metadata_document_supported",
            "dynamic_registration_supported",
        ]
    );
}
