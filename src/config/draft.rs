//! Writes an `eksplain.toml` with comments: what was answered stands in it, what was not stands behind a `#`.

use std::fmt::Write;

/// What is known of a configuration to be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Draft {
    pub(crate) lake: Option<String>,
    pub(crate) profile: Option<String>,
    pub(crate) regions: Vec<String>,
    pub(crate) accounts: Vec<String>,
    pub(crate) assume_role: Option<String>,
    pub(crate) external_id: Option<String>,
    pub(crate) since: Option<String>,
    pub(crate) clusters: Vec<String>,
    /// `cloudtrail`, `cloudwatch`, `snapshot`, a place in S3, or a path; none means the first three.
    pub(crate) sources: Vec<String>,
    pub(crate) report_to: Option<String>,
    pub(crate) notify: Option<String>,
    pub(crate) fail_on: Vec<String>,
}

/// The sources that AWS's APIs give.
pub(crate) const APIS: &[&str] = &["cloudtrail", "cloudwatch", "snapshot"];

impl Draft {
    /// The file. Whatever was answered, it is TOML; whether it makes sense, [`Config::read`](super::Config::read) says.
    pub(crate) fn toml(&self) -> String {
        let mut out = Out(String::new());
        out.line(
            "# eksplain.toml: the scheduled run of `eksplain run`; `eksplain run --check` shows what it would do.\n\
             # Folders and files are relative to this file. A change here needs nothing else.\n",
        );
        let lake = self.lake.as_deref().unwrap_or("eksplain-lake");
        out.said("lake", &text(lake), "the Parquet files that every run adds to");
        out.one(
            "profile",
            self.profile.as_deref(),
            "audit",
            "of the AWS configuration files",
        );
        out.line("\n# Applies to every [[source]] that does not override it.");
        out.list(
            "regions",
            &self.regions,
            &["us-east-1", "eu-west-1"],
            "or [\"all\"]; default: the profile's region",
        );
        out.list(
            "accounts",
            &self.accounts,
            &["org"],
            "or a list of IDs; default: the caller's account …",
        );
        out.one(
            "assume-role",
            self.assume_role.as_deref(),
            "eksplain-read",
            "… by the role of this name in each",
        );
        out.one(
            "external-id",
            self.external_id.as_deref(),
            "a-secret-of-yours",
            "that the role asks for",
        );
        out.one(
            "since",
            self.since.as_deref(),
            "last",
            "or 30d, or a date; default: 90 days of CloudTrail, 30 of CloudWatch",
        );
        out.list("clusters", &self.clusters, &["prod-*"], "default: every cluster");
        out.line("# max-rate = 1.5                     # requests per second, below the quota");
        self.sources(&mut out);
        out.line("\n[questions]");
        out.line("# clusters = [\"prod-*\"]              # what the report is about; account and region select too");
        out.line(
            "# scope = \"all\"                      # refused calls to every AWS service, not only those about access",
        );
        out.list(
            "fail-on",
            &self.fail_on,
            &["new-admin", "recovery-needed", "critical"],
            "exit 1: changes since the last report, findings",
        );
        out.line("\n[report]");
        let to = self.report_to.as_deref().unwrap_or("eksplain-report");
        out.said(
            "to",
            &text(to),
            "reports/date=…/ and latest/; a folder or s3://BUCKET/PREFIX",
        );
        out.line("# forms = [\"html\", \"json\"]           # also csv, md, parquet; default: all");
        out.line("# kms-key = \"alias/reports\"          # for S3; default: as the bucket encrypts");
        let notify = if self.notify.is_some() { "" } else { "# " };
        out.line(&format!("\n{notify}[notify]"));
        out.one(
            "to",
            self.notify.as_deref(),
            "arn:aws:sns:us-east-1:111122223333:eks-access",
            "a topic, a file, or - for standard output",
        );
        out.entry(
            notify,
            "when",
            &text("changes"),
            "or always, or findings (what fail-on names); failures always",
        );
        out.0
    }

    fn sources(&self, out: &mut Out) {
        let is_api = |source: &str| APIS.contains(&source);
        let wants = |api: &str| self.sources.is_empty() || self.sources.iter().any(|source| source == api);
        if wants("cloudtrail") {
            out.source(
                "cloudtrail",
                "90 days of management events: who created and deleted what",
            );
            out.line("# event-sources = [\"eks\", \"iam\", \"sts\"]");
        }
        if wants("cloudwatch") {
            out.source("cloudwatch", "authenticator and audit logs of the clusters");
            out.line("# only = \"identity\"                  # only logins, denials, changes to RBAC and aws-auth");
            out.line(
                "# via = \"insights\"                   # or filter, or export with export-to = \"s3://BUCKET/PREFIX\"",
            );
        }
        if wants("snapshot") {
            out.source("snapshot", "clusters, access entries, IAM principals as they are now");
        }
        let places: Vec<&String> = self.sources.iter().filter(|source| !is_api(source)).collect();
        for uri in places.iter().filter(|source| source.contains("://")) {
            out.source("s3", "a trail's bucket, exports, Firehose deliveries");
            out.said("uris", &list(&[uri]), "");
        }
        for path in places.iter().filter(|source| !source.contains("://")) {
            out.source("files", "");
            out.said("paths", &list(&[path]), "");
            out.line("# layout = \"{account}/{region}/{cluster}/{stream}/*\"");
        }
        if !places.iter().any(|source| source.contains("://")) {
            out.line("\n# [[source]]\n# from = \"s3\"                        # what is older than CloudTrail's 90 days: a trail's bucket\n# uris = [\"s3://my-trail/AWSLogs\"]\n# since = \"365d\"");
        }
        if places.iter().all(|source| source.contains("://")) {
            out.line("\n# [[source]]\n# from = \"files\"\n# paths = [\"logs\"]\n# layout = \"{account}/{region}/{cluster}/{stream}/*\"");
        }
    }
}

struct Out(String);

impl Out {
    fn line(&mut self, line: &str) {
        self.0.push_str(line);
        self.0.push('\n');
    }

    /// A key that was answered, with its comment in a column of its own.
    fn said(&mut self, key: &str, value: &str, comment: &str) {
        self.entry("", key, value, comment);
    }

    fn one(&mut self, key: &str, value: Option<&str>, example: &str, comment: &str) {
        let mark = if value.is_some() { "" } else { "# " };
        self.entry(mark, key, &text(value.unwrap_or(example)), comment);
    }

    fn list(&mut self, key: &str, values: &[String], example: &[&str], comment: &str) {
        if values.is_empty() {
            self.entry("# ", key, &list(example), comment);
        } else {
            self.entry("", key, &list(values), comment);
        }
    }

    fn source(&mut self, from: &str, comment: &str) {
        self.line("\n[[source]]");
        self.entry("", "from", &text(from), comment);
    }

    fn entry(&mut self, mark: &str, key: &str, value: &str, comment: &str) {
        let entry = format!("{mark}{key} = {value}");
        if comment.is_empty() {
            self.line(&entry);
        } else {
            self.line(&format!("{entry:<36} # {comment}"));
        }
    }
}

fn list(texts: &[impl AsRef<str>]) -> String {
    let texts: Vec<String> = texts.iter().map(|item| text(item.as_ref())).collect();
    format!("[{}]", texts.join(", "))
}

/// A basic string of TOML: whatever is in it stays in it.
fn text(content: &str) -> String {
    let mut quoted = String::from('"');
    for c in content.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::{Config, Recipient, Target};
    use super::*;
    use crate::error::Pointer;

    fn read(text: &str) -> Config {
        let told = |faults: Vec<Pointer>| faults.iter().map(|fault| fault.show("t", text)).collect::<String>();
        Config::read(text, Path::new(""), 0).unwrap_or_else(|faults| panic!("{text}\n{}", told(faults)))
    }

    #[test]
    fn the_example_is_a_pass_and_so_is_what_stands_behind_its_comments() {
        let example = Draft::default().toml();
        let config = read(&example);
        assert_eq!(config.sources.len(), 3);
        assert_eq!(config.warnings, []);
        let is_code = |code: &str| {
            code.starts_with('[')
                || code
                    .split_once(" = ")
                    .is_some_and(|(key, _)| key.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'))
        };
        let all: String = example
            .lines()
            .map(|line| match line.strip_prefix("# ") {
                Some(code) if is_code(code) => format!("{code}\n"),
                _ => format!("{line}\n"),
            })
            .collect();
        let all = all
            .replace("to = \"eksplain-report\"", "to = \"s3://reports\"")
            .replace("via = \"insights\"", "via = \"filter\"");
        let config = read(&all);
        assert_eq!(config.sources.len(), 5);
        assert_eq!(config.questions.fail_on, ["new-admin", "recovery-needed", "critical"]);
        assert!(matches!(config.notify.unwrap().to, Recipient::Topic(_)));
    }

    #[test]
    fn comments_stand_in_one_column() {
        let told = Draft {
            notify: Some("-".to_owned()),
            ..Draft::default()
        };
        for toml in [Draft::default().toml(), told.toml()] {
            let entries = toml.lines().filter_map(|line| line.rsplit_once(" # "));
            for (entry, comment) in entries.filter(|(entry, _)| entry.contains(" = ")) {
                let length = entry.trim_end().len();
                assert_eq!(entry.len(), length.max(36), "{entry} # {comment}");
            }
        }
    }

    #[test]
    fn whatever_is_answered_comes_back() {
        let hostile = "a\"]\n[report]\nto='x' # \\u0041\t\u{7}\u{85}é";
        let draft = Draft {
            lake: Some(hostile.to_owned()),
            profile: Some(hostile.to_owned()),
            sources: vec![
                hostile.to_owned(),
                "s3://trail/a\"b".to_owned(),
                "cloudtrail".to_owned(),
            ],
            report_to: Some(hostile.to_owned()),
            notify: Some(hostile.to_owned()),
            regions: vec!["us-east-1".to_owned()],
            ..Draft::default()
        };
        let config = read(&draft.toml());
        assert_eq!(config.lake.unwrap(), Path::new(hostile));
        assert_eq!(config.profile.as_deref(), Some(hostile));
        assert_eq!(config.report.unwrap().to, Target::Folder(hostile.into()));
        assert_eq!(config.notify.unwrap().to, Recipient::File(hostile.into()));
        let names: Vec<_> = config.sources.iter().map(super::super::Source::name).collect();
        assert_eq!(names, ["ingest cloudtrail", "ingest s3", "ingest files"]);
    }
}
