//! From the text to the pass: what each key means, and what holds where it is absent.

use std::path::{Path, PathBuf};

use toml::de::DeTable;

use super::shape;
use super::take::{Found, Section};
use super::words::{fail_on, is_finding_word, nearest};
use super::{Access, Config, Dash, From, Hints, Notify, Questions, Recipient, Report, Scope, Source, Target, When};
use crate::diff;
use crate::error::Pointer;
use crate::settings::{DayEnd, Micros};

const TOP: &[&str] = &[
    "lake",
    "profile",
    "regions",
    "accounts",
    "assume-role",
    "external-id",
    "since",
    "until",
    "clusters",
    "max-rate",
    "source",
    "questions",
    "report",
    "notify",
];
const KINDS: &[&str] = &["files", "s3", "cloudtrail", "cloudwatch", "snapshot"];
const QUESTIONS: &[&str] = &["clusters", "account", "region", "scope", "fail-on"];
const REPORT: &[&str] = &["to", "forms", "sse", "kms-key"];
const NOTIFY: &[&str] = &["to", "when"];
const FORMS: &[&str] = &["html", "json", "csv", "md", "parquet"];
const KEEP: &[&str] = &["all", "evidence", "none"];

/// Keys of an AWS source, but for those of its window.
const ENTER: &[&str] = &[
    "profile",
    "regions",
    "accounts",
    "assume-role",
    "external-id",
    "max-rate",
];
const WINDOW: &[&str] = &["since", "until"];
const HINTS: &[&str] = &["account", "region", "cluster", "layout", "keep-raw"];

/// Keys of each kind of source, with `from`.
fn keys_of(kind: &str) -> Vec<&'static str> {
    let parts: &[&[&str]] = match kind {
        "files" => &[&["from", "paths"], HINTS],
        "s3" => &[&["from", "uris", "requester-pays"], HINTS, ENTER, WINDOW],
        "cloudtrail" => &[&["from", "event-sources"], ENTER, WINDOW],
        "cloudwatch" => &[
            &["from", "clusters", "log-groups", "only", "via", "export-to"],
            ENTER,
            WINDOW,
        ],
        _ => &[&["from", "clusters", "kubectl", "account", "region"], ENTER],
    };
    parts.concat()
}

/// What stands at the top and holds for each source.
struct Defaults<'a, 't> {
    section: Section<'a, 't>,
    access: Access,
    clusters: Vec<String>,
}

struct Reader<'f> {
    folder: &'f Path,
    now: Micros,
    found: Found,
}

pub(super) fn config(text: &str, folder: &Path, now: Micros) -> Result<Config, Vec<Pointer>> {
    let (document, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        let mut found = Found::default();
        for error in &errors {
            let at = error.span().unwrap_or(text.len()..text.len());
            found.fault(at, format!("this is no TOML: {}", error.message()), "");
        }
        return Err(in_order(found));
    }
    let mut reader = Reader {
        folder,
        now,
        found: Found::default(),
    };
    let config = reader.config(Section::new("the top", document.get_ref(), 0..0));
    let found = in_order(reader.found);
    if found.iter().all(Pointer::is_warning) {
        return Ok(Config {
            warnings: found,
            ..config
        });
    }
    Err(found)
}

fn in_order(mut found: Found) -> Vec<Pointer> {
    found.0.sort_by_key(Pointer::start);
    found.0
}

impl Reader<'_> {
    fn config(&mut self, top: Section<'_, '_>) -> Config {
        top.keys(&mut self.found, TOP, belongs);
        let lake = top.text(&mut self.found, "lake", &|text| match text {
            "" => Err("name a folder".to_owned()),
            _ if text.starts_with("s3://") => {
                Err("the lake is a folder: mount a volume for it, and let [report] go to S3".to_owned())
            }
            _ => Ok(()),
        });
        let defaults = Defaults {
            section: top,
            access: self.access(top, &[ENTER, WINDOW].concat()),
            clusters: top.texts(&mut self.found, "clusters", &shape::glob),
        };
        let sources = top.tables(&mut self.found, "source", "[[source]]");
        if sources.is_empty() && !top.has("source") {
            self.found.warn(
                0..0,
                "there is no [[source]]: nothing new is read",
                "eksplain init shows what there is",
            );
        }
        let sources = sources
            .into_iter()
            .filter_map(|section| self.source(section, &defaults))
            .collect();
        let questions = top
            .table(&mut self.found, "questions", "[questions]")
            .map(|section| self.questions(section));
        let report = top
            .table(&mut self.found, "report", "[report]")
            .and_then(|section| self.report(section));
        let notify = top
            .table(&mut self.found, "notify", "[notify]")
            .and_then(|section| self.notify(section));
        self.comparable(top, questions.as_ref(), report.as_ref(), notify.as_ref());
        Config {
            lake: lake.map(|path| self.path(&path)),
            profile: defaults.access.profile,
            sources,
            questions: questions.unwrap_or_default(),
            report,
            notify,
            warnings: Vec::new(),
        }
    }

    /// Changes can only be found where the last report is there to be read: an alarm that can never ring is a fault.
    fn comparable(
        &mut self,
        top: Section<'_, '_>,
        questions: Option<&Questions>,
        report: Option<&Report>,
        notify: Option<&Notify>,
    ) {
        let is_kept = report.is_some_and(|report| report.forms.is_empty() || report.forms.contains(&"json"));
        if is_kept || (report.is_none() && top.has("report")) {
            return;
        }
        let (why, advice) = match report {
            None => ("there is no [report] to compare with", "add one"),
            Some(_) => (
                "the last report cannot be read without its JSON",
                "add \"json\" to the forms of [report]",
            ),
        };
        let waits = questions.is_some_and(|questions| {
            questions
                .fail_on
                .iter()
                .any(|word| diff::KINDS.contains(&word.as_str()))
        });
        if waits && let Some(section) = top.table(&mut self.found, "questions", "[questions]") {
            self.found
                .fault(section.at("fail-on"), format!("changes cannot be found: {why}"), advice);
        }
        if notify.is_some_and(|notify| notify.when == When::Changes)
            && let Some(section) = top.table(&mut self.found, "notify", "[notify]")
        {
            self.found
                .fault(section.at("when"), format!("changes cannot be told: {why}"), advice);
        }
    }

    /// The access keys among `keys`.
    fn access(&mut self, section: Section<'_, '_>, keys: &[&str]) -> Access {
        let now = self.now;
        let found = &mut self.found;
        let has = |key: &str| keys.contains(&key);
        let one = |found: &mut Found, key: &str, shape: super::take::Shape<'_>| {
            has(key).then(|| section.text(found, key, shape)).flatten()
        };
        let access = Access {
            profile: one(found, "profile", &not_empty),
            regions: section.texts(found, "regions", &|text| {
                if text == "all" { Ok(()) } else { shape::region(text) }
            }),
            accounts: if has("accounts") {
                section.texts(found, "accounts", &|text| {
                    if text == "org" { Ok(()) } else { shape::account(text) }
                })
            } else {
                Vec::new()
            },
            assume_role: one(found, "assume-role", &shape::role),
            external_id: one(found, "external-id", &shape::external_id),
            since: one(found, "since", &|text| shape::window(text, now)),
            until: one(found, "until", &|text| shape::moment(text, now, DayEnd::Last).map(drop)),
            max_rate: has("max-rate").then(|| section.rate(found, "max-rate")).flatten(),
        };
        for (key, all) in [("regions", "all"), ("accounts", "org")] {
            let places = section.places(key);
            if places.len() > 1
                && let Some((_, at)) = places.iter().find(|(text, _)| text == all)
            {
                found.fault(
                    at.clone(),
                    format!("`{all}` stands alone"),
                    format!("write {key} = [\"{all}\"], or a list without it"),
                );
            }
        }
        for (region, at) in section.places("regions") {
            if region != "all"
                && shape::region(&region).is_ok()
                && let Some(advice) = shape::unknown_region(&region)
            {
                found.warn(at, format!("eksplain does not know the region `{region}`"), advice);
            }
        }
        access
    }

    fn source(&mut self, section: Section<'_, '_>, defaults: &Defaults<'_, '_>) -> Option<Source> {
        if !section.has("from") {
            let advice = format!("write from = \"…\": {}", KINDS.join(", "));
            self.found
                .fault(section.at("from"), "this source does not say where `from`", advice);
            return None;
        }
        let kind = section.word(&mut self.found, "from", KINDS)?;
        let keys = keys_of(kind);
        section.keys(&mut self.found, &keys, |key| elsewhere(kind, key));
        let access = if kind == "files" {
            Access::default()
        } else {
            let own = self.access(section, &keys);
            self.inherited(kind, section, own, defaults)
        };
        let found = &mut self.found;
        let clusters = |found: &mut Found| {
            if section.has("clusters") {
                section.texts(found, "clusters", &shape::glob)
            } else {
                defaults.clusters.clone()
            }
        };
        let from = match kind {
            "files" => {
                let paths = self.required(section, "paths", "the files and folders to read", &not_empty);
                self.existing(section, "paths");
                From::Files {
                    paths: paths.iter().map(|path| self.path(path)).collect(),
                    hints: self.hints(section),
                }
            }
            "s3" => From::S3 {
                uris: self.required(section, "uris", "the buckets and prefixes to read", &shape::place),
                hints: self.hints(section),
                requester_pays: section.flag(&mut self.found, "requester-pays"),
            },
            "cloudtrail" => From::Cloudtrail {
                event_sources: section.texts(found, "event-sources", &shape::event_source),
            },
            "cloudwatch" => {
                let via = section.word(found, "via", &["auto", "filter", "insights", "export"]);
                let export_to = section.text(found, "export-to", &shape::place);
                if via == Some("export") && !section.has("export-to") {
                    found.fault(
                        section.at("via"),
                        "an export needs a bucket",
                        "add export-to = \"s3://BUCKET/PREFIX\", one that logs.amazonaws.com may write to",
                    );
                }
                From::Cloudwatch {
                    clusters: clusters(found),
                    log_groups: section.texts(found, "log-groups", &shape::log_group),
                    only: section.word(found, "only", &["authenticator", "audit", "identity"]),
                    via,
                    export_to,
                }
            }
            _ => {
                let kubectl = section.texts(found, "kubectl", &not_empty);
                let clusters = clusters(found);
                let is_one = clusters.len() == 1 && !clusters[0].contains(['*', '?']);
                if !kubectl.is_empty() && !is_one {
                    found.fault(
                        section.at("kubectl"),
                        "kubectl's files show one cluster",
                        "name just that one: clusters = [\"…\"]",
                    );
                }
                self.existing(section, "kubectl");
                From::Snapshot {
                    clusters,
                    kubectl: kubectl.iter().map(|path| self.path(path)).collect(),
                    account: section.text(&mut self.found, "account", &shape::account),
                    region: section.text(&mut self.found, "region", &shape::region),
                }
            }
        };
        Some(Source { from, access })
    }

    /// A source's access, with what stands at the top where it says nothing itself.
    fn inherited(&mut self, kind: &str, section: Section<'_, '_>, own: Access, defaults: &Defaults<'_, '_>) -> Access {
        let top = &defaults.access;
        // A bucket is read as the caller unless its source says otherwise: a role in every account is not meant for it.
        let is_bucket = kind == "s3";
        let has_window = kind != "snapshot";
        let or = |own: Option<String>, top: &Option<String>, inherits: bool| {
            own.or_else(|| top.clone().filter(|_| inherits))
        };
        let list = |key: &str, own: Vec<String>, top: &[String], inherits: bool| {
            if section.has(key) || !inherits {
                own
            } else {
                top.to_vec()
            }
        };
        let access = Access {
            profile: or(own.profile, &top.profile, true),
            regions: list("regions", own.regions, &top.regions, true),
            accounts: list("accounts", own.accounts, &top.accounts, !is_bucket),
            assume_role: or(own.assume_role, &top.assume_role, !is_bucket),
            external_id: or(own.external_id, &top.external_id, !is_bucket),
            since: or(own.since, &top.since, has_window),
            until: or(own.until, &top.until, has_window),
            max_rate: own.max_rate.or(top.max_rate),
        };
        let place = |key: &str| {
            if section.has(key) {
                section.at(key)
            } else {
                defaults.section.at(key)
            }
        };
        let found = &mut self.found;
        let says_role = section.has("assume-role") || (!is_bucket && defaults.section.has("assume-role"));
        let is_many = access.accounts.len() > 1 || access.accounts.iter().any(|id| id == "org");
        if !says_role && is_many {
            found.fault(
                place("accounts"),
                "there is no role to enter these accounts",
                "add assume-role = \"NAME\", the role of that name in each",
            );
        }
        if !says_role && access.external_id.is_some() {
            found.fault(
                place("external-id"),
                "an external id belongs to a role",
                "add assume-role = \"NAME\"",
            );
        }
        if is_bucket && access.accounts.len() > 1 {
            found.fault(
                place("accounts"),
                "a bucket is read as one account",
                "name the one whose role may read it",
            );
        }
        let now = self.now;
        let from = access.since.as_deref().filter(|text| *text != "last");
        let from = from.and_then(|text| shape::moment(text, now, DayEnd::First).ok());
        let to = access
            .until
            .as_deref()
            .and_then(|text| shape::moment(text, now, DayEnd::Last).ok());
        if let (Some(from), Some(to)) = (from, to)
            && from > to
        {
            found.fault(
                place("until"),
                "`until` is earlier than `since`",
                "give a window that begins before it ends",
            );
        }
        access
    }

    fn hints(&mut self, section: Section<'_, '_>) -> Hints {
        let found = &mut self.found;
        Hints {
            account: section.text(found, "account", &shape::account),
            region: section.text(found, "region", &shape::region),
            cluster: section.text(found, "cluster", &not_empty),
            layout: section.text(found, "layout", &shape::layout),
            keep_raw: section.word(found, "keep-raw", KEEP),
        }
    }

    fn questions(&mut self, section: Section<'_, '_>) -> Questions {
        let found = &mut self.found;
        section.keys(found, QUESTIONS, belongs);
        let is_known = |text: &str| {
            if is_finding_word(text) || fail_on().any(|word| word == text) {
                return Ok(());
            }
            Err(match nearest(text, fail_on()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "name a change (new-admin), a word of a finding (recovery-needed, critical, unproven), a reason (authn.not-mapped) or a rule".to_owned(),
            })
        };
        Questions {
            clusters: section.texts(found, "clusters", &shape::glob),
            account: section.text(found, "account", &shape::account),
            region: section.text(found, "region", &shape::region),
            scope: match section.word(found, "scope", &["access", "all"]) {
                Some("all") => Scope::All,
                _ => Scope::Access,
            },
            fail_on: section.texts(found, "fail-on", &is_known),
        }
    }

    fn report(&mut self, section: Section<'_, '_>) -> Option<Report> {
        let found = &mut self.found;
        section.keys(found, REPORT, belongs);
        if !section.has("to") {
            found.fault(
                section.at("to"),
                "the report goes nowhere",
                "add to = \"FOLDER\" or to = \"s3://BUCKET/PREFIX\"",
            );
        }
        let to = section.text(found, "to", &|text| match text {
            "" => Err("name a folder, or s3://BUCKET/PREFIX".to_owned()),
            _ if text.contains("://") => shape::place(text),
            _ => Ok(()),
        });
        let forms = section.words(found, "forms", FORMS);
        let sse = section.word(found, "sse", &["bucket", "s3", "kms"]);
        let kms_key = section.text(found, "kms-key", &shape::kms_key);
        if sse.is_some_and(|sse| sse != "kms") && section.has("kms-key") {
            found.fault(section.at("sse"), "only kms takes a key", "leave out sse or kms-key");
        }
        if sse == Some("kms") && !section.has("kms-key") {
            found.fault(section.at("sse"), "no key of KMS is named", "add kms-key = \"alias/…\"");
        }
        let to = to?;
        let target = if to.starts_with("s3://") {
            Target::S3(to)
        } else {
            for key in ["sse", "kms-key"] {
                if section.has(key) {
                    self.found.fault(
                        section.at(key),
                        format!("`{key}` is for S3, and the report goes into a folder"),
                        "leave it out",
                    );
                }
            }
            Target::Folder(self.path(&to))
        };
        Some(Report {
            to: target,
            forms,
            sse: sse.or(kms_key.is_some().then_some("kms")),
            kms_key,
        })
    }

    fn notify(&mut self, section: Section<'_, '_>) -> Option<Notify> {
        let found = &mut self.found;
        section.keys(found, NOTIFY, belongs);
        if !section.has("to") {
            found.fault(
                section.at("to"),
                "nobody is told",
                "add to = \"-\", a file, or the ARN of a topic of SNS",
            );
        }
        let to = section.text(found, "to", &|text| match text {
            "" => Err("write -, a file, or the ARN of a topic of SNS".to_owned()),
            _ if text.starts_with("arn:") => shape::topic(text),
            _ => Ok(()),
        });
        let when = section.word(found, "when", &["always", "changes", "findings"]);
        let to = to?;
        Some(Notify {
            to: match to.as_str() {
                "-" => Recipient::Output(Dash::Dash),
                _ if to.starts_with("arn:") => Recipient::Topic(to),
                _ => Recipient::File(self.path(&to)),
            },
            when: match when {
                Some("always") => When::Always,
                Some("findings") => When::Findings,
                _ => When::Changes,
            },
        })
    }

    /// A list that must not be empty.
    fn required(
        &mut self,
        section: Section<'_, '_>,
        key: &str,
        what: &str,
        shape: super::take::Shape<'_>,
    ) -> Vec<String> {
        let texts = section.texts(&mut self.found, key, shape);
        if texts.is_empty() && section.places(key).is_empty() && !section.has(key) {
            self.found.fault(
                section.at(key),
                format!("this source does not name {what}"),
                format!("add {key} = [\"…\"]"),
            );
        } else if texts.is_empty() && section.places(key).is_empty() {
            self.found
                .fault(section.at(key), format!("`{key}` is empty"), format!("name {what}"));
        }
        texts
    }

    /// Warns of paths that are not there: they may be by the time of the pass.
    fn existing(&mut self, section: Section<'_, '_>, key: &str) {
        for (path, at) in section.places(key) {
            let whole = self.path(&path);
            if path != "-" && !path.is_empty() && !whole.exists() {
                self.found.warn(
                    at,
                    format!("{} does not exist now", whole.display()),
                    "a pass without it fails in this source, and does the others",
                );
            }
        }
    }

    fn path(&self, path: &str) -> PathBuf {
        if path == "-" {
            PathBuf::from(path)
        } else {
            self.folder.join(path)
        }
    }
}

fn not_empty(text: &str) -> Result<(), String> {
    if text.is_empty() {
        Err("write something, or leave the key out".to_owned())
    } else {
        Ok(())
    }
}

/// Where a key belongs that stands in the wrong table.
fn belongs(key: &str) -> Option<String> {
    let homes = [("[questions]", QUESTIONS), ("[report]", REPORT), ("[notify]", NOTIFY)];
    let only_top = ["lake", "source"];
    if only_top.contains(&key) {
        return Some("it stands at the top, before every [table]".to_owned());
    }
    if key == "to" {
        return Some("[report] and [notify] have one".to_owned());
    }
    let home = homes.iter().find(|(_, keys)| keys.contains(&key));
    home.map(|(name, _)| format!("it belongs to {name}")).or_else(|| {
        let kinds: Vec<_> = KINDS.iter().filter(|kind| keys_of(kind).contains(&key)).collect();
        (!kinds.is_empty()).then(|| format!("it belongs to a [[source]] from {}", join(&kinds)))
    })
}

/// Where a key belongs that this kind of source does not have.
fn elsewhere(kind: &str, key: &str) -> Option<String> {
    if kind == "files" && (ENTER.contains(&key) || WINDOW.contains(&key)) {
        return Some("files are read whole and without AWS: leave it out".to_owned());
    }
    if kind == "snapshot" && WINDOW.contains(&key) {
        return Some("a snapshot shows the present: leave it out".to_owned());
    }
    let others: Vec<_> = KINDS
        .iter()
        .filter(|other| **other != kind && keys_of(other).contains(&key))
        .collect();
    (!others.is_empty()).then(|| format!("it belongs to a source from {}; this one is from {kind}", join(&others)))
}

fn join(words: &[&&str]) -> String {
    words
        .iter()
        .map(|word| format!("\"{word}\""))
        .collect::<Vec<_>>()
        .join(" or ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Config, Vec<Pointer>> {
        config(text, Path::new("/etc/eks"), 1_795_520_000_000_000)
    }

    /// Each fault as the text it points at, what is said, and the advice.
    fn faults(text: &str) -> Vec<(String, String, String)> {
        let told = |pointer: &Pointer| {
            (
                text[pointer.range()].to_owned(),
                pointer.what().to_owned(),
                pointer.advice().unwrap_or_default().to_owned(),
            )
        };
        let found = read(text).err().unwrap_or_default();
        found.iter().filter(|pointer| !pointer.is_warning()).map(told).collect()
    }

    #[test]
    fn what_stands_at_the_top_holds_for_each_source() {
        let config = read(
            "lake = \"lake\"\nregions = [\"us-east-1\"]\naccounts = [\"org\"]\nassume-role = \"r\"\nsince = 2026-11-23\nclusters = \"prod-*\"\n\
             [[source]]\nfrom = \"cloudwatch\"\n[[source]]\nfrom = \"snapshot\"\nregions = [\"eu-west-1\"]\nclusters = []\n\
             [[source]]\nfrom = \"s3\"\nuris = [\"s3://trail/AWSLogs\"]\n[[source]]\nfrom = \"files\"\npaths = [\"logs\", \"/var/log/x\"]\n",
        )
        .unwrap();
        assert_eq!(config.lake, Some("/etc/eks/lake".into()));
        let [watch, snapshot, s3, files] = config.sources.as_slice() else {
            panic!("{config:?}")
        };
        assert_eq!(watch.access.accounts, ["org"]);
        assert_eq!(watch.access.since.as_deref(), Some("2026-11-23"));
        assert!(matches!(&watch.from, From::Cloudwatch { clusters, .. } if clusters == &["prod-*"]));
        assert_eq!(snapshot.access.regions, ["eu-west-1"]);
        assert_eq!(
            (snapshot.access.since.as_ref(), snapshot.access.assume_role.as_deref()),
            (None, Some("r"))
        );
        assert!(matches!(&snapshot.from, From::Snapshot { clusters, .. } if clusters.is_empty()));
        assert_eq!(
            (&s3.access.assume_role, s3.access.since.as_deref()),
            (&None, Some("2026-11-23"))
        );
        assert_eq!(files.access, Access::default());
        assert!(
            matches!(&files.from, From::Files { paths, .. } if paths[0] == Path::new("/etc/eks/logs") && paths[1] == Path::new("/var/log/x"))
        );
        let warned: Vec<_> = config.warnings.iter().map(Pointer::what).collect();
        assert_eq!(warned.len(), 2, "{warned:?}");
    }

    #[test]
    fn every_fault_is_found_at_once_and_pointed_at() {
        let text = "lak = \"x\"\nregions = [\"us-east-1\", \"all\"]\naccounts = [111122223333]\n[[source]]\nfrom = \"cloudtral\"\n\
                    [[source]]\nfrom = \"snapshot\"\nsince = \"7d\"\nexternal-id = \"xyz\"\n[[source]]\nuris = []\n[questions]\nfail-on = [\"new-amdin\"]\n\
                    [report]\nfail-on = []\nforms = [\"htm\"]\n[notify]\nto = \"arn:aws:sqs:x\"\nwhen = 1\n";
        let found: Vec<_> = faults(text).into_iter().map(|(at, _, advice)| (at, advice)).collect();
        let expect = [
            ("lak", "did you mean `lake`?"),
            ("\"all\"", "write regions = [\"all\"], or a list without it"),
            ("111122223333", "write it in quotes: \"111122223333\""),
            ("\"cloudtral\"", "did you mean `cloudtrail`?"),
            ("since", "a snapshot shows the present: leave it out"),
            ("\"xyz\"", "add assume-role = \"NAME\""),
            (
                "[[source]]",
                "write from = \"…\": files, s3, cloudtrail, cloudwatch, snapshot",
            ),
            ("\"new-amdin\"", "did you mean `new-admin`?"),
            ("[report]", "add to = \"FOLDER\" or to = \"s3://BUCKET/PREFIX\""),
            ("fail-on", "it belongs to [questions]"),
            ("\"htm\"", "did you mean `html`?"),
            (
                "\"arn:aws:sqs:x\"",
                "write the ARN of a standard topic, for instance `arn:aws:sns:us-east-1:111122223333:eks-access`",
            ),
            ("1", "write it in quotes: \"1\""),
        ];
        assert_eq!(found, expect.map(|(at, advice)| (at.to_owned(), advice.to_owned())));
    }

    #[test]
    fn values_that_contradict_each_other_are_faults() {
        let source = |rest: &str| format!("[[source]]\nfrom = \"cloudwatch\"\n{rest}\n");
        for (text, said) in [
            (source("via = \"export\""), "an export needs a bucket"),
            (
                source("accounts = [\"org\"]"),
                "there is no role to enter these accounts",
            ),
            (
                source("since = \"2d\"\nuntil = \"3d\""),
                "`until` is earlier than `since`",
            ),
            (source("max-rate = 0"), "`max-rate` is no rate"),
            (source("max-rate = nan"), "`max-rate` is no rate"),
            (source("layout = \"*\""), "unknown key `layout` in [[source]]"),
            (
                "[[source]]\nfrom = \"files\"\npaths = []\n".to_owned(),
                "`paths` is empty",
            ),
            (
                "[[source]]\nfrom = \"files\"\npaths = [\"x\"]\nlayout = \"{acount}/*\"\n".to_owned(),
                "`layout` cannot be \"{acount}/*\"",
            ),
            (
                "[[source]]\nfrom = \"snapshot\"\nkubectl = [\"x\"]\n".to_owned(),
                "kubectl's files show one cluster",
            ),
            (
                "[report]\nto = \"x\"\nkms-key = \"alias/x\"\n".to_owned(),
                "`kms-key` is for S3, and the report goes into a folder",
            ),
            ("[report]\nto = \"s3://X\"\n".to_owned(), "`to` cannot be \"s3://X\""),
            (
                "[report]\nto = \"s3://xyz\"\nsse = \"s3\"\nkms-key = \"alias/x\"\n".to_owned(),
                "only kms takes a key",
            ),
            (
                "[notify]\nto = \"-\"\n".to_owned(),
                "changes cannot be told: there is no [report] to compare with",
            ),
            (
                "[questions]\nfail-on = \"new-admin\"\n".to_owned(),
                "changes cannot be found: there is no [report] to compare with",
            ),
            (
                "[questions]\nfail-on = \"new-admin\"\n[report]\nto = \"x\"\nforms = \"html\"\n".to_owned(),
                "changes cannot be found: the last report cannot be read without its JSON",
            ),
            ("lake = \"s3://x/y\"\n".to_owned(), "`lake` cannot be \"s3://x/y\""),
            (
                "source = 1\n".to_owned(),
                "`source` is one table, and there may be several",
            ),
            ("report = 1\n".to_owned(), "`report` is a number, not a table"),
            (
                "[source]\nfrom = \"snapshot\"\n".to_owned(),
                "`source` is one table, and there may be several",
            ),
        ] {
            let found: Vec<_> = faults(&text).into_iter().map(|(_, what, _)| what).collect();
            assert_eq!(found, [said], "{text}");
        }
        assert!(faults("a = = 1\nb = \n").len() >= 2, "each line that is no TOML");
        assert!(read("").unwrap().warnings[0].what().contains("nothing new is read"));
    }
}
