//! Mappings that never match are no route, and are linted.

use super::*;

#[test]
fn a_mapping_that_never_matches_is_no_route_and_check_reports_each() {
    let never = [
        ("a blank behind", format!("'{} '", role("Trail"))),
        ("a blank before", format!("' {}'", role("Lead"))),
        ("11 digits", "arn:aws:iam::11112222333:role/Eleven".to_owned()),
        ("13 digits", "arn:aws:iam::1111222233334:role/Thirteen".to_owned()),
        ("an em dash", role("team—ops")),
        ("a zero-width letter", format!("\"{}\"", role("Ze\\u200Bro"))),
        ("a Cyrillic letter", role("аdmins")),
        ("no account", "arn:aws:iam:::role/None".to_owned()),
        (
            "an instance profile",
            format!("arn:aws:iam::{ACCOUNT}:instance-profile/Profile"),
        ),
        ("a name alone", "JustName".to_owned()),
    ];
    for (what, arn) in &never {
        let lab = Lab::new();
        let roles = format!("- rolearn: {arn}\n  username: x\n  groups:\n    - system:masters\n");
        lab.audit(&[logs::write_aws_auth("2026-11-01T10:00:00Z", omar(), mapped(&roles))]);
        let at = "2026-11-01T11:00:00Z";
        let admins = lab.ask(&["admins"], at);
        let by_aws_auth = |finding: &Value| {
            finding["routes"]
                .as_array()
                .unwrap()
                .iter()
                .any(|route| route["route"] == "aws_auth")
        };
        assert!(!admins.findings().iter().any(by_aws_auth), "{what}: {}", admins.json);
        let check = lab.ask(&["check"], at);
        let told = check
            .findings()
            .iter()
            .any(|one| one["rule"].as_str().unwrap().starts_with("aws-auth."));
        assert!(told, "{what}: {}", check.json);
    }
}

#[test]
fn a_mapping_is_compared_without_case() {
    let lab = Lab::new();
    // The authenticator compares with EqualFold: role or Role, upper or lower.
    let roles =
        format!("- rolearn: arn:aws:iam::{ACCOUNT}:Role/Upper\n  username: x\n  groups:\n    - system:masters\n");
    lab.audit(&[logs::write_aws_auth("2026-11-01T10:00:00Z", omar(), mapped(&roles))]);
    lab.authenticator(&logs::granted_line(
        "2026-11-01T10:30:00Z",
        &role("upper"),
        "x",
        "system:masters",
        "AROAUPPER",
        40001,
    ));
    let at = "2026-11-01T11:00:00Z";
    let admins = lab.ask(&["admins"], at);
    let active: Vec<String> = admins.active().iter().map(|name| name.to_lowercase()).collect();
    assert_eq!(active, [role("upper")], "{}", admins.json);
    let check = lab.ask(&["check"], at);
    let is_wrong = |one: &&Value| one["rule"].as_str().unwrap().starts_with("aws-auth.near-miss");
    assert_eq!(check.findings().iter().filter(is_wrong).count(), 0, "{}", check.json);
}

#[test]
fn wrong_top_keys_and_look_alike_groups_are_linted() {
    for (what, data) in [
        ("maproles", json!({"maproles": snapshot::masters(&role("Cara"))})),
        (
            "system:master",
            json!({"mapRoles": format!("- rolearn: {}\n  username: x\n  groups: ['system:master']\n", role("Cara"))}),
        ),
        (
            "systems:masters",
            json!({"mapRoles": format!("- rolearn: {}\n  username: x\n  groups: ['systems:masters']\n", role("Cara"))}),
        ),
        (
            "{{SessionName}}",
            json!({"mapRoles": format!("- rolearn: {}\n  username: x\n  groups: ['team-{{{{SessionName}}}}']\n", role("Cara"))}),
        ),
    ] {
        let lab = Lab::new();
        lab.audit(&[logs::write_aws_auth("2026-11-01T10:00:00Z", omar(), data)]);
        let at = "2026-11-01T11:00:00Z";
        assert_eq!(lab.ask(&["admins"], at).status(&role("Cara")), None, "{what}");
        let check = lab.ask(&["check"], at);
        assert!(
            check.findings().iter().any(|finding| says(finding, &[what])),
            "{what}: {}",
            check.json
        );
    }
}
