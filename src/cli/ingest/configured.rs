//! A source of `eksplain.toml` as the arguments of its command.

use clap::ValueEnum;

use super::aws::{Access, Window};
use super::cloudtrail::{EVENT_SOURCES, Order};
use super::cloudwatch::Way;
use super::files::Keep;
use super::{Source, cloudtrail, cloudwatch, files, s3, snapshot};
use crate::config;

impl From<&config::Source> for Source {
    fn from(source: &config::Source) -> Self {
        let access = Access {
            regions: source.access.regions.clone(),
            accounts: source.access.accounts.clone(),
            assume_role: source.access.assume_role.clone(),
            external_id: source.access.external_id.clone(),
            max_rate: source.access.max_rate,
        };
        let window = Window {
            since: source.access.since.clone(),
            until: source.access.until.clone(),
        };
        match source.from.clone() {
            config::From::Files { paths, hints } => Self::Files(files::Files {
                paths,
                account: hints.account,
                region: hints.region,
                cluster: hints.cluster,
                layout: hints.layout,
                taken_at: None,
                keep_raw: choice(hints.keep_raw).unwrap_or(Keep::Evidence),
                threads: 0,
                shard: None,
            }),
            config::From::S3 {
                uris,
                hints,
                requester_pays,
            } => Self::S3(s3::Arguments {
                uris,
                access,
                window,
                account: hints.account,
                region: hints.region,
                cluster: hints.cluster,
                layout: hints.layout,
                keep_raw: choice(hints.keep_raw).unwrap_or(Keep::Evidence),
                requester_pays,
                threads: 0,
                shard: None,
            }),
            config::From::Cloudtrail { event_sources } => Self::Cloudtrail(cloudtrail::Arguments {
                access,
                window,
                region: None,
                event_source: if event_sources.is_empty() {
                    EVENT_SOURCES.split(',').map(str::to_owned).collect()
                } else {
                    event_sources
                },
                order: Order::Newest,
            }),
            config::From::Cloudwatch {
                clusters,
                log_groups,
                only,
                via,
                export_to,
            } => Self::Cloudwatch(cloudwatch::Arguments {
                access,
                window,
                region: None,
                cluster: clusters,
                log_group: log_groups,
                via: choice(via).unwrap_or(Way::Auto),
                export_to,
                only: choice(only),
                follow: false,
            }),
            config::From::Snapshot {
                clusters,
                kubectl,
                account,
                region,
            } => Self::Snapshot(snapshot::Arguments {
                access,
                from: Vec::new(),
                taken_at: None,
                kubectl,
                account,
                region,
                cluster: clusters,
            }),
        }
    }
}

/// The value that a word of the command line stands for.
fn choice<V: ValueEnum>(word: Option<&'static str>) -> Option<V> {
    V::from_str(word?, false).ok()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Command};

    #[test]
    fn a_source_is_the_command_that_is_shown_for_it() {
        let text = r#"
            profile = "audit"
            regions = ["us-east-1", "eu-west-1"]
            accounts = ["111122223333", "444455556666"]
            assume-role = "eksplain-read"
            since = "last"
            until = "0s"
            max-rate = 1.5
            clusters = ["prod-*", "shop"]
            [[source]]
            from = "cloudtrail"
            [[source]]
            from = "cloudtrail"
            event-sources = ["eks", "all"]
            [[source]]
            from = "cloudwatch"
            log-groups = ["/aws/eks/prod/cluster"]
            only = "identity"
            via = "export"
            export-to = "s3://bucket/x"
            [[source]]
            from = "snapshot"
            [[source]]
            from = "snapshot"
            clusters = ["prod"]
            kubectl = ["rbac.json", "it's.json"]
            account = "111122223333"
            region = "us-west-2"
            [[source]]
            from = "s3"
            uris = ["s3://trail/AWSLogs", "s3://other"]
            keep-raw = "all"
            requester-pays = true
            [[source]]
            from = "files"
            paths = ["a b", "c"]
            account = "111122223333"
            region = "us-west-2"
            cluster = "prod"
            layout = "{cluster}/*"
            keep-raw = "none"
        "#;
        let config = config::Config::read(text, Path::new("/f"), 1_795_520_000_000_000).unwrap();
        assert_eq!(config.sources.len(), 7);
        for source in &config.sources {
            let words = [vec!["eksplain".to_owned()], source.words()].concat();
            let cli = Cli::try_parse_from(&words).unwrap_or_else(|error| panic!("{words:?}: {error}"));
            let Command::Ingest(typed) = &cli.command else {
                panic!("{words:?}")
            };
            assert_eq!(format!("{typed:?}"), format!("{:?}", Source::from(source)), "{words:?}");
        }
        assert!(
            config.sources[4].command().contains(r"'--kubectl=/f/it'\''s.json'"),
            "{}",
            config.sources[4].command()
        );
    }
}
