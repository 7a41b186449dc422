//! The `ingest` command that a source stands for, as a person would type it.

use std::path::PathBuf;

use super::{Access, From, Hints, Source};

impl Source {
    /// `ingest cloudtrail`: what is read, in two words.
    pub(crate) fn name(&self) -> String {
        let kind = match &self.from {
            From::Files { .. } => "files",
            From::S3 { .. } => "s3",
            From::Cloudtrail { .. } => "cloudtrail",
            From::Cloudwatch { .. } => "cloudwatch",
            From::Snapshot { .. } => "snapshot",
        };
        format!("ingest {kind}")
    }

    /// The words after `eksplain`. An external id is left out: it is half a secret, and commands are logged.
    pub(crate) fn words(&self) -> Vec<String> {
        let mut words = Words(self.name().split(' ').map(str::to_owned).collect());
        match &self.from {
            From::Files { paths, hints } => {
                words.paths(paths);
                words.hints(hints);
            }
            From::S3 {
                uris,
                hints,
                requester_pays,
            } => {
                words.0.extend(uris.iter().cloned());
                words.hints(hints);
                if *requester_pays {
                    words.0.push("--requester-pays".to_owned());
                }
            }
            From::Cloudtrail { event_sources } => words.list("--event-source", event_sources),
            From::Cloudwatch {
                clusters,
                log_groups,
                only,
                via,
                export_to,
            } => {
                words.each("--cluster", clusters);
                words.each("--log-group", log_groups);
                words.one("--only", *only);
                words.one("--via", *via);
                words.one("--export-to", export_to.as_deref());
            }
            From::Snapshot {
                clusters,
                kubectl,
                account,
                region,
            } => {
                words.each("--cluster", clusters);
                let files: Vec<String> = kubectl.iter().map(|path| path.display().to_string()).collect();
                words.each("--kubectl", &files);
                words.one("--account", account.as_deref());
                words.one("--region", region.as_deref());
            }
        }
        words.access(&self.access);
        words.0
    }

    /// The words as a shell takes them.
    pub(crate) fn command(&self) -> String {
        self.words()
            .iter()
            .map(|word| quoted(word))
            .collect::<Vec<_>>()
            .join(" ")
    }
}

/// A word that a shell takes as one, whatever is in it.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

struct Words(Vec<String>);

impl Words {
    fn one(&mut self, option: &str, value: Option<&str>) {
        self.0.extend(value.map(|value| format!("{option}={value}")));
    }

    fn each(&mut self, option: &str, values: &[String]) {
        self.0.extend(values.iter().map(|value| format!("{option}={value}")));
    }

    fn list(&mut self, option: &str, values: &[String]) {
        if !values.is_empty() {
            self.0.push(format!("{option}={}", values.join(",")));
        }
    }

    fn paths(&mut self, paths: &[PathBuf]) {
        self.0.extend(paths.iter().map(|path| path.display().to_string()));
    }

    fn hints(&mut self, hints: &Hints) {
        self.one("--account", hints.account.as_deref());
        self.one("--region", hints.region.as_deref());
        self.one("--cluster", hints.cluster.as_deref());
        self.one("--layout", hints.layout.as_deref());
        self.one("--keep-raw", hints.keep_raw);
    }

    fn access(&mut self, access: &Access) {
        self.one("--profile", access.profile.as_deref());
        self.list("--regions", &access.regions);
        self.list("--accounts", &access.accounts);
        self.one("--assume-role", access.assume_role.as_deref());
        self.one("--since", access.since.as_deref());
        self.one("--until", access.until.as_deref());
        self.one("--max-rate", access.max_rate.map(|rate| rate.to_string()).as_deref());
    }
}
