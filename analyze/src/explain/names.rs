//! The names that a text holds: who asked, for what, where. They fill the commands that are printed, quoted for the shell.

use std::sync::LazyLock;

use eksplain_parse::arn::{Arn, decode_percent};
use eksplain_parse::denied::parse_message;
use regex::Regex;

/// Names found in a text; `None` where it does not say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// Cluster.
    pub cluster: Option<String>,
    /// Region.
    pub region: Option<String>,
    /// AWS principal, as the text spells it: an ARN, or the name that AWS gave.
    pub principal: Option<String>,
    /// Kubernetes user name.
    pub user: Option<String>,
    /// Kubernetes verb.
    pub verb: Option<String>,
    /// API group, empty for core.
    pub api_group: Option<String>,
    /// Resource.
    pub resource: Option<String>,
    /// Subresource.
    pub subresource: Option<String>,
    /// Namespace.
    pub namespace: Option<String>,
    /// Name of the object.
    pub name: Option<String>,
    /// URL that is no resource.
    pub url: Option<String>,
    /// `eks:DescribeCluster`.
    pub action: Option<String>,
    /// What the AWS call was about.
    pub aws_resource: Option<String>,
    /// The role that a service was to assume, or that a binding names.
    pub role: Option<String>,
    /// Profile of the AWS CLI.
    pub profile: Option<String>,
    /// `admission webhook "…"`, `ValidatingAdmissionPolicy '…'`, a kubeconfig context.
    pub object: Option<String>,
}

impl Names {
    /// Whether the text says who asked or what for: only then records can be told apart.
    pub fn tell_a_request(&self) -> bool {
        self.user.is_some()
            || self.principal.is_some()
            || self.action.is_some()
            || self.resource.is_some()
            || self.url.is_some()
    }

    /// Takes over what is not known yet.
    pub(super) fn fill(&mut self, other: Names) {
        let pairs = [
            (&mut self.cluster, other.cluster),
            (&mut self.region, other.region),
            (&mut self.principal, other.principal),
            (&mut self.user, other.user),
            (&mut self.verb, other.verb),
            (&mut self.api_group, other.api_group),
            (&mut self.resource, other.resource),
            (&mut self.subresource, other.subresource),
            (&mut self.namespace, other.namespace),
            (&mut self.name, other.name),
            (&mut self.url, other.url),
            (&mut self.action, other.action),
            (&mut self.aws_resource, other.aws_resource),
            (&mut self.role, other.role),
            (&mut self.profile, other.profile),
            (&mut self.object, other.object),
        ];
        for (own, other) in pairs {
            if own.is_none() {
                *own = other;
            }
        }
    }

    /// What an AWS refusal says.
    pub(super) fn of_aws(message: &str) -> Self {
        let mut names = Names::default();
        if let Some(denied) = parse_message(message) {
            names.principal = Some(denied.principal.trim_matches(['"', '\'']).to_owned());
            names.action = Some(denied.action.to_owned());
            names.aws_resource = denied.resource.map(str::to_owned);
            names.note_arn(denied.resource.unwrap_or_default());
        }
        names
    }

    /// Cluster and region out of an ARN.
    pub(super) fn note_arn(&mut self, text: &str) {
        if let Ok(arn) = Arn::parse(text)
            && arn.service == "eks"
        {
            let mut parts = arn.resource.split('/');
            let noun = parts.next();
            self.region = Some(arn.region.to_owned()).filter(|region| is_region(region));
            let named = [
                "cluster",
                "nodegroup",
                "access-entry",
                "addon",
                "fargateprofile",
                "podidentityassociation",
            ];
            if noun.is_some_and(|noun| named.contains(&noun)) {
                self.cluster = parts
                    .next()
                    .map(str::to_owned)
                    .filter(|name| !name.is_empty() && name != "*");
            }
        }
    }

    /// What stands in the decoration and the commands around a message: flags, ARNs of clusters, endpoints. Only the text outside
    /// quotes is looked at.
    pub(super) fn of_context(masked: &str) -> Self {
        static CLUSTER_ARN: LazyLock<Regex> = LazyLock::new(|| {
            regex(r"arn:aws[\w-]*:eks:[a-z0-9-]+:\d{12}:(?:cluster|nodegroup|access-entry)/[A-Za-z0-9_-]+")
        });
        static FLAG: LazyLock<Regex> =
            LazyLock::new(|| regex(r"--(cluster-name|cluster|name|region|profile)[ =]([A-Za-z0-9._-]+)"));
        static ENDPOINT: LazyLock<Regex> =
            LazyLock::new(|| regex(r"(?i)\b[0-9A-F]{32}\.[a-z0-9]+\.([a-z]{2,4}(?:-[a-z]+)+-\d)\.eks\.amazonaws\.com"));
        static TOLD: LazyLock<Regex> = LazyLock::new(|| {
            let parts = [
                r"No cluster found for name: (?P<cluster1>[A-Za-z0-9_-]+)",
                r"EKS (?:Access Entry|Access Policy Association) \(?(?P<cluster2>[A-Za-z0-9_-]+)[:#](?P<principal>arn:[^\s)#]+)",
                r"EKS (?:Node Group|Cluster|Add-On) \((?P<cluster3>[A-Za-z0-9_-]+)",
                r"(?:Role with arn:?|nodeRole) (?P<role>arn:aws[\w-]*:iam::\d{12}:role/[\w+=,.@/-]*\w)",
                r"/namespaces/(?P<namespace>[a-z0-9-]+)/",
                r"profile [('](?P<profile1>[\w.-]+)[)']|Token for (?P<profile2>[\w.-]+) does not exist",
            ];
            regex(&format!("(?i){}", parts.join("|")))
        });
        let mut names = Names::default();
        if let Some(found) = CLUSTER_ARN.find(masked) {
            names.note_arn(found.as_str());
        }
        if let Some(found) = ENDPOINT.captures(masked) {
            names.region.get_or_insert_with(|| found[1].to_owned());
        }
        for found in FLAG.captures_iter(masked) {
            let value = found[2].to_owned();
            match &found[1] {
                "region" if is_region(&value) => names.region = Some(value),
                "profile" => names.profile = Some(value),
                "region" => {}
                _ => names.cluster = Some(value),
            }
        }
        for found in TOLD.captures_iter(masked) {
            let told = |groups: &[&str]| {
                groups
                    .iter()
                    .find_map(|group| found.name(group))
                    .map(|found| found.as_str().to_owned())
            };
            names.fill(Names {
                cluster: told(&["cluster1", "cluster2", "cluster3"]),
                principal: told(&["principal"]),
                role: told(&["role"]),
                namespace: told(&["namespace"]),
                profile: told(&["profile1", "profile2"]),
                ..Names::default()
            });
        }
        names
    }

    /// What a CloudTrail event says of its call.
    pub(super) fn of_event(event: &serde_json::Value) -> Self {
        let text = |at: &str| event.pointer(at).and_then(serde_json::Value::as_str);
        let message = text("/errorMessage").unwrap_or_default();
        let mut names = Names::of_aws(message);
        let parameter = |keys: &[&str]| {
            keys.iter()
                .find_map(|key| text(&format!("/requestParameters/{key}")))
                .map(|value| decode_percent(value).into_owned())
        };
        let service = text("/eventSource").and_then(|source| source.split('.').next());
        let is_eks = service == Some("eks");
        names.fill(Names {
            cluster: parameter(&["clusterName", "name"]).filter(|_| is_eks),
            region: text("/awsRegion").map(str::to_owned),
            principal: text("/userIdentity/arn").map(str::to_owned),
            action: service
                .zip(text("/eventName"))
                .map(|(service, name)| format!("{service}:{name}")),
            aws_resource: parameter(&["roleArn", "principalArn"]),
            ..Names::default()
        });
        // The role's ARN with its path stands only here.
        if let Some(arn) = text("/userIdentity/sessionContext/sessionIssuer/arn") {
            names.principal = Some(arn.to_owned());
        }
        names
    }
}

/// Whether a text has the form of a region.
pub(super) fn is_region(text: &str) -> bool {
    static REGION: LazyLock<Regex> = LazyLock::new(|| regex(r"^[a-z]{2,4}(-[a-z]+)+-\d$"));
    REGION.is_match(text)
}

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a test compiles every pattern")
}
