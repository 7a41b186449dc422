//! Reports into S3, with a fault in each step, and into topics: people see the old report or the new one, never a mixture.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

mod servers;

use servers::{Server, script};

const EKSPLAIN: &str = env!("CARGO_BIN_EXE_eksplain");
/// Two moments of the demo: on different days, and on one.
const OLD: &str = "2026-03-10T12:00:00Z";
const EARLIER: &str = "2026-03-22T08:00:00Z";
const NEW: &str = "2026-03-22T09:00:01Z";

/// An emulator with the demo's lake, and buckets to write to.
struct World {
    moto: Server,
    python: PathBuf,
    folder: tempfile::TempDir,
}

impl World {
    fn new() -> Option<Self> {
        let (moto, python) = Server::moto()?;
        let folder = tempfile::tempdir().unwrap();
        let demo = Command::new(EKSPLAIN)
            .current_dir(folder.path())
            .args(["demo", "--keep", ".", "-q"])
            .output()
            .unwrap();
        assert!(demo.status.success());
        Some(Self { moto, python, folder })
    }

    fn report(&self, url: &str, at: &str, words: &[&str]) -> Command {
        let mut command = Command::new(EKSPLAIN);
        command
            .current_dir(self.folder.path())
            .env_remove("AWS_PROFILE")
            .env("AWS_ACCESS_KEY_ID", "testing")
            .env("AWS_SECRET_ACCESS_KEY", "testing")
            .env("AWS_REGION", "us-east-1")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("EKSPLAIN_LAKE", "lake")
            .args(["--endpoint-url", url, "report", "--at", at])
            .args(words);
        command
    }

    fn deliver(&self, url: &str, at: &str, words: &[&str]) -> (Option<i32>, String) {
        let output = self.report(url, at, words).output().unwrap();
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    }

    fn boto(&self, words: &[&str]) -> Vec<u8> {
        let output = Command::new(&self.python)
            .arg(script("bucket.py"))
            .arg(&self.moto.url)
            .args(words)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    fn objects(&self, bucket: &str) -> Value {
        serde_json::from_slice(&self.boto(&["read", bucket])).unwrap()
    }

    fn document(&self, bucket: &str, key: &str) -> Value {
        serde_json::from_slice(&self.boto(&["get", bucket, key])).unwrap()
    }

    /// What people see: the hash of the page, and whether every file that latest.json names is there as it says.
    fn seen(&self, bucket: &str) -> (String, Value) {
        let objects = self.objects(bucket);
        let latest = self.document(bucket, "eks/latest.json");
        for file in latest["files"].as_array().unwrap() {
            let key = format!(
                "eks/{}/{}",
                latest["folder"].as_str().unwrap(),
                file["name"].as_str().unwrap()
            );
            let version = &objects[&key]["versions"][file["version"].as_str().unwrap()];
            assert_eq!(*version, file["sha256"], "{key}");
        }
        let in_latest: Vec<&String> = objects
            .as_object()
            .unwrap()
            .keys()
            .filter(|key| key.starts_with("eks/latest/"))
            .collect();
        assert_eq!(in_latest, ["eks/latest/report.html"]);
        (
            objects["eks/latest/report.html"]["sha256"].as_str().unwrap().to_owned(),
            latest,
        )
    }

    fn faulty(&self, at: u64, how: &str) -> Server {
        Server::stand_in(
            "faulty_s3.py",
            &json!({"upstream": self.moto.url, "at": at, "how": how}).to_string(),
        )
    }
}

/// Writes of a report in two forms: its two files, what they are, the page, where its files lie.
const STEPS: u64 = 5;

fn forms(to: &str) -> Vec<&str> {
    vec!["--to", to, "--form", "html,json", "--compare-with", "none"]
}

/// A fault: at which write, of which kind, and what was delivered before.
struct Case {
    step: u64,
    how: &'static str,
    before: &'static str,
}

fn cases() -> Vec<Case> {
    let case = |step, how, before| Case { step, how, before };
    let every = |how: &'static str, before: &'static str| (1..=STEPS).map(move |step| case(step, how, before));
    let passing = [
        case(1, "fail", OLD),
        case(4, "fail", EARLIER),
        case(2, "cut", EARLIER),
        case(5, "cut", OLD),
    ];
    every("refuse", OLD)
        .chain(every("hang", OLD))
        .chain(every("hang", EARLIER))
        .chain(passing)
        .collect()
}

#[test]
fn a_fault_in_any_step_never_mixes_what_people_see() {
    let Some(world) = World::new() else { return };
    let deliver = |url: &str, at: &str, bucket: &str| world.deliver(url, at, &forms(&format!("s3://{bucket}/eks")));
    // What an undisturbed delivery shows.
    let goods: Vec<_> = [OLD, EARLIER, NEW]
        .into_iter()
        .zip(["old", "earlier", "new"])
        .map(|(at, bucket)| {
            world.boto(&["make", bucket]);
            let (code, said) = deliver(&world.moto.url, at, bucket);
            assert_eq!(code, Some(0), "{said}");
            (at, world.seen(bucket))
        })
        .collect();
    let good = |at: &str| &goods.iter().find(|(known, _)| *known == at).unwrap().1;
    let hashes = |latest: &Value| -> Vec<Value> {
        let files = latest["files"].as_array().unwrap();
        files.iter().map(|file| file["sha256"].clone()).collect()
    };
    let (new_page, new_latest) = good(NEW);
    let check = |number: usize, case: &Case| {
        let Case { step, how, before } = *case;
        let (old_page, old_latest) = good(before);
        assert_ne!(old_page, new_page);
        let (bucket, context) = (
            format!("case-{number}"),
            format!("{how} at write {step} after {before}"),
        );
        world.boto(&["make", &bucket]);
        assert_eq!(deliver(&world.moto.url, before, &bucket).0, Some(0));
        let proxy = world.faulty(step, how);
        match how {
            "hang" => kill_at(&world, &proxy, step, &bucket),
            "refuse" => {
                let (code, said) = deliver(&proxy.url, NEW, &bucket);
                assert_eq!(code, Some(4), "{context}: {said}");
                assert!(said.contains("s3:PutObject"), "{context}: {said}");
            }
            // What passes is tried again, and the report arrives.
            _ => {
                let (code, said) = deliver(&proxy.url, NEW, &bucket);
                assert_eq!(code, Some(0), "{context}: {said}");
            }
        }
        let is_through = matches!(how, "fail" | "cut");
        let (page, latest) = world.seen(&bucket);
        assert_eq!(
            page,
            *if is_through || step > 4 { new_page } else { old_page },
            "{context}"
        );
        assert_eq!(
            hashes(&latest),
            hashes(if is_through { new_latest } else { old_latest }),
            "{context}"
        );
        // The next run puts all right.
        assert_eq!(deliver(&world.moto.url, NEW, &bucket).0, Some(0));
        let (page, latest) = world.seen(&bucket);
        assert_eq!((&page, hashes(&latest)), (new_page, hashes(new_latest)), "{context}");
    };
    let cases = cases();
    let (check, cases) = (&check, &cases);
    std::thread::scope(|threads| {
        for first in 0..3 {
            threads.spawn(move || {
                for (number, case) in cases.iter().enumerate().skip(first).step_by(3) {
                    check(number, case);
                }
            });
        }
    });
}

/// Kills the program while it waits for the answer to a write.
fn kill_at(world: &World, proxy: &Server, step: u64, bucket: &str) {
    let mut child = world
        .report(&proxy.url, NEW, &forms(&format!("s3://{bucket}/eks")))
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let began = Instant::now();
    while proxy.get("/writes").parse::<u64>().unwrap() < step {
        assert!(began.elapsed() < Duration::from_secs(60), "write {step} never came");
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_report_in_a_bucket_is_encrypted_typed_and_compared_with_the_last() {
    let Some(world) = World::new() else { return };
    world.boto(&["make", "reports"]);
    let to = "s3://reports/eks";
    assert_eq!(
        world.deliver(&world.moto.url, OLD, &["--to", to, "--sse", "s3"]).0,
        Some(0)
    );
    let objects = world.objects("reports");
    assert_eq!(
        objects.as_object().unwrap().len(),
        14,
        "eleven files, what they are, the page, where they lie: {objects}"
    );
    for (key, object) in objects.as_object().unwrap() {
        assert_eq!(object["sse"], "AES256", "{key}");
    }
    let dated = |name: &str| format!("eks/reports/date=2026-03-10/{name}");
    for (name, kind) in [
        ("report.html", "text/html; charset=utf-8"),
        ("report.json", "application/json"),
        ("admins.parquet", "application/vnd.apache.parquet"),
    ] {
        assert_eq!(objects[dated(name)]["type"], kind);
    }

    let (code, said) = world.deliver(
        &world.moto.url,
        NEW,
        &["--to", to, "--kms-key", "alias/reports", "--fail-on", "creator-deleted"],
    );
    assert_eq!(code, Some(1), "the creator of prod was deleted in between: {said}");
    let objects = world.objects("reports");
    assert_eq!(objects["eks/latest/report.html"]["sse"], "aws:kms");
    assert_eq!(objects["eks/latest/report.html"]["key"], "alias/reports");
    let report = world.document("reports", "eks/reports/date=2026-03-22/report.json");
    assert_eq!(report["changes"]["since"], OLD);
    let kinds: Vec<&str> = report["changes"]["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| change["kind"].as_str().unwrap())
        .collect();
    assert!(kinds.contains(&"creator-deleted"), "{kinds:?}");

    // Into a folder, the same lake gives the same page.
    for at in [OLD, NEW] {
        assert_eq!(world.deliver(&world.moto.url, at, &["--to", "local"]).0, Some(0));
    }
    let local = std::fs::read(world.folder.path().join("local/latest/report.html")).unwrap();
    assert!(local == world.boto(&["get", "reports", "eks/latest/report.html"]));

    let (code, said) = world.deliver(&world.moto.url, NEW, &["--to", "s3://nothere/x"]);
    assert_eq!(code, Some(4), "{said}");
    assert!(said.contains("NoSuchBucket"), "{said}");
    let (code, said) = world.deliver(&world.moto.url, NEW, &["--to", to, "--sse", "kms"]);
    assert_eq!(code, Some(2), "{said}");
}

#[test]
fn a_large_file_goes_up_in_parts() {
    let Some(world) = World::new() else { return };
    let logs = world.folder.path().join("many");
    let generator = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/many_clusters.py");
    let made = Command::new("python3")
        .arg(generator)
        .arg(&logs)
        .args(["--clusters", "100", "--findings", "10000"])
        .status();
    assert!(made.unwrap().success());
    let layout = ["--layout", "{account}/{region}/{cluster}/{stream}/*"];
    for (folder, hints) in [("trail", &[][..]), ("eks", &layout[..])] {
        let mut ingest = Command::new(EKSPLAIN);
        ingest
            .current_dir(world.folder.path())
            .args(["--lake", "large", "ingest", "files"]);
        assert!(
            ingest
                .arg(logs.join(folder))
                .args(hints)
                .output()
                .unwrap()
                .status
                .success()
        );
    }
    world.boto(&["make", "large"]);
    let output = world
        .report(
            &world.moto.url,
            "2026-11-24",
            &["--lake", "large", "--to", "s3://large", "--form", "json,md"],
        )
        .output()
        .unwrap();
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let objects = world.objects("large");
    let latest = world.document("large", "latest.json");
    for file in latest["files"].as_array().unwrap() {
        let object = &objects[format!("reports/date=2026-11-24/{}", file["name"].as_str().unwrap())];
        assert_eq!((&object["sha256"], &object["size"]), (&file["sha256"], &file["bytes"]));
    }
    assert!(latest["files"][1]["bytes"].as_u64().unwrap() > 17_000_000, "{latest}");
    assert_eq!(
        objects["reports/date=2026-11-24/report.json"]["type"],
        "application/json"
    );
}

#[test]
fn those_who_wait_are_told_in_short() {
    let Some(world) = World::new() else { return };
    let made: Value = serde_json::from_slice(&world.boto(&["topic"])).unwrap();
    let topic = made["topic"].as_str().unwrap();
    let file = world.folder.path().join("summary.json");
    let output = world
        .report(
            &world.moto.url,
            NEW,
            &[
                "--to",
                "out",
                "--compare-with",
                OLD,
                "--notify",
                "-",
                "--notify",
                file.to_str().unwrap(),
                "--notify",
                topic,
            ],
        )
        .output()
        .unwrap();
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let on_stdout: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(on_stdout["schema"], "eksplain.notification/1");
    assert_eq!(on_stdout["summary"]["locked_out"], 1);
    assert!(on_stdout["change_count"].as_u64().unwrap() > 0);
    let in_file: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    assert_eq!(in_file, on_stdout);
    let messages: Value = serde_json::from_slice(&world.boto(&["messages", made["queue"].as_str().unwrap()])).unwrap();
    let message = &messages[0];
    assert!(
        message["Subject"]
            .as_str()
            .unwrap()
            .starts_with("eksplain: No known principal can access prod"),
        "{message}"
    );
    let published: Value = serde_json::from_str(message["Message"].as_str().unwrap()).unwrap();
    assert_eq!(published, on_stdout);
    let (code, said) = world.deliver(
        &world.moto.url,
        NEW,
        &["--to", "out", "--notify", "arn:aws:sns:us-east-1:123456789012:none"],
    );
    assert_eq!(code, Some(4), "{said}");
    assert!(said.contains("sns:Publish"), "{said}");
    let (code, _) = world.deliver(
        &world.moto.url,
        NEW,
        &["--to", "out", "--notify", "arn:aws:sqs:us-east-1:123456789012:none"],
    );
    assert_eq!(code, Some(2));
    assert!(Path::new(&world.folder.path().join("out/latest/report.html")).is_file());
}
