//! A lake that was touched says so, in every command, and can be repaired; one that was interrupted answers as if it never was.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use assert_cmd::Command;
use eksplain_lake::{Lake, Table};
use serde_json::Value;
use tempfile::TempDir;

mod support;

const AT: &str = "2026-11-23T12:00:00Z";

/// The demo with its lake, made once.
static DEMO: LazyLock<TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let keep = folder.path().to_str().unwrap();
    let mut demo = Command::cargo_bin("eksplain").unwrap();
    demo.args(["demo", "-q", "--keep", keep]).assert().success();
    folder
});

/// A copy of the demo, to be harmed.
struct Copy(TempDir);

impl Copy {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy(DEMO.path(), folder.path());
        Self(folder)
    }

    fn lake(&self) -> PathBuf {
        self.0.path().join("lake")
    }

    /// Paths of the commits, in order.
    fn commits(&self) -> Vec<PathBuf> {
        files(&self.lake().join("_state/commits"))
    }

    /// Paths of the parts.
    fn parts(&self) -> Vec<PathBuf> {
        let all = files(&self.lake()).into_iter();
        all.filter(|path| path.extension().is_some_and(|end| end == "parquet"))
            .collect()
    }

    fn run(&self, words: &[&str]) -> Said {
        let mut command = Command::cargo_bin("eksplain").unwrap();
        command.env_remove("EKSPLAIN_LAKE").arg("--lake").arg(self.lake());
        let out = command.args(["-o", "json"]).args(words).output().unwrap();
        Said {
            code: out.status.code().unwrap(),
            out: String::from_utf8(out.stdout).unwrap(),
            err: String::from_utf8(out.stderr).unwrap(),
        }
    }

    /// Every command that reads records finds the damage, and none answers.
    #[track_caller]
    fn is_damaged(&self) {
        for words in [
            &["admins", "--at", AT][..],
            &["denials", "--at", AT],
            &["query", "SELECT count(*) AS n FROM audit"],
            &["lake", "verify"],
            &["lake", "status"],
            &["report", "--at", AT],
            &["can-i", "get", "pods", "--as", "maria", "--at", AT],
        ] {
            let said = self.run(words);
            assert!(said.code == 5, "{words:?}: {} {}{}", said.code, said.out, said.err);
            assert!(words[0] == "lake" || said.out.is_empty(), "{words:?}: {}", said.out);
        }
    }

    fn admins(&self) -> Value {
        let said = self.run(&["admins", "--at", AT]);
        assert_eq!(said.code, 0, "{}", said.err);
        let mut answer: Value = serde_json::from_str(&said.out).unwrap();
        answer.as_object_mut().unwrap().remove("generated_at");
        answer
    }
}

struct Said {
    code: i32,
    out: String,
    err: String,
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// Every file below a folder, sorted.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Numbers that look random and are the same in every run.
fn numbers() -> impl Iterator<Item = u64> {
    std::iter::successors(Some(0x9e37_79b9_7f4a_7c15_u64), |x| {
        let x = x ^ (x << 13);
        let x = x ^ (x >> 7);
        Some(x ^ (x << 17))
    })
    .skip(8)
}

fn flip(path: &Path, number: u64) {
    let mut content = fs::read(path).unwrap();
    let bit = (number % (content.len() as u64 * 8)) as usize;
    content[bit / 8] ^= 1 << (bit % 8);
    fs::write(path, content).unwrap();
}

#[test]
fn each_of_a_thousand_flipped_bits_is_found() {
    let copy = Copy::new();
    let touched: Vec<PathBuf> = [copy.parts(), copy.commits()].concat();
    let mut numbers = numbers();
    for turn in 0..1000 {
        let path = &touched[(numbers.next().unwrap() % touched.len() as u64) as usize];
        let whole = fs::read(path).unwrap();
        flip(path, numbers.next().unwrap());
        let is_found = match Lake::open_as_it_is(&copy.lake()) {
            Ok(lake) => {
                let name = path.strip_prefix(copy.lake()).unwrap().to_str().unwrap().to_owned();
                let table = Table::ALL.iter().find(|table| name.starts_with(table.dir())).unwrap();
                if turn % 100 == 0 {
                    assert_eq!(lake.verify().len(), 1, "{name}");
                }
                lake.sound_parts(*table).is_err()
            }
            Err(_) => true,
        };
        assert!(is_found, "{}", path.display());
        fs::write(path, whole).unwrap();
    }
}

#[test]
fn a_flipped_bit_is_damage_in_every_command() {
    let mut numbers = numbers();
    let copy = Copy::new();
    for path in [copy.parts().swap_remove(0), copy.commits().swap_remove(0)] {
        let whole = fs::read(&path).unwrap();
        flip(&path, numbers.next().unwrap());
        copy.is_damaged();
        fs::write(path, whole).unwrap();
    }
    copy.admins();
}

#[test]
fn a_commit_that_is_gone_or_altered_is_damage() {
    for of in [0, usize::MAX] {
        let copy = Copy::new();
        let commits = copy.commits();
        let path = &commits[of.min(commits.len() - 1)];
        fs::remove_file(path).unwrap();
        copy.is_damaged();
    }
    // Another commit in its place, with the name that its content gives it.
    let copy = Copy::new();
    let commits = copy.commits();
    let (first, last) = (&commits[0], &commits[commits.len() - 1]);
    let hash = |path: &Path| {
        path.file_stem()
            .unwrap()
            .to_str()
            .unwrap()
            .split_once('-')
            .unwrap()
            .1
            .to_owned()
    };
    let forged = first.with_file_name(format!("00000001-{}.json", hash(last)));
    fs::copy(last, forged).unwrap();
    fs::remove_file(first).unwrap();
    copy.is_damaged();
}

#[test]
fn a_part_in_the_place_of_another_is_damage() {
    let copy = Copy::new();
    let parts = copy.parts();
    fs::copy(&parts[1], &parts[0]).unwrap();
    copy.is_damaged();
    fs::remove_file(&parts[0]).unwrap();
    copy.is_damaged();
}

#[test]
fn a_commit_names_nothing_outside_the_lake() {
    let copy = Copy::new();
    let victim = copy.0.path().join("victim");
    fs::write(&victim, "precious").unwrap();
    let text = r#"{"inputs":[],"parts":[],"removed":["../victim"]}"#;
    let number = copy.commits().len() as u64 + 1;
    let name = support::commit_name(number, text);
    fs::write(copy.lake().join("_state/commits").join(name), text).unwrap();
    let log = copy.0.path().join("empty.json");
    fs::write(&log, r#"{"Records":[]}"#).unwrap();
    for words in [
        &["ingest", "files", log.to_str().unwrap()][..],
        &["lake", "compact"],
        &["admins"],
        &["lake", "verify", "--repair"],
    ] {
        let said = copy.run(words);
        assert_eq!(said.code, 5, "{words:?}: {}{}", said.out, said.err);
        assert!(said.err.contains("../victim"), "{}", said.err);
    }
    assert!(victim.exists());
}

#[test]
fn a_run_that_was_killed_behind_its_commit_answers_all_the_same() {
    let copy = Copy::new();
    let before = copy.admins();
    let staging = copy.lake().join("_staging");
    fs::create_dir_all(&staging).unwrap();
    for part in copy.parts() {
        let name = part
            .strip_prefix(copy.lake())
            .unwrap()
            .to_str()
            .unwrap()
            .replace('/', "--");
        fs::rename(&part, staging.join(name)).unwrap();
    }
    assert_eq!(copy.admins(), before);
    assert_eq!(copy.run(&["lake", "verify"]).code, 0);
    assert_eq!(
        copy.parts().iter().filter(|part| part.starts_with(&staging)).count(),
        copy.parts().len()
    );
    // Who writes next puts them in their places.
    assert_eq!(copy.run(&["lake", "compact"]).code, 0);
    assert_eq!(copy.admins(), before);
    assert!(copy.parts().iter().all(|part| !part.starts_with(&staging)));
}

#[test]
fn repair_drops_what_is_damaged_and_the_next_ingest_brings_it_back() {
    let copy = Copy(tempfile::tempdir().unwrap());
    let logs = DEMO.path().join("logs");
    let ingest = || {
        let said = copy.run(&["ingest", "files", logs.to_str().unwrap()]);
        assert_eq!(said.code, 0, "{}{}", said.out, said.err);
        serde_json::from_str::<Value>(&said.out).unwrap()["kept"]
            .as_u64()
            .unwrap()
    };
    let all = ingest();
    assert_eq!(ingest(), 0);
    let before = copy.admins();
    let parts = copy.parts();
    let mut numbers = numbers();
    flip(&parts[0], numbers.next().unwrap());
    fs::remove_file(&parts[parts.len() - 1]).unwrap();
    let said = copy.run(&["lake", "verify", "--repair"]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let told: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(told["findings"].as_array().unwrap().len(), 2);
    let again = told["read_again"].as_array().unwrap();
    assert!(!again.is_empty());
    assert_eq!(copy.run(&["lake", "verify"]).code, 0);
    let kept = files(&copy.lake().join("_state/damaged"));
    assert_eq!(kept.len(), 1, "{kept:?}");

    let brought = ingest();
    assert!(0 < brought && brought < all, "{brought} of {all}");
    assert_eq!(copy.admins(), before);
}
