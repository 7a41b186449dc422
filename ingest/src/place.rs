//! Where a record belongs, when it does not say so itself: told by known paths, by a layout, or by hints.
//!
//! Rules: the key layout of CloudTrail trails (CloudTrail User Guide, "Finding your CloudTrail log files"), the log group
//! `/aws/eks/<cluster>/cluster` (EKS User Guide, "Control plane logs") and the folders of a CloudWatch export task.

use std::path::Path;

/// What the caller says of objects that do not tell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hints {
    /// AWS account.
    pub account: Option<String>,
    /// AWS region.
    pub region: Option<String>,
    /// EKS cluster.
    pub cluster: Option<String>,
    /// Pattern of the paths.
    pub layout: Option<Layout>,
    /// When present state was seen, microseconds since 1970; a file's own time where this is not said.
    pub taken_at: Option<i64>,
    /// Only present state is wanted: a log is the wrong kind of file.
    pub only_state: bool,
}

/// `{account}/{region}/{cluster}/{stream}/*`: which step of a path, relative to the folder given, says what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout(Vec<Step>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Account,
    Region,
    Cluster,
    Stream,
    Any,
    Rest,
    Literal(String),
}

/// Why a layout was not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "read the layout: step {step:?} is none of {{account}}, {{region}}, {{cluster}}, {{stream}}, *, ** or a plain name"
)]
pub struct LayoutError {
    /// The step.
    pub step: String,
}

/// Where records of one object belong, as far as known before reading it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) account: Option<String>,
    pub(crate) region: Option<String>,
    pub(crate) cluster: Option<String>,
    pub(crate) stream: Option<String>,
}

impl Hints {
    /// What is said, as one text, so that it can be known whether something else is said another time; `None` for nothing.
    pub(crate) fn said(&self) -> Option<String> {
        let layout = self.layout.as_ref().map(|layout| format!("{:?}", layout.0));
        let parts = [
            ("account", self.account.clone()),
            ("region", self.region.clone()),
            ("cluster", self.cluster.clone()),
            ("layout", layout),
            ("taken-at", self.taken_at.map(|at| at.to_string())),
        ];
        let said: Vec<String> = parts
            .into_iter()
            .filter_map(|(name, value)| Some(format!("{name}={:?}", value?)))
            .collect();
        Some(said.join(" ")).filter(|said| !said.is_empty())
    }
}

impl std::str::FromStr for Layout {
    type Err = LayoutError;

    fn from_str(text: &str) -> Result<Self, LayoutError> {
        let step = |step: &str| {
            Ok(match step {
                "{account}" => Step::Account,
                "{region}" => Step::Region,
                "{cluster}" => Step::Cluster,
                "{stream}" => Step::Stream,
                "*" => Step::Any,
                "**" => Step::Rest,
                name if !name.contains(['{', '}', '*']) => Step::Literal(name.to_owned()),
                other => return Err(LayoutError { step: other.to_owned() }),
            })
        };
        text.split('/')
            .filter(|part| !part.is_empty())
            .map(step)
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

impl Layout {
    /// What a path says; a path that does not fit says nothing. A `*` at the end stands for all that follows.
    fn read(&self, relative: &Path) -> Option<Place> {
        let parts: Vec<_> = relative.iter().map(|part| part.to_string_lossy()).collect();
        let mut place = Place::default();
        for (at, step) in self.0.iter().enumerate() {
            let part = parts.get(at)?;
            let said = Some(part.to_string());
            match step {
                Step::Account => place.account = said,
                Step::Region => place.region = said,
                Step::Cluster => place.cluster = said,
                Step::Stream => place.stream = said,
                Step::Rest => break,
                Step::Literal(name) if name != part => return None,
                Step::Any | Step::Literal(_) => {}
            }
        }
        Some(place)
    }
}

impl Place {
    /// What is known of an object: known paths first, then the layout, then plain hints.
    pub(crate) fn of(path: &Path, relative: &Path, hints: &Hints) -> Self {
        let known = Self::by_known_paths(path);
        let laid_out = hints
            .layout
            .as_ref()
            .and_then(|layout| layout.read(relative))
            .unwrap_or_default();
        Self {
            account: known.account.or(laid_out.account).or_else(|| hints.account.clone()),
            region: known.region.or(laid_out.region).or_else(|| hints.region.clone()),
            cluster: known.cluster.or(laid_out.cluster).or_else(|| hints.cluster.clone()),
            stream: known.stream.or(laid_out.stream),
        }
    }

    /// What the caller says, for an object whose path says nothing.
    pub(crate) fn told(hints: &Hints) -> Self {
        Self {
            account: hints.account.clone(),
            region: hints.region.clone(),
            cluster: hints.cluster.clone(),
            stream: None,
        }
    }

    fn by_known_paths(path: &Path) -> Self {
        let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
        let mut place = Self::default();
        if let Some(at) = parts.iter().rposition(|part| part == "AWSLogs") {
            let mut rest = parts[at + 1..].iter().skip_while(|part| part.starts_with("o-"));
            place.account = rest.next().filter(|part| is_account(part)).map(ToString::to_string);
            if rest.next().is_some_and(|part| part.starts_with("CloudTrail")) {
                place.region = rest.next().map(ToString::to_string);
            }
        }
        for window in parts.windows(4) {
            if window[0] == "aws" && window[1] == "eks" && window[3] == "cluster" {
                place.cluster = Some(window[2].to_string());
            }
        }
        // An export writes a stream's name with hyphens for slashes as a folder; others name the file after it.
        let names = parts
            .iter()
            .rev()
            .take(2)
            .map(|part| part.split('.').next().unwrap_or_default());
        place.stream = names
            .map(str::to_owned)
            .find(|name| StreamKind::of(name) != StreamKind::Unknown);
        place
    }

    /// Takes what a log group's name says.
    pub(crate) fn name_log_group(&mut self, log_group: &str) {
        if let Some(cluster) = log_group
            .strip_prefix("/aws/eks/")
            .and_then(|rest| rest.strip_suffix("/cluster"))
        {
            self.cluster = Some(cluster.to_owned());
        }
    }
}

pub(crate) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

/// Which log of the control plane a stream holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StreamKind {
    Authenticator,
    Audit,
    /// A log that no question asks about.
    Other,
    Unknown,
}

impl StreamKind {
    /// By the prefix that EKS gives.
    pub(crate) fn of(stream: &str) -> Self {
        let starts = |prefix: &str| stream.starts_with(prefix);
        if starts("authenticator-") {
            Self::Authenticator
        } else if starts("kube-apiserver-audit-") {
            Self::Audit
        } else if starts("kube-apiserver-")
            || starts("kube-scheduler-")
            || starts("kube-controller-manager-")
            || starts("cloud-controller-manager-")
        {
            Self::Other
        } else {
            Self::Unknown
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trail_key_says_account_and_region() {
        let path = Path::new("/x/AWSLogs/o-abcd/111122223333/CloudTrail/eu-west-1/2026/11/23/file.json.gz");
        let place = Place::of(
            path,
            path,
            &Hints {
                account: Some("444455556666".into()),
                ..Hints::default()
            },
        );
        assert_eq!(
            (place.account.as_deref(), place.region.as_deref()),
            (Some("111122223333"), Some("eu-west-1"))
        );
    }

    #[test]
    fn an_export_says_cluster_and_stream() {
        let path = Path::new("/x/aws/eks/prod/cluster/0b1c/authenticator-0123abcd/000000.gz");
        let place = Place::of(path, path, &Hints::default());
        assert_eq!(
            (place.cluster.as_deref(), place.stream.as_deref()),
            (Some("prod"), Some("authenticator-0123abcd"))
        );
    }

    #[test]
    fn a_layout_is_read_from_the_folder_given() {
        let layout: Layout = "{account}/{region}/{cluster}/{stream}/*".parse().unwrap();
        let hints = Hints {
            layout: Some(layout),
            ..Hints::default()
        };
        let place = Place::of(Path::new("/x/1/r/c/s/f"), Path::new("1/r/c/s/f"), &hints);
        assert_eq!(
            (place.account.as_deref(), place.stream.as_deref()),
            (Some("1"), Some("s"))
        );
        assert_eq!(Place::of(Path::new("/x/f"), Path::new("f"), &hints), Place::default());
        assert!("{acount}/x".parse::<Layout>().is_err());
    }
}
