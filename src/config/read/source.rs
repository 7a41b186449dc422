//! One `[[source]]`: what is read, from where, and what its files do not say.

use super::keys::{KINDS, elsewhere, keys_of};
use super::{Defaults, Reader};
use crate::config::take::{Found, Section, Shape};
use crate::config::{Access, From, Hints, Source, shape};

const KEEP: &[&str] = &["all", "evidence", "none"];

impl Reader<'_> {
    pub(super) fn source(&mut self, section: Section<'_, '_>, defaults: &Defaults<'_, '_>) -> Option<Source> {
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
                let paths = self.required(section, "paths", "the files and folders to read", &shape::not_empty);
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
                let kubectl = section.texts(found, "kubectl", &shape::not_empty);
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

    fn hints(&mut self, section: Section<'_, '_>) -> Hints {
        let found = &mut self.found;
        Hints {
            account: section.text(found, "account", &shape::account),
            region: section.text(found, "region", &shape::region),
            cluster: section.text(found, "cluster", &shape::not_empty),
            layout: section.text(found, "layout", &shape::layout),
            keep_raw: section.word(found, "keep-raw", KEEP),
        }
    }

    /// A list that must not be empty.
    fn required(&mut self, section: Section<'_, '_>, key: &str, what: &str, shape: Shape<'_>) -> Vec<String> {
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
                    "a run without it fails for this source and continues with the others",
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::only_fault;

    #[test]
    fn a_source_that_cannot_be_read_is_a_fault() {
        let source = |rest: &str| format!("[[source]]\nfrom = \"cloudwatch\"\n{rest}\n");
        for (text, said) in [
            (source("via = \"export\""), "an export needs a bucket"),
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
        ] {
            only_fault(&text, said);
        }
    }
}
