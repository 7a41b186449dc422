//! `deploy/`: real validators find nothing wrong, and what it grants and configures is what the program says it needs.
//!
//! Each validator is also given a broken copy: one that takes everything proves nothing.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

const TEMPLATES: &[&str] = &[
    "bucket.yaml",
    "ecs.yaml",
    "kubernetes/role.yaml",
    "organization/member-role.yaml",
];
const MANIFESTS: &[&str] = &[
    "kubernetes/eksplain.yaml",
    "kubernetes/irsa.yaml",
    "kubernetes/pod-identity.yaml",
];
const POLICIES: &[&str] = &[
    "read.json",
    "report.json",
    "notify.json",
    "organization.json",
    "trail.json",
];

/// Parameters with which every part of each template is there.
const EVERYTHING: &[&str] = &[
    "AWS::AccountId=111122223333",
    "Regions=us-east-1,eu-west-1",
    "ReportBucket=my-report-bucket",
    "KmsKeyArn=arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    "TopicArn=arn:aws:sns:us-east-1:111122223333:eks-access",
    "AlarmTopicArn=arn:aws:sns:us-east-1:111122223333:alarm",
    "MemberRole=eksplain-read",
    "ReaderRoleArn=arn:aws:iam::111122223333:role/eksplain",
    "ExternalId=an-id",
    "ObjectLock=GOVERNANCE",
    "ClusterName=tools",
];

fn deploy(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(name)
}

fn read(name: &str) -> String {
    fs::read_to_string(deploy(name)).unwrap()
}

/// A tool beside the Python that `tests/all` has set up.
fn tool(name: &str) -> Option<Command> {
    let Some(python) = std::env::var_os("EKSPLAIN_MOTO_PYTHON").map(PathBuf::from) else {
        eprintln!("skipped: EKSPLAIN_MOTO_PYTHON names no Python with the validators (tests/all sets it)");
        return None;
    };
    let mut command = Command::new(python.with_file_name(name));
    command.stdin(Stdio::null());
    Some(command)
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
}

fn passes(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
}

/// It fails, and says why.
fn fails(command: &mut Command, why: &str) {
    let output = command.output().unwrap();
    assert!(!output.status.success(), "a broken copy passed");
    assert!(said(&output).contains(why), "{why}: {}", said(&output));
}

/// A copy of a file in which a text is another.
fn broken(folder: &TempDir, name: &str, was: &str, is: &str) -> PathBuf {
    let text = read(name);
    assert!(text.contains(was), "{was} is not in {name}");
    let path = folder.path().join(Path::new(name).file_name().unwrap());
    fs::write(&path, text.replacen(was, is, 1)).unwrap();
    path
}

/// The documents of a YAML file; of a template its resources, with the parameters given.
fn documents(path: &Path, parameters: &[&str]) -> Option<Vec<Value>> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/deploy/resolve.py");
    let output = tool("python")?.arg(script).arg(path).args(parameters).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

/// Every policy in a document: whatever has statements, also as text.
fn policies(value: &Value, path: &str, found: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(fields) if fields.contains_key("Statement") => found.push((path.to_owned(), value.clone())),
        Value::Object(fields) => fields
            .iter()
            .for_each(|(key, value)| policies(value, &format!("{path}.{key}"), found)),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .for_each(|(at, value)| policies(value, &format!("{path}.{at}"), found)),
        Value::String(text) if text.contains("\"Statement\"") => {
            found.push((path.to_owned(), serde_json::from_str(text).unwrap()))
        }
        _ => {}
    }
}

/// The policies of `deploy/policies`, and those in the templates.
fn all_policies() -> Option<Vec<(String, Value)>> {
    let mut found = Vec::new();
    for name in POLICIES {
        found.push((
            (*name).to_owned(),
            serde_json::from_str(&read(&format!("policies/{name}"))).unwrap(),
        ));
    }
    for template in TEMPLATES {
        let name = template.replace('/', "-");
        policies(&json!(documents(&deploy(template), EVERYTHING)?), &name, &mut found);
    }
    let irsa = ["Access=irsa", "OidcIssuer=oidc.eks.us-east-1.amazonaws.com/id/EXAMPLE"];
    policies(
        &json!(documents(
            &deploy("kubernetes/role.yaml"),
            &[EVERYTHING, &irsa].concat()
        )?),
        "irsa",
        &mut found,
    );
    Some(found)
}

/// What an IAM linter finds: kind and detail of each.
fn lint(all: &[(String, Value)]) -> Option<Vec<(String, Value)>> {
    let folder = tempfile::tempdir().unwrap();
    for (name, policy) in all {
        let mut policy = policy.clone();
        // A trust policy is about its own role, which it does not name.
        for statement in policy["Statement"].as_array_mut().unwrap() {
            if name.contains("AssumeRolePolicyDocument") {
                statement["Resource"] = "arn:aws:iam::111122223333:role/eksplain".into();
            }
        }
        fs::write(folder.path().join(format!("{name}.json")), policy.to_string()).unwrap();
    }
    let mut command = tool("parliament")?;
    let output = command
        .args(["--json", "--include_policy_extension", "json", "--directory"])
        .arg(folder.path())
        .output()
        .unwrap();
    let lines = String::from_utf8(output.stdout).unwrap();
    let findings: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        output.status.success(),
        findings.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Some(
        findings
            .into_iter()
            .map(|finding| (finding["issue"].as_str().unwrap().to_owned(), finding))
            .collect(),
    )
}

/// What the linter does not know, or cannot.
fn is_meant(issue: &str, finding: &Value) -> bool {
    let path = finding["location"]["filepath"].as_str().unwrap_or_default();
    match issue {
        // In the policy of a key or a file system `*` is that key or file system; the results of a query have no name before it runs.
        "RESOURCE_STAR" => {
            path.contains("KeyPolicy")
                || path.contains("FileSystemPolicy")
                || finding["detail"] == json!(["logs:GetQueryResults"])
        }
        // It has no list of the OIDC providers of clusters: the test below reads that trust policy.
        "UNKNOWN_FEDERATION_SOURCE" | "UNKNOWN_CONDITION_FOR_ACTION" => {
            path.contains("irsa.0.Role.Properties.AssumeRolePolicyDocument")
        }
        _ => false,
    }
}

fn accepted(text: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_eksplain"));
    let mut child = command
        .args(["run", "--check", "-"])
        .env_remove("EKSPLAIN_LAKE")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn every_file_is_looked_at() {
    let mut found = Vec::new();
    let mut folders = vec![deploy("")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "yaml" || end == "json") {
                found.push(path);
            }
        }
    }
    let mut known: Vec<PathBuf> = TEMPLATES.iter().chain(MANIFESTS).map(|name| deploy(name)).collect();
    known.extend(POLICIES.iter().map(|name| deploy("policies").join(name)));
    found.sort();
    known.sort();
    assert_eq!(found, known);
}

#[test]
fn the_templates_are_what_cloudformation_takes() {
    let Some(mut lint) = tool("cfn-lint") else { return };
    passes(lint.args(TEMPLATES.iter().map(|name| deploy(name))));
    let folder = tempfile::tempdir().unwrap();
    for (name, was, is, why) in [
        (
            "ecs.yaml",
            "SubnetId: !Ref SubnetOne",
            "Subnet: !Ref SubnetOne",
            "SubnetId",
        ),
        (
            "ecs.yaml",
            "!GetAtt NotStarted.Arn",
            "!GetAtt NotStartd.Arn",
            "NotStartd",
        ),
        ("bucket.yaml", "Status: Enabled", "Status: On", "Suspended"),
        (
            "kubernetes/role.yaml",
            "ServiceAccount: !Ref ServiceAccount",
            "Account: !Ref ServiceAccount",
            "Account",
        ),
        (
            "organization/member-role.yaml",
            "sts:AssumeRole",
            "[{}]",
            "is not of type",
        ),
    ] {
        fails(tool("cfn-lint").unwrap().arg(broken(&folder, name, was, is)), why);
    }
}

/// A prefix that the bucket's stack refuses cannot be what the others grant and configure.
#[test]
fn a_prefix_has_the_same_shape_in_every_template() {
    let pattern = |name: &str, parameter: &str| {
        let text = read(name);
        let (_, below) = text.split_once(&format!("\n  {parameter}:\n")).unwrap();
        let mut own = below.lines().take_while(|line| line.starts_with("    "));
        own.find_map(|line| Some(line.trim().strip_prefix("AllowedPattern: ")?.to_owned()))
    };
    let of_bucket = pattern("bucket.yaml", "Prefix");
    assert!(of_bucket.is_some());
    for template in ["ecs.yaml", "kubernetes/role.yaml"] {
        assert_eq!(pattern(template, "ReportPrefix"), of_bucket, "{template}");
    }
}

#[test]
fn the_manifests_are_what_kubernetes_takes() {
    let Some(mut validate) = tool("kubernetes-validate") else {
        return;
    };
    passes(validate.arg("--strict").args(MANIFESTS.iter().map(|name| deploy(name))));
    let folder = tempfile::tempdir().unwrap();
    for (name, was, is, why) in [
        (
            "kubernetes/eksplain.yaml",
            "concurrencyPolicy",
            "concurencyPolicy",
            "concurencyPolicy",
        ),
        (
            "kubernetes/eksplain.yaml",
            "backoffLimit: 2",
            "backoffLimit: two",
            "backoffLimit",
        ),
        ("kubernetes/irsa.yaml", "\"true\"", "true", "annotations"),
    ] {
        let mut validate = tool("kubernetes-validate").unwrap();
        fails(validate.arg("--strict").arg(broken(&folder, name, was, is)), why);
    }
}

#[test]
fn the_cron_job_runs_without_rights_and_alone() {
    let Some(all) = documents(&deploy("kubernetes/eksplain.yaml"), &[]) else {
        return;
    };
    let of = |kind: &str| all.iter().find(|document| document["kind"] == kind).unwrap();
    let spec = &of("CronJob")["spec"];
    assert_eq!(spec["concurrencyPolicy"], "Forbid");
    assert!(spec["startingDeadlineSeconds"].is_u64() && spec["jobTemplate"]["spec"]["activeDeadlineSeconds"].is_u64());
    let pod = &spec["jobTemplate"]["spec"]["template"]["spec"];
    assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
    assert_eq!(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault");
    assert_eq!(pod["automountServiceAccountToken"], false);
    let container = &pod["containers"][0];
    let security = &container["securityContext"];
    assert_eq!(
        (
            &security["readOnlyRootFilesystem"],
            &security["allowPrivilegeEscalation"]
        ),
        (&true.into(), &false.into())
    );
    assert_eq!(security["capabilities"]["drop"], json!(["ALL"]));
    assert!(
        container["resources"]["limits"]["memory"].is_string() && container["resources"]["requests"]["cpu"].is_string()
    );
    // What the pod names is there.
    let volume = |name: &str| {
        pod["volumes"]
            .as_array()
            .unwrap()
            .iter()
            .find(|volume| volume["name"] == name)
            .unwrap()
    };
    assert_eq!(
        volume("config")["configMap"]["name"],
        of("ConfigMap")["metadata"]["name"]
    );
    assert_eq!(
        volume("lake")["persistentVolumeClaim"]["claimName"],
        of("PersistentVolumeClaim")["metadata"]["name"]
    );
    for name in ["kubernetes/irsa.yaml", "kubernetes/pod-identity.yaml"] {
        let account = &documents(&deploy(name), &[]).unwrap()[0];
        assert_eq!(account["metadata"]["name"], pod["serviceAccountName"], "{name}");
        assert_eq!(
            account["metadata"]["namespace"],
            of("CronJob")["metadata"]["namespace"],
            "{name}"
        );
    }
}

#[test]
fn the_configurations_are_passes_that_can_be_run() {
    let Some(all) = documents(&deploy("kubernetes/eksplain.yaml"), &[]) else {
        return;
    };
    let map = all.iter().find(|document| document["kind"] == "ConfigMap").unwrap();
    let mut texts = vec![map["data"]["eksplain.toml"].as_str().unwrap().to_owned()];
    let bare: &[&str] = &["ReportBucket=my-report-bucket", "Regions=all"];
    let own: &[&str] = &["Config=lake = \"/work/lake\"\n[report]\nto = \"s3://my-report-bucket/eks\""];
    for parameters in [EVERYTHING, bare, own] {
        let resources = documents(&deploy("ecs.yaml"), parameters).unwrap().remove(0);
        texts.push(
            resources["Configuration"]["Properties"]["Value"]
                .as_str()
                .unwrap()
                .to_owned(),
        );
    }
    for text in &texts {
        let output = accepted(text);
        assert!(output.status.success(), "{text}\n{}", said(&output));
        assert!(said(&output).contains("lock the lake /work/lake"), "{}", said(&output));
    }
    let everything = said(&accepted(&texts[1]));
    for part in [
        "--regions=us-east-1,eu-west-1 --accounts=org --assume-role=eksplain-read",
        "s3://my-report-bucket/eks",
        "key/1234abcd",
        "notify arn:aws:sns",
    ] {
        assert!(everything.contains(part), "{part}: {everything}");
    }
    assert_eq!(
        accepted(&texts[0].replace("cloudtrail", "cloudtral")).status.code(),
        Some(2)
    );
    // The task reads what the template writes.
    let resources = documents(&deploy("ecs.yaml"), EVERYTHING).unwrap().remove(0);
    let container = &resources["Task"]["Properties"]["ContainerDefinitions"][0];
    assert_eq!(
        container["Command"][1],
        format!("env:{}", container["Secrets"][0]["Name"].as_str().unwrap())
    );
    assert_eq!(
        (&container["ReadonlyRootFilesystem"], &container["User"]),
        (&true.into(), &"65532:65532".into())
    );
    let subnets = &resources["Daily"]["Properties"]["Target"]["EcsParameters"]["NetworkConfiguration"]["AwsvpcConfiguration"]
        ["Subnets"];
    let targets =
        [&resources["LakeInSubnetOne"], &resources["LakeInSubnetTwo"]].map(|target| &target["Properties"]["SubnetId"]);
    assert_eq!(
        *subnets,
        json!(targets),
        "the lake is reached from every subnet that the task may run in"
    );
}

#[test]
fn every_policy_is_sound() {
    let Some(all) = all_policies() else { return };
    assert!(all.len() >= 20, "{}", all.len());
    let found: Vec<_> = lint(&all)
        .unwrap()
        .into_iter()
        .filter(|(issue, finding)| !is_meant(issue, finding))
        .collect();
    assert!(found.is_empty(), "{found:#?}");
    // The linter knows what IAM does not take, and what is wider than it need be; also within a template.
    let folder = tempfile::tempdir().unwrap();
    for (name, was, is, issue) in [
        (
            "ecs.yaml",
            "logs:FilterLogEvents",
            "logs:FilterLogEvent",
            "UNKNOWN_ACTION",
        ),
        (
            "kubernetes/role.yaml",
            "Resource: [!Ref TopicArn]",
            "Resource: \"*\"",
            "RESOURCE_STAR",
        ),
        (
            "organization/member-role.yaml",
            "Effect: Allow\n                Action: [cloudtrail",
            "Effect: Alow\n                Action: [cloudtrail",
            "MALFORMED",
        ),
    ] {
        let path = broken(&folder, name, was, is);
        let mut copies = Vec::new();
        policies(&json!(documents(&path, EVERYTHING).unwrap()), "copy", &mut copies);
        let found = lint(&copies).unwrap();
        assert!(
            found
                .iter()
                .any(|(kind, finding)| kind == issue && !is_meant(kind, finding)),
            "{name}: {found:#?}"
        );
    }
}

#[test]
fn only_the_service_account_of_the_cron_job_gets_the_role() {
    let irsa = ["Access=irsa", "OidcIssuer=oidc.eks.us-east-1.amazonaws.com/id/EXAMPLE"];
    let role = deploy("kubernetes/role.yaml");
    let Some(mut all) = documents(&role, &[EVERYTHING, &irsa].concat()) else {
        return;
    };
    let by_irsa = all.remove(0);
    let trust: Value = serde_json::from_str(
        by_irsa["Role"]["Properties"]["AssumeRolePolicyDocument"]
            .as_str()
            .unwrap(),
    )
    .unwrap();
    let issuer = "oidc.eks.us-east-1.amazonaws.com/id/EXAMPLE";
    let expect = json!({"StringEquals": {
        format!("{issuer}:aud"): "sts.amazonaws.com", format!("{issuer}:sub"): "system:serviceaccount:eksplain:eksplain",
    }});
    assert_eq!(trust["Statement"][0]["Condition"], expect);
    assert!(by_irsa.get("Association").is_none());
    let by_agent = documents(&role, EVERYTHING).unwrap().remove(0);
    let association = &by_agent["Association"]["Properties"];
    assert_eq!(
        (&association["Namespace"], &association["ServiceAccount"]),
        (&"eksplain".into(), &"eksplain".into())
    );
    let condition = &by_agent["Role"]["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]["Condition"];
    assert_eq!(
        condition["ArnLike"]["aws:SourceArn"],
        "arn:aws:eks:us-east-1:111122223333:cluster/tools"
    );
}

/// Nothing but reading, writing reports, telling, and entering accounts, whoever asks.
#[test]
fn no_role_of_eksplain_may_change_anything() {
    let Some(all) = all_policies() else { return };
    let is_own = |name: &str| {
        ![
            "StartRole",
            "ScheduleRole",
            "KeyPolicy",
            "FileSystemPolicy",
            "TlsOnly",
            "AssumeRolePolicyDocument",
        ]
        .iter()
        .any(|part| name.contains(part))
    };
    let harmless = ["Describe", "List", "Get", "Lookup", "Filter", "StartQuery"];
    let meant = [
        "s3:PutObject",
        "kms:GenerateDataKey",
        "kms:Decrypt",
        "sns:Publish",
        "sts:AssumeRole",
    ];
    for (name, policy) in all.iter().filter(|(name, _)| is_own(name)) {
        for action in policy["Statement"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|statement| statement["Action"].as_array().unwrap())
        {
            let action = action.as_str().unwrap();
            let call = action.split_once(':').unwrap().1;
            assert!(
                meant.contains(&action) || harmless.iter().any(|start| call.starts_with(start)),
                "{name}: {action}"
            );
        }
    }
}

#[test]
fn what_may_be_read_is_what_doctor_prints() {
    let output = Command::new(env!("CARGO_BIN_EXE_eksplain"))
        .args(["doctor", "--policy", "--region", "us-east-1"])
        .output()
        .unwrap();
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        printed,
        serde_json::from_str::<Value>(&read("policies/read.json")).unwrap()
    );
    // The templates say the same of their own account alone, and the report's policy that of their bucket.
    let any = [&["AWS::AccountId=*"], EVERYTHING.get(1..).unwrap()].concat();
    let file = |name: &str| -> Value {
        let text = read(&format!("policies/{name}.json"));
        let text = text
            .replace("REPORT-BUCKET", "my-report-bucket")
            .replace("REPORT-KEY", "1234abcd-12ab-34cd-56ef-1234567890ab");
        serde_json::from_str(&text).unwrap()
    };
    for (template, role) in [
        ("ecs.yaml", "TaskRole"),
        ("kubernetes/role.yaml", "Role"),
        ("organization/member-role.yaml", "Reader"),
    ] {
        let Some(mut all) = documents(&deploy(template), &any) else {
            return;
        };
        let resources = all.remove(0);
        let own = resources[role]["Properties"]["Policies"].as_array().unwrap();
        for policy in own {
            let name = policy["PolicyName"].as_str().unwrap();
            assert_eq!(
                policy["PolicyDocument"]["Statement"],
                file(name)["Statement"],
                "{template} {name}"
            );
        }
        assert_eq!(own.len(), if role == "Reader" { 1 } else { 4 });
    }
}

#[test]
fn the_image_is_small_and_without_rights() {
    let text = read("Containerfile");
    let last = &text[text.rfind("\nFROM ").unwrap()..];
    assert!(
        last.contains("distroless") && !last.contains("\nRUN "),
        "there is no shell to run anything"
    );
    assert!(
        last.contains("\nUSER 65532:65532"),
        "a number: Kubernetes can tell that it is not root"
    );
    assert!(text.contains("--mount=type=cache") && text.contains("--locked"));
    let rust = include_str!("../Cargo.toml")
        .lines()
        .find_map(|line| line.strip_prefix("rust-version = "))
        .unwrap()
        .trim_matches('"');
    assert!(
        text.contains(&format!("rust:{rust}-")),
        "built by the Rust that the workspace asks for"
    );
    let Some(mut lint) = tool("hadolint") else { return };
    passes(lint.arg(deploy("Containerfile")));
    let folder = tempfile::tempdir().unwrap();
    fails(
        tool("hadolint")
            .unwrap()
            .arg(broken(&folder, "Containerfile", "rust:1.95-bookworm", "rust:latest")),
        "DL3007",
    );
}
