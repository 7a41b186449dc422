//! Looks at present state beside logs: over whole logs they change no answer but fill what logs never hold; with logs that begin late, or
//! none, what is said is true of the company, and what a look shows is said.
//!
//! `EKSPLAIN_LOOKS_SEEDS=100 cargo test --test looks` tries more companies.
#![allow(clippy::unwrap_used, clippy::type_complexity, reason = "a test may fail loudly")]

#[path = "estate/mod.rs"]
#[allow(
    dead_code,
    clippy::nonminimal_bool,
    clippy::type_complexity,
    clippy::too_many_arguments,
    clippy::unnecessary_get_then_check,
    reason = "the generator serves several tests"
)]
mod estate;

use std::path::Path;
use std::process::Command;

use estate::compare::{compare_admins, compare_creators, compare_denials};
use estate::look::{Parts, look, shown_creations};
use estate::partial::Known;
use estate::plan::{Estate, WINDOW_START};
use estate::rng::Rng;
use estate::truth;
use estate::world::{Ask, Op, Time, World};
use serde_json::Value;

const PACE: Time = 4;
const CLUSTERS: usize = 4;

/// A lake in a folder of its own.
struct Lake(tempfile::TempDir);

impl Lake {
    fn new() -> Self {
        Lake(tempfile::tempdir().unwrap())
    }

    fn run(&self, arguments: &[&str], expected: &[i32]) -> String {
        let binary = std::env::var("EKSPLAIN_BIN").unwrap_or(env!("CARGO_BIN_EXE_eksplain").to_owned());
        let lake = self.0.path().join("lake");
        let out = Command::new(binary)
            .arg("--lake")
            .arg(lake)
            .args(arguments)
            .output()
            .unwrap();
        let code = out.status.code().unwrap_or(-1);
        let errors = String::from_utf8_lossy(&out.stderr);
        assert!(
            expected.contains(&code),
            "{} gave {code}: {errors}",
            arguments.join(" ")
        );
        String::from_utf8_lossy(&out.stdout).into_owned()
    }

    /// Ingests files that lie below `folder/`.
    fn ingest(&self, files: estate::logs::Files, folder: &str, more: &[&str]) {
        let name = format!("in-{}", std::fs::read_dir(self.0.path()).unwrap().count());
        let root = self.0.path().join(name);
        for (path, bytes) in files.iter().filter(|(path, _)| Path::new(path).starts_with(folder)) {
            let path = root.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        let root = root.join(folder);
        if root.exists() {
            self.run(&[&["ingest", "files", root.to_str().unwrap()], more].concat(), &[0]);
        }
    }

    fn logs(&self, estate: &Estate, seed: u64, from: Time) {
        let mut logs = estate::logs::record(&estate.start, &estate.plan, WINDOW_START, seed);
        logs.hum(&estate.plan, WINDOW_START, estate.plan.last().unwrap().0 + 60, seed);
        logs.trail
            .values_mut()
            .for_each(|records| records.retain(|r| r.at_ms >= from * 1000));
        logs.streams
            .values_mut()
            .for_each(|lines| lines.retain(|r| r.at_ms >= from * 1000));
        let files = logs.files();
        self.ingest(files.clone(), "trail", &[]);
        self.ingest(files, "eks", &["--layout", "{account}/{region}/{cluster}/{stream}/*"]);
    }

    fn look(&self, world: &World, at: Time, parts: Parts) {
        let at = estate::logs::iso(at);
        let layout = ["--layout", "{account}/{region}/{cluster}/*", "--taken-at", &at];
        self.ingest(look(world, parts), "look", &layout);
    }

    fn report(&self, at: Time) -> Value {
        let at = estate::logs::iso(at);
        serde_json::from_str(&self.run(&["report", "-o", "json", "-q", "--at", &at], &[0])).unwrap()
    }

    fn can_i(&self, estate: &Estate, cluster: usize, by: usize, ask: &Ask, at: Time) -> Option<bool> {
        let (n, arn, at) = (
            &estate.start.names[cluster],
            estate.start.principals[by].arn(),
            estate::logs::iso(at),
        );
        let mut words = vec!["can-i", "-o", "json", "--at", &at, ask.verb, ask.resource, "--as", &arn];
        words.extend(["--cluster", &n.name, "--account", &n.account, "--region", &n.region]);
        words.extend(ask.namespace.iter().flat_map(|namespace| ["-n", namespace]));
        let out = self.run(&words, &[0, 1, 2, 3]);
        serde_json::from_str::<Value>(&out).unwrap_or_default()["allowed"].as_bool()
    }
}

fn seeds() -> std::ops::Range<u64> {
    let number = |variable: &str| std::env::var(variable).ok().and_then(|s| s.parse().ok());
    let first: u64 = number("EKSPLAIN_LOOKS_FIRST_SEED").unwrap_or(1);
    first..first + number("EKSPLAIN_LOOKS_SEEDS").unwrap_or(4)
}

fn last(estate: &Estate) -> Time {
    estate.plan.last().unwrap().0 + 30
}

#[test]
fn looks_beside_whole_logs_change_no_answer() {
    let mut wrong = Vec::new();
    for seed in seeds() {
        let mut estate = estate::plan::estate(seed, CLUSTERS).faster(PACE);
        let at = last(&estate);
        let middle = estate.plan[estate.plan.len() / 2].0 + 20;
        let all = [WINDOW_START + 60, middle, at - 10];
        let looks = match seed % 4 {
            1 => &all[..1],
            2 => &all[1..2],
            3 => &all[2..],
            _ => &all[..],
        };
        let lake = Lake::new();
        lake.logs(&estate, seed, WINDOW_START);
        for when in looks {
            lake.look(&World::replay(&estate.start, &estate.plan, *when), *when, Parts::ALL);
        }
        estate.start.looks = looks.to_vec();
        estate.start.looked_at = shown_creations(&estate.plan, looks);
        let world = World::replay(&estate.start, &estate.plan, at);
        let report = lake.report(at);
        let list = |name: &str| report[name].as_array().unwrap().clone();
        let mut here = compare_admins(&truth::admins(&world, WINDOW_START), &list("admins"));
        here.extend(compare_creators(
            &truth::creators(&world, WINDOW_START),
            &list("creators"),
        ));
        let denials = truth::denials(&estate.start, &estate.plan, WINDOW_START, at);
        here.extend(compare_denials(&denials, &list("denials")));
        wrong.extend(
            here.into_iter()
                .map(|line| format!("seed {seed}, {} looks: {line}", looks.len())),
        );
    }
    assert!(
        wrong.is_empty(),
        "{} statements are wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn a_look_with_late_logs_or_none_says_what_is_true() {
    let mut wrong = Vec::new();
    for seed in seeds() {
        let mut estate = estate::plan::estate(seed, CLUSTERS).faster(PACE);
        let creations = estate
            .plan
            .iter()
            .filter(|(_, op)| matches!(op, Op::CreateAwsAuth { .. }));
        // The truth here is the world's, not that of a reader of whole logs.
        estate.start.looked_at = creations.map(|(at, _)| *at).collect();
        let mut rng = Rng::new(seed ^ 0x6C6F_6F6B);
        let end = last(&estate);
        let some = |rng: &mut Rng| estate.plan[rng.below(estate.plan.len())].0 + 20;
        let taken = some(&mut rng).max(WINDOW_START + 3600);
        // No logs; logs that begin before the look; logs that begin after it.
        let (from, at, is_whole, what) = match seed % 3 {
            0 => (None, taken + 10, true, "a look alone"),
            1 => (
                Some(WINDOW_START.max(taken - 86_400)),
                end.max(taken + 10),
                true,
                "logs from a day before the look",
            ),
            _ => (
                Some(taken + 86_400),
                end.max(taken + 10),
                false,
                "logs from a day after the look",
            ),
        };
        let parts = match rng.below(4) {
            0 => Parts {
                kubectl: false,
                ..Parts::ALL
            },
            1 => Parts {
                eks: false,
                ..Parts::ALL
            },
            _ => Parts::ALL,
        };
        let lake = Lake::new();
        if let Some(from) = from {
            lake.logs(&estate, seed, from);
        }
        lake.look(&World::replay(&estate.start, &estate.plan, taken), taken, parts);
        let world = World::replay(&estate.start, &estate.plan, at);
        let known = Known {
            world: &world,
            is_whole: is_whole && parts == Parts::ALL,
        };
        let mut here = known.judge(&lake.report(at));
        for cluster in 0..CLUSTERS {
            let by = rng.below(estate.start.principals.len());
            let ask = Ask {
                verb: "list",
                api_group: "",
                resource: "secrets",
                namespace: Some("dev"),
            };
            let said = lake.can_i(&estate, cluster, by, &ask, at);
            here.extend(known.can_i(cluster, by, &ask, said));
        }
        let title = format!(
            "seed {seed}, {what} of {}, {parts:?}, asked at {}",
            estate::logs::iso(taken),
            estate::logs::iso(at)
        );
        wrong.extend(here.into_iter().map(|line| format!("{title}: {line}")));
    }
    assert!(
        wrong.is_empty(),
        "{} statements are wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
