//! What a person sees: the answers about the demo estate at several widths, with colours and links, and out of hostile logs.
//!
//! `INSTA_UPDATE=always cargo test --test terminal` writes `tests/snapshots` anew: read the difference before it is committed.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use assert_cmd::Command;
use serde_json::json;
use tempfile::TempDir;

const AT: &str = "2026-11-23T12:00:00Z";

/// The demo's lake, made once.
static DEMO: LazyLock<TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let keep = folder.path().to_str().unwrap();
    plain().args(["demo", "-q", "--keep", keep]).assert().success();
    folder
});

fn demo_lake() -> PathBuf {
    DEMO.path().join("lake")
}

/// Without what the one who runs the tests has set.
fn plain() -> Command {
    let mut command = Command::cargo_bin("eksplain").unwrap();
    for name in [
        "COLUMNS",
        "NO_COLOR",
        "FORCE_HYPERLINK",
        "TERM",
        "EKSPLAIN_LAKE",
        "AWS_PROFILE",
    ] {
        command.env_remove(name);
    }
    command
}

/// stdout and stderr.
fn said(lake: &Path, width: &str, arguments: &[&str]) -> (String, String) {
    let mut command = plain();
    if !width.is_empty() {
        command.env("COLUMNS", width);
    }
    let output = command.arg("--lake").arg(lake).args(arguments).output().unwrap();
    (
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

fn answer(width: &str, question: &str) -> String {
    said(&demo_lake(), width, &[question, "--at", AT]).0
}

/// What a terminal would take for itself is made visible.
fn visible(text: &str) -> String {
    text.replace('\u{1b}', "␛")
}

#[test]
fn each_answer_reads_well_at_every_width() {
    for question in ["admins", "creators", "denials", "check"] {
        for width in ["60", "100", "160"] {
            insta::assert_snapshot!(format!("{question}-{width}"), answer(width, question));
        }
    }
    for (name, arguments) in [
        ("who", vec!["who", "ops", "--at", AT]),
        ("diff", vec!["diff", "2026-03-05", "2026-03-25"]),
        (
            "can-i",
            vec![
                "can-i",
                "list",
                "secrets",
                "-n",
                "dev",
                "--as",
                "dave",
                "--cluster",
                "prod",
                "--at",
                AT,
            ],
        ),
        ("query", vec!["query", "masters_logins"]),
    ] {
        for width in ["60", "160"] {
            insta::assert_snapshot!(format!("{name}-{width}"), said(&demo_lake(), width, &arguments).0);
        }
    }
}

#[test]
fn colours_and_links_repeat_what_words_say() {
    let coloured = |question: &str, links: &str| {
        let mut command = plain();
        command
            .env("COLUMNS", "100")
            .env("FORCE_HYPERLINK", links)
            .arg("--lake")
            .arg(demo_lake());
        let output = command
            .args([question, "--at", AT, "--color", "always"])
            .output()
            .unwrap();
        (
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    for question in ["admins", "creators", "denials", "check"] {
        let (text, hint) = coloured(question, "1");
        insta::assert_snapshot!(format!("{question}-coloured"), visible(&text));
        assert!(
            hint.starts_with("\u{1b}[36mhint\u{1b}[0m: `\u{1b}[32meksplain "),
            "{hint:?}"
        );
        assert_eq!(without_styles(&text), answer("100", question));
        let (text, _) = coloured(question, "0");
        assert!(!text.contains("\u{1b}]8"));
    }
}

/// Takes out colours (CSI … m) and links (OSC 8 … ST).
fn without_styles(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('\u{1b}') {
        plain += before;
        rest = if let Some(link) = behind.strip_prefix("]8;;") {
            link.split_once("\u{1b}\\").unwrap().1
        } else {
            behind.split_once('m').unwrap().1
        };
    }
    plain + rest
}

#[test]
fn a_pipe_gets_no_colour_and_160_columns() {
    for question in ["admins", "creators", "denials", "check"] {
        let piped = answer("", question);
        assert_eq!(piped, answer("160", question));
        assert!(!piped.contains('\u{1b}'));
    }
}

#[test]
fn no_line_but_a_command_is_wider_than_the_terminal_and_no_principal_is_lost() {
    let is_command = |line: &str| {
        let line = line.trim_start();
        ["aws ", "kubectl ", "eksctl "]
            .iter()
            .any(|tool| line.starts_with(tool))
    };
    for width in [40, 80, 200] {
        for question in ["admins", "creators", "denials", "check"] {
            let text = answer(&width.to_string(), question);
            // A manifest is verbatim.
            let wide = text
                .lines()
                .filter(|line| line.chars().count() > width && !is_command(line) && !line.contains('"'));
            assert_eq!(wide.collect::<Vec<_>>(), Vec::<&str>::new(), "{question} at {width}");
            let joined: String = text
                .chars()
                .filter(|c| !c.is_whitespace() && !"│├└─".contains(*c))
                .collect();
            let long = "arn:aws:iam::444455556666:role/AWSReservedSSO_PlatformAdmin_0123456789abcdef";
            assert!(question == "denials" || joined.contains(long), "{question} at {width}");
        }
    }
}

#[test]
fn a_command_is_whole_at_any_width() {
    let command = "aws eks associate-access-policy --cluster-name prod --region us-west-2 --principal-arn \
                   arn:aws:iam::111122223333:role/NEW_ADMIN --policy-arn \
                   arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy --access-scope type=cluster";
    for width in ["40", "100", "160"] {
        let text = answer(width, "creators");
        assert!(text.lines().any(|line| line.trim_start() == command), "{text}");
    }
}

#[test]
fn an_answer_ends_with_the_next_useful_command_unless_it_is_asked_to_be_quiet() {
    let hint = |arguments: &[&str]| said(&demo_lake(), "", arguments).1;
    let lake = demo_lake();
    let lake = lake.display();
    for (question, next) in [
        (
            "admins",
            format!("hint: `eksplain --lake {lake} who arn:aws:iam::111122223333:user/maria --at {AT}` "),
        ),
        (
            "creators",
            format!("hint: `eksplain --lake {lake} rescue prod --regions us-west-2` "),
        ),
        (
            "denials",
            format!("hint: `eksplain --lake {lake} who arn:aws:iam::111122223333:role/deployer --at {AT}` "),
        ),
        ("check", format!("hint: `eksplain --lake {lake} evidence ")),
    ] {
        let said = hint(&[question, "--at", AT]);
        assert!(said.starts_with(&next), "{question}: {said}");
        assert_eq!(hint(&[question, "--at", AT, "-q"]), "");
        assert_eq!(hint(&[question, "--at", AT, "-o", "json"]), "");
    }
}

#[test]
fn a_closed_pipe_is_a_good_end() {
    let program = assert_cmd::cargo::cargo_bin("eksplain");
    let line = format!(
        "set -o pipefail; '{}' --lake '{}' denials | head -1",
        program.display(),
        demo_lake().display()
    );
    let output = std::process::Command::new("bash").args(["-c", &line]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn hostile_logs_make_no_line_no_colour_and_no_link_of_their_own() {
    let evil = "eve\u{1b}]8;;https://evil.example\u{1b}\\\u{1b}[2J\u{202e}\n● active    arn:aws:iam::111122223333:role/innocent";
    let folder = tempfile::tempdir().unwrap();
    let event = |number: u32, over: serde_json::Value| {
        let time = format!("2026-11-20T10:0{number}:00.000000Z");
        let mut event = json!({"kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "auditID": format!("a-{number}"),
            "stage": "ResponseComplete", "requestURI": "/api/v1/namespaces/dev/pods", "verb": "list", "user": {"username": evil, "groups": ["system:masters", "system:authenticated"]},
            "sourceIPs": ["203.0.113.7"], "userAgent": evil, "objectRef": {"resource": "pods", "namespace": evil, "apiVersion": "v1"},
            "responseStatus": {"code": 200}, "requestReceivedTimestamp": time, "stageTimestamp": time,
            "annotations": {"authorization.k8s.io/decision": "allow", "authorization.k8s.io/reason": ""}});
        for (key, value) in over.as_object().unwrap() {
            event[key] = value.clone();
        }
        event.to_string()
    };
    let refused = json!({"user": {"username": evil, "groups": ["system:authenticated"]},
        "responseStatus": {"code": 403, "status": "Failure", "reason": "Forbidden", "message": evil},
        "annotations": {"authorization.k8s.io/decision": "forbid", "authorization.k8s.io/reason": evil}});
    let made = json!({"Records": [{"eventVersion": "1.11", "eventID": "e-1", "eventTime": "2026-11-20T09:00:00Z", "eventSource": "eks.amazonaws.com",
        "eventName": "CreateCluster", "awsRegion": "us-west-2", "recipientAccountId": "111122223333", "sourceIPAddress": evil, "userAgent": evil,
        "userIdentity": {"type": "AssumedRole", "arn": format!("arn:aws:sts::111122223333:assumed-role/maker/{evil}"), "accountId": "111122223333",
            "principalId": "AROA1:x", "sessionContext": {"sessionIssuer": {"type": "Role", "arn": "arn:aws:iam::111122223333:role/maker", "accountId": "111122223333", "userName": "maker"}}},
        "requestParameters": {"name": "prod"}, "responseElements": {"cluster": {"name": "prod", "arn": "arn:aws:eks:us-west-2:111122223333:cluster/prod"}}}]});
    let logs = folder.path().join("audit.json");
    std::fs::write(&logs, format!("{}\n{}\n", event(1, json!({})), event(2, refused))).unwrap();
    std::fs::write(folder.path().join("trail.json"), made.to_string()).unwrap();
    let lake = folder.path().join("lake");
    for (file, cluster) in [("audit.json", evil), ("trail.json", "prod")] {
        let path = folder.path().join(file);
        let hints = [
            "--account",
            "111122223333",
            "--region",
            "us-west-2",
            "--cluster",
            cluster,
        ];
        let mut command = plain();
        command
            .arg("--lake")
            .arg(&lake)
            .args(["ingest", "files"])
            .arg(path)
            .args(hints)
            .assert()
            .success();
    }
    let mut all = String::new();
    for question in ["admins", "creators", "denials", "check", "who"] {
        let mut command = plain();
        command
            .env("COLUMNS", "120")
            .env("FORCE_HYPERLINK", "1")
            .arg("--lake")
            .arg(&lake);
        command.args([question, "--at", AT, "--color", "always"]);
        if question == "who" {
            command.arg(format!("User:{evil}"));
        }
        let output = command.output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        for text in [&text, &stderr] {
            assert!(
                !text.contains("\u{1b}[2J") && !text.contains('\u{202e}') && !text.contains("\u{1b}]8;;https://evil"),
                "{text:?}"
            );
        }
        let forged = text.lines().filter(|line| {
            without_styles(line)
                .trim_start_matches(['│', ' '])
                .starts_with("● active    arn:aws:iam::111122223333:role/innocent")
        });
        assert_eq!(forged.count(), 0, "{text}");
        all += &format!("$ eksplain {question}\n{}\n", visible(&text));
    }
    insta::assert_snapshot!("hostile", all);
}

#[test]
fn every_shell_gets_its_completion() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let output = plain().args(["completions", shell]).output().unwrap();
        let script = String::from_utf8(output.stdout).unwrap();
        assert!(
            output.status.success() && script.contains("cloudwatch") && script.contains("can-i"),
            "{shell}"
        );
    }
}

#[test]
fn the_manual_has_a_page_for_every_command() {
    let folder = tempfile::tempdir().unwrap();
    plain().args(["man", "--dir"]).arg(folder.path()).assert().success();
    let names = |typed: &[&str]| {
        let output = plain().args(typed).arg("--help").output().unwrap();
        let help = String::from_utf8(output.stdout).unwrap();
        let commands = help.split("Commands:\n").nth(1).map(str::to_owned).unwrap_or_default();
        let lines = commands
            .lines()
            .take_while(|line| !line.is_empty())
            .filter(|line| !line.starts_with("   "));
        lines
            .filter_map(|line| line.split_whitespace().next().map(str::to_owned))
            .filter(|name| name != "help")
            .collect::<Vec<_>>()
    };
    let mut pages = vec!["eksplain".to_owned()];
    for name in names(&[]) {
        pages.extend(names(&[&name]).iter().map(|own| format!("eksplain-{name}-{own}")));
        pages.push(format!("eksplain-{name}"));
    }
    assert!(pages.len() > 25, "{pages:?}");
    for page in pages {
        let text = std::fs::read_to_string(folder.path().join(format!("{page}.1")))
            .unwrap_or_else(|_| panic!("no page {page}"));
        assert!(page == "eksplain" || text.contains("Examples:"), "{page}");
    }
    let one = plain().args(["man", "ingest", "cloudwatch"]).output().unwrap();
    assert!(
        String::from_utf8(one.stdout)
            .unwrap()
            .contains("eksplain ingest cloudwatch")
    );
    plain().args(["man", "nothing"]).assert().code(2);
}
