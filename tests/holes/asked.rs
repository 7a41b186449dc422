//! Asking: an estate's logs into a lake, and the answers of the binary over it.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::estate::logs::{Logs, iso};
use crate::estate::plan::Estate;
use crate::estate::rng::Rng;
use crate::estate::world::Time;

/// A question of `can-i`, in words of the command line.
pub(crate) type Question = Vec<String>;

/// Answers over one lake. With `EKSPLAIN_HOLES_KEEP` its folder stays, with the logs beside it.
pub(crate) struct Lake {
    dir: tempfile::TempDir,
}

impl Lake {
    /// Ingests the logs; `Err` is what the command said.
    pub(crate) fn of(logs: Logs<'_>) -> Result<Self, String> {
        let mut dir = tempfile::tempdir().map_err(|e| e.to_string())?;
        dir.disable_cleanup(std::env::var_os("EKSPLAIN_HOLES_KEEP").is_some());
        for (path, bytes) in logs.files() {
            let path = dir.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).map_err(|e| e.to_string())?;
            std::fs::write(path, bytes).map_err(|e| e.to_string())?;
        }
        let lake = Self { dir };
        if std::env::var_os("EKSPLAIN_HOLES_KEEP").is_some() {
            eprintln!("kept {}", lake.dir.path().display());
        }
        let layout = "{account}/{region}/{cluster}/{stream}/*";
        for (folder, more) in [("trail", &[][..]), ("eks", &["--layout", layout])] {
            let folder = lake.dir.path().join(folder);
            if folder.exists() {
                let mut arguments = vec!["ingest", "files", folder.to_str().unwrap_or_default()];
                arguments.extend(more);
                // 3: some of it went to rejects.
                lake.run(&arguments, &[0, 3])?;
            }
        }
        Ok(lake)
    }

    fn run(&self, arguments: &[&str], expected: &[i32]) -> Result<String, String> {
        let binary = std::env::var("EKSPLAIN_BIN").unwrap_or(env!("CARGO_BIN_EXE_eksplain").to_owned());
        let out = Command::new(binary)
            .arg("--lake")
            .arg(self.dir.path().join("lake"))
            .args(arguments)
            .output()
            .map_err(|e| e.to_string())?;
        let text = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
        match out.status.code() {
            Some(code) if expected.contains(&code) => Ok(text(&out.stdout)),
            code => Err(format!("{} gave {code:?}: {}", arguments.join(" "), text(&out.stderr))),
        }
    }

    /// Admins, creators, denials, checks at a moment, and what changed since an earlier one.
    pub(crate) fn report(&self, earlier: Option<Time>, at: Time) -> Result<Value, String> {
        let earlier = earlier.map_or("none".to_owned(), iso);
        let at = iso(at);
        let out = self.run(
            &["report", "-o", "json", "--at", &at, "--compare-with", &earlier, "-q"],
            &[0],
        )?;
        serde_json::from_str(&out).map_err(|e| e.to_string())
    }

    /// Yes, no, or unknown; a cluster that the lake does not have is unknown.
    pub(crate) fn can_i(&self, question: &Question, at: Time) -> Result<Option<bool>, String> {
        let at = iso(at);
        let mut arguments = vec!["can-i", "-o", "json", "--at", &at];
        arguments.extend(question.iter().map(String::as_str));
        let out = self.run(&arguments, &[0, 1, 2, 3])?;
        let document: Value = serde_json::from_str(&out).unwrap_or_default();
        Ok(document["allowed"].as_bool())
    }
}

/// Questions about each cluster: its people, its workload, a name without an ARN.
pub(crate) fn questions(estate: &Estate) -> Vec<Question> {
    let mut questions = Vec::new();
    for (index, name) in estate.start.names.iter().enumerate() {
        let of = |what: &str| {
            let named = format!("{what}-{index}");
            let all = &estate.start.principals;
            all.iter()
                .find(|p| p.name == named && p.account == name.account)
                .map(|p| p.arn())
        };
        let mut people: Vec<String> = ["creator", "ops", "dev", "user", "stranger"]
            .into_iter()
            .filter_map(of)
            .collect();
        people.push("system:serviceaccount:ci:agent".to_owned());
        people.push("dave".to_owned());
        for who in people {
            for ask in [&["list", "secrets", "-n", "dev"][..], &["list", "nodes"]] {
                let mut words: Question = ask.iter().map(|w| (*w).to_owned()).collect();
                let place = [
                    "--as",
                    &who,
                    "--cluster",
                    &name.name,
                    "--account",
                    &name.account,
                    "--region",
                    &name.region,
                ];
                words.extend(place.map(str::to_owned));
                questions.push(words);
            }
        }
    }
    questions
}

/// Some of the questions.
pub(crate) fn some<'q>(rng: &mut Rng, questions: &'q [Question], count: usize) -> Vec<&'q Question> {
    (0..count).map(|_| rng.pick(questions)).collect()
}
