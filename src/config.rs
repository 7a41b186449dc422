//! `eksplain.toml`: what a scheduled pass reads, asks and writes.

use std::path::PathBuf;

use serde::Deserialize;

/// The file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// The lake; the command line's --lake wins.
    pub(crate) lake: Option<PathBuf>,
    /// Profile of the AWS configuration files.
    pub(crate) profile: Option<String>,
    /// Where records come from, in this order.
    #[serde(default)]
    pub(crate) source: Vec<Source>,
    /// The report, if one is wanted.
    pub(crate) report: Option<Report>,
}

/// One source: the options of the `ingest` command of the same name.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "from", rename_all = "lowercase", deny_unknown_fields)]
pub(crate) enum Source {
    Files {
        paths: Vec<PathBuf>,
        account: Option<String>,
        region: Option<String>,
        cluster: Option<String>,
        layout: Option<String>,
    },
    S3 {
        uris: Vec<String>,
        since: Option<String>,
        #[serde(default)]
        regions: Vec<String>,
        account: Option<String>,
        region: Option<String>,
        cluster: Option<String>,
        layout: Option<String>,
        #[serde(default, rename = "requester-pays")]
        requester_pays: bool,
    },
    Cloudtrail {
        since: Option<String>,
        #[serde(default)]
        regions: Vec<String>,
        #[serde(default)]
        accounts: Vec<String>,
        #[serde(rename = "assume-role")]
        assume_role: Option<String>,
        #[serde(rename = "external-id")]
        external_id: Option<String>,
        #[serde(default, rename = "event-sources")]
        event_sources: Vec<String>,
    },
    Cloudwatch {
        since: Option<String>,
        #[serde(default)]
        regions: Vec<String>,
        #[serde(default)]
        accounts: Vec<String>,
        #[serde(rename = "assume-role")]
        assume_role: Option<String>,
        #[serde(rename = "external-id")]
        external_id: Option<String>,
        #[serde(default)]
        clusters: Vec<String>,
        only: Option<String>,
        via: Option<String>,
        #[serde(rename = "export-to")]
        export_to: Option<String>,
    },
    Snapshot {
        #[serde(default)]
        regions: Vec<String>,
        #[serde(default)]
        accounts: Vec<String>,
        #[serde(rename = "assume-role")]
        assume_role: Option<String>,
        #[serde(rename = "external-id")]
        external_id: Option<String>,
        #[serde(default)]
        clusters: Vec<String>,
    },
}

/// Where the report goes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Report {
    /// Folder.
    pub(crate) to: PathBuf,
    /// Forms; none means all.
    #[serde(default)]
    pub(crate) forms: Vec<String>,
    /// Kinds of changes since the last report that make the run exit with 1.
    #[serde(default, rename = "fail-on")]
    pub(crate) fail_on: Vec<String>,
}

/// What `eksplain init` writes.
pub(crate) const EXAMPLE: &str = r#"# eksplain.toml: one scheduled pass, run by `eksplain run`. Sources are read in this order, each going on where the lake ends.

lake = "eksplain-lake"
# profile = "audit"                  # of the AWS configuration files

[[source]]
from = "cloudtrail"                  # 90 days of management events; or from = "s3" with the trail's bucket
regions = ["us-east-1"]
# accounts = ["org"]                 # every account of the organization …
# assume-role = "eksplain-read"      # … by the role of this name in each
# event-sources = ["eks", "iam", "sts"]

[[source]]
from = "cloudwatch"                  # authenticator and audit logs of the clusters
regions = ["us-east-1"]
since = "30d"
# clusters = ["prod-*"]
# only = "identity"                  # logins, denials, changes of RBAC and aws-auth alone

[[source]]
from = "snapshot"                    # clusters, access entries, IAM principals as they are now
regions = ["us-east-1"]

# [[source]]
# from = "s3"
# uris = ["s3://my-trail/AWSLogs"]
# since = "365d"

# [[source]]
# from = "files"
# paths = ["./logs"]
# layout = "{account}/{region}/{cluster}/{stream}/*"

[report]
to = "eksplain-report"               # reports/date=…/ and latest/
# forms = ["html", "json", "csv", "md"]
# fail-on = ["new-admin", "creator-deleted"]   # exit 1 if the last report did not have it
"#;

impl Config {
    /// Reads the text; the error points at the line.
    pub(crate) fn parse(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }
}

impl Source {
    /// The `ingest` command that this source stands for.
    pub(crate) fn words(&self) -> Vec<String> {
        let mut words = Words(vec!["ingest".to_owned()]);
        match self {
            Self::Files {
                paths,
                account,
                region,
                cluster,
                layout,
            } => {
                words.add("files");
                words.all(paths.iter().map(|path| path.display().to_string()));
                words.hints(account, region, cluster, layout);
            }
            Self::S3 {
                uris,
                since,
                regions,
                account,
                region,
                cluster,
                layout,
                requester_pays,
            } => {
                words.add("s3");
                words.all(uris.iter().cloned());
                words.one("--since", since);
                words.list("--regions", regions);
                words.hints(account, region, cluster, layout);
                if *requester_pays {
                    words.add("--requester-pays");
                }
            }
            Self::Cloudtrail {
                since,
                regions,
                accounts,
                assume_role,
                external_id,
                event_sources,
            } => {
                words.add("cloudtrail");
                words.one("--since", since);
                words.access(regions, accounts, assume_role, external_id);
                words.list("--event-source", event_sources);
            }
            Self::Cloudwatch {
                since,
                regions,
                accounts,
                assume_role,
                external_id,
                clusters,
                only,
                via,
                export_to,
            } => {
                words.add("cloudwatch");
                words.one("--since", since);
                words.access(regions, accounts, assume_role, external_id);
                clusters
                    .iter()
                    .for_each(|cluster| words.one("--cluster", &Some(cluster.clone())));
                words.one("--only", only);
                words.one("--via", via);
                words.one("--export-to", export_to);
            }
            Self::Snapshot {
                regions,
                accounts,
                assume_role,
                external_id,
                clusters,
            } => {
                words.add("snapshot");
                words.access(regions, accounts, assume_role, external_id);
                clusters
                    .iter()
                    .for_each(|cluster| words.one("--cluster", &Some(cluster.clone())));
            }
        }
        words.0
    }
}

struct Words(Vec<String>);

impl Words {
    fn add(&mut self, word: &str) {
        self.0.push(word.to_owned());
    }

    fn all(&mut self, words: impl Iterator<Item = String>) {
        self.0.extend(words);
    }

    fn one(&mut self, option: &str, value: &Option<String>) {
        if let Some(value) = value {
            self.0.push(format!("{option}={value}"));
        }
    }

    fn list(&mut self, option: &str, values: &[String]) {
        if !values.is_empty() {
            self.0.push(format!("{option}={}", values.join(",")));
        }
    }

    fn hints(
        &mut self,
        account: &Option<String>,
        region: &Option<String>,
        cluster: &Option<String>,
        layout: &Option<String>,
    ) {
        self.one("--account", account);
        self.one("--region", region);
        self.one("--cluster", cluster);
        self.one("--layout", layout);
    }

    fn access(&mut self, regions: &[String], accounts: &[String], role: &Option<String>, external_id: &Option<String>) {
        self.list("--regions", regions);
        self.list("--accounts", accounts);
        self.one("--assume-role", role);
        self.one("--external-id", external_id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_is_a_configuration() {
        let config = Config::parse(EXAMPLE).unwrap();
        assert_eq!(config.source.len(), 3);
        assert_eq!(
            config.source[0].words(),
            ["ingest", "cloudtrail", "--regions=us-east-1"]
        );
        // What stands behind the comments is right too.
        let all: String = EXAMPLE
            .lines()
            .map(|line| match line.strip_prefix("# ") {
                Some(code) if code.contains(" = ") || code.starts_with('[') => format!("{code}\n"),
                _ => format!("{line}\n"),
            })
            .filter(|line| !line.starts_with("eksplain.toml"))
            .collect();
        let config = Config::parse(&all).unwrap();
        assert_eq!(config.source.len(), 5);
        assert_eq!(config.report.unwrap().fail_on, ["new-admin", "creator-deleted"]);
    }

    #[test]
    fn what_is_wrong_is_pointed_at() {
        for (text, said) in [
            ("lake = 1\n", "line 1"),
            ("[[source]]\nfrom = \"ftp\"\n", "ftp"),
            ("[[source]]\nfrom = \"snapshot\"\nclusterz = []\n", "clusterz"),
            ("[report]\nforms = []\n", "to"),
        ] {
            let error = Config::parse(text).unwrap_err().to_string();
            assert!(error.contains(said), "{text}: {error}");
        }
    }
}
