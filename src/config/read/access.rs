//! How a source gets in and which time it asks for: what it says itself, and what it inherits from the top.
//!
//! A source's own word wins, an empty list too. Files inherit nothing of it, a bucket neither accounts nor a role, a snapshot no window.

use super::{Defaults, Reader};
use crate::config::take::{Found, Section, Shape};
use crate::config::{Access, shape};
use crate::settings::DayEnd;

impl Reader<'_> {
    /// The access keys among `keys`.
    pub(super) fn access(&mut self, section: Section<'_, '_>, keys: &[&str]) -> Access {
        let now = self.now;
        let found = &mut self.found;
        let has = |key: &str| keys.contains(&key);
        let one = |found: &mut Found, key: &str, shape: Shape<'_>| {
            has(key).then(|| section.text(found, key, shape)).flatten()
        };
        let access = Access {
            profile: one(found, "profile", &shape::not_empty),
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
                    format!("`{all}` cannot be combined with others"),
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

    /// A source's access, with what stands at the top where it says nothing itself.
    pub(super) fn inherited(
        &mut self,
        kind: &str,
        section: Section<'_, '_>,
        own: Access,
        defaults: &Defaults<'_, '_>,
    ) -> Access {
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
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::tests::{only_fault, read};
    use super::*;
    use crate::config::From;
    use crate::error::Pointer;

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
    fn a_way_in_that_cannot_be_is_a_fault() {
        let source = |rest: &str| format!("[[source]]\nfrom = \"cloudwatch\"\n{rest}\n");
        for (text, said) in [
            (
                source("accounts = [\"org\"]"),
                "there is no role to enter these accounts",
            ),
            (
                source("since = \"2d\"\nuntil = \"3d\""),
                "`until` is earlier than `since`",
            ),
            (source("max-rate = 0"), "`max-rate` is not a valid rate"),
            (source("max-rate = nan"), "`max-rate` is not a valid rate"),
        ] {
            only_fault(&text, said);
        }
    }
}
