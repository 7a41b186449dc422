//! `can-i`: kubectl's question, answered from the lake.

use std::io;
use std::process::ExitCode;

use clap::Args;
use eksplain_analyze::can_i::{Allowed, As, CanI, Request, can_i, clusters, list};
use eksplain_analyze::quote;
use eksplain_lake::Lake;
use eksplain_queries::Engine;
use serde::Serialize;

use super::Global;
use super::select::check_clusters;
use crate::error::{Exit, Failure};
use crate::render::{self, Margin, Output, Page, Style, Text, data};
use crate::settings::{DayEnd, made_at, now, time};
use crate::view::fingerprint::{Fingerprint, Parts};
use crate::view::{self, Coverage};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  eksplain can-i list secrets -n dev --as dave --cluster prod
  eksplain can-i get deployments.apps/web -n dev --as ann --as-group devs
  eksplain can-i '*' '*' --as arn:aws:iam::111122223333:role/Admin
  eksplain can-i get /metrics --as system:serviceaccount:monitoring:prometheus

Answers yes (exit 0), no (exit 1), or that the lake cannot know (exit 3).")]
pub(crate) struct Arguments {
    /// Kubernetes verb
    #[arg(required_unless_present = "list")]
    verb: Option<String>,
    /// RESOURCE[.GROUP][/NAME or /SUBRESOURCE], or a URL path
    #[arg(value_name = "RESOURCE[/NAME]", required_unless_present = "list")]
    resource: Option<String>,
    /// List everything that is known to be allowed, in the given namespace or cluster-wide
    #[arg(long)]
    list: bool,
    /// Kubernetes user name, the ARN of an IAM principal, or User:X, Group:X, ServiceAccount:NS/NAME
    #[arg(long = "as", value_name = "USER|ARN")]
    who: String,
    /// Group of the user, as in kubectl (repeatable)
    #[arg(long = "as-group", value_name = "GROUP")]
    groups: Vec<String>,
    /// Namespace [default: all]
    #[arg(short, long)]
    namespace: Option<String>,
    /// Subresource, such as log or exec
    #[arg(long)]
    subresource: Option<String>,
    /// Name or glob of the cluster, if the lake has several
    #[arg(long)]
    cluster: Option<String>,
    /// Account of the cluster
    #[arg(long)]
    account: Option<String>,
    /// Region of the cluster
    #[arg(long)]
    region: Option<String>,
    /// Answer as of this time [default: now]
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
}

/// `eksplain.can-i/1`.
#[derive(Debug, Serialize)]
struct Document {
    schema: &'static str,
    version: &'static str,
    generated_at: String,
    at: String,
    cluster: view::Cluster,
    coverage: Vec<Coverage>,
    allowed: Option<bool>,
    by: Option<String>,
    reason: String,
    considered: Vec<String>,
    blind_spots: Vec<String>,
    evidence: Vec<view::Evidence>,
}

/// `eksplain.can-i-list/1`.
#[derive(Debug, Serialize)]
struct Listed {
    schema: &'static str,
    version: &'static str,
    generated_at: String,
    at: String,
    cluster: view::Cluster,
    findings: Vec<Right>,
}

/// What one rule allows.
#[derive(Debug, Serialize)]
struct Right {
    resources_or_urls: Vec<String>,
    api_groups: Vec<String>,
    names: Vec<String>,
    verbs: Vec<String>,
    by: String,
    fingerprint: Fingerprint,
}

const RIGHT: [&str; 5] = ["resources_or_urls", "api_groups", "names", "verbs", "by"];

impl Right {
    fn of(allowed: Allowed) -> Self {
        let lists = [&allowed.what, &allowed.api_groups, &allowed.names, &allowed.verbs];
        let parts = lists.into_iter().fold(Parts::of("can-i"), |parts, list| {
            let parts = parts.with(Some(&list.len().to_string()));
            list.iter().fold(parts, |parts, word| parts.with(Some(word)))
        });
        Self {
            fingerprint: parts.with(Some(&allowed.by)).fingerprint(),
            resources_or_urls: allowed.what,
            api_groups: allowed.api_groups,
            names: allowed.names,
            verbs: allowed.verbs,
            by: allowed.by,
        }
    }

    fn row(&self) -> Vec<String> {
        vec![
            self.resources_or_urls.join(" "),
            self.api_groups.join(" "),
            self.names.join(" "),
            self.verbs.join(" "),
            self.by.clone(),
        ]
    }
}

pub(super) fn run(global: &Global, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let now = now();
    let at = arguments
        .at
        .as_deref()
        .map(|text| time("--at", text, now, DayEnd::Last))
        .transpose()?
        .unwrap_or(now);
    let engine = Engine::open(&Lake::open(&global.lake)?)?;
    let facts = super::ask::facts_at(&engine, at)?;
    let fits = |asked: &Option<String>, own: &str| asked.as_deref().is_none_or(|asked| asked == own);
    let is_named = |name: &str| {
        let glob = arguments.cluster.as_deref();
        glob.is_none_or(|glob| eksplain_analyze::glob_matches(glob, name))
    };
    let mut fitting = clusters(&facts);
    fitting.retain(|cluster| {
        is_named(&cluster.name)
            && fits(&arguments.account, &cluster.account)
            && fits(&arguments.region, &cluster.region)
    });
    let cluster = match fitting.as_slice() {
        [only] => only,
        [] => {
            let known = clusters(&facts);
            let asked: Vec<String> = arguments.cluster.iter().cloned().collect();
            check_clusters(&asked, known.iter().map(|cluster| cluster.name.as_str()), false)?;
            return Err(Failure::usage(
                "no cluster in the lake matches",
                "eksplain lake status shows the clusters",
            ));
        }
        several => {
            let names: Vec<String> = several
                .iter()
                .map(|cluster| format!("{} ({} {})", cluster.name, cluster.account, cluster.region))
                .collect();
            return Err(Failure::usage(
                "more than one cluster matches",
                format!("name one with --cluster, --account, --region: {}", names.join(", ")),
            ));
        }
    };
    let who = asker(arguments);
    if arguments.list {
        let allowed = list(&facts, cluster, &who, arguments.namespace.as_deref(), at);
        print_list(global.output, at, cluster, allowed.into_iter().map(Right::of).collect())?;
        return Ok(Exit::Answered.into());
    }
    let answer = can_i(&facts, cluster, &who, &request(arguments), at);
    let exit = match answer.allowed {
        Some(true) => Exit::Answered,
        Some(false) => Exit::Matched,
        None => Exit::Rejected,
    };
    let origins = engine.origins(&view::ids(answer.evidence.iter()))?;
    print(global, at, cluster, answer, &origins)?;
    let whom = quote(&arguments.who);
    let at = arguments
        .at
        .as_ref()
        .map(|at| format!(" --at {}", quote(at)))
        .unwrap_or_default();
    if exit == Exit::Answered {
        super::hint(global, &format!("who {whom}{at}"), "shows where its rights come from");
    } else {
        let groups = arguments
            .groups
            .iter()
            .map(|group| format!(" --as-group {}", quote(group)));
        let namespace = arguments
            .namespace
            .iter()
            .map(|namespace| format!(" -n {}", quote(namespace)));
        let more: String = groups.chain(namespace).collect();
        let words = format!("can-i --list --as {whom}{more} --cluster {}{at}", quote(&cluster.name));
        super::hint(global, &words, "lists what is known to be allowed");
    }
    Ok(exit.into())
}

/// Who asks: an ARN, a user name as kubectl takes it, or a principal as answers spell it.
fn asker(arguments: &Arguments) -> As {
    let mut groups = arguments.groups.clone();
    let username = match arguments.who.split_once(':') {
        Some(("arn", _)) => {
            return As::Principal {
                arn: arguments.who.clone(),
            };
        }
        Some(("User", name)) => name.to_owned(),
        Some(("ServiceAccount", account)) => match account.split_once('/') {
            Some((namespace, name)) => format!("system:serviceaccount:{namespace}:{name}"),
            None => arguments.who.clone(),
        },
        // Any member, with what this group alone gives.
        Some(("Group", group)) => {
            groups.push(group.to_owned());
            String::new()
        }
        _ => arguments.who.clone(),
    };
    As::User { username, groups }
}

/// `deployments.apps/web`, `pods/log` or `/metrics`. Behind the slash stands a name, as with kubectl, unless it is a subresource.
fn request(arguments: &Arguments) -> Request {
    let verb = arguments.verb.clone().unwrap_or_default();
    let typed = arguments.resource.clone().unwrap_or_default();
    if typed.starts_with('/') {
        return Request {
            verb,
            url: Some(typed),
            ..Request::default()
        };
    }
    const SUBRESOURCES: [&str; 14] = [
        "log",
        "exec",
        "attach",
        "portforward",
        "proxy",
        "status",
        "scale",
        "eviction",
        "binding",
        "token",
        "finalize",
        "approval",
        "ephemeralcontainers",
        "resize",
    ];
    let (typed, behind) = typed
        .split_once('/')
        .map_or((typed.as_str(), None), |(typed, behind)| (typed, Some(behind)));
    let (resource, group) = typed.split_once('.').unwrap_or((typed, ""));
    let (resource, group) = full_name(resource, group);
    let is_sub = behind.is_some_and(|behind| SUBRESOURCES.contains(&behind)) && arguments.subresource.is_none();
    let group = if group.is_empty() && resource == "*" {
        "*"
    } else {
        group
    };
    Request {
        verb,
        api_group: group.to_owned(),
        resource: resource.to_owned(),
        subresource: arguments
            .subresource
            .clone()
            .or_else(|| behind.filter(|_| is_sub).map(str::to_owned)),
        namespace: arguments.namespace.clone(),
        name: behind.filter(|_| !is_sub).map(str::to_owned),
        url: None,
    }
}

/// Plural, singular or short name of a built-in resource with its API group; kubectl asks the server for these, the lake has none.
/// Others are taken as typed.
fn full_name<'r>(resource: &'r str, group: &'r str) -> (&'r str, &'r str) {
    const NAMES: &[(&str, &str, &str, &str)] = &[
        ("pods", "pod", "po", ""),
        ("services", "service", "svc", ""),
        ("configmaps", "configmap", "cm", ""),
        ("secrets", "secret", "", ""),
        ("nodes", "node", "no", ""),
        ("namespaces", "namespace", "ns", ""),
        ("serviceaccounts", "serviceaccount", "sa", ""),
        ("persistentvolumes", "persistentvolume", "pv", ""),
        ("persistentvolumeclaims", "persistentvolumeclaim", "pvc", ""),
        ("events", "event", "ev", ""),
        ("endpoints", "endpoints", "ep", ""),
        ("deployments", "deployment", "deploy", "apps"),
        ("daemonsets", "daemonset", "ds", "apps"),
        ("statefulsets", "statefulset", "sts", "apps"),
        ("replicasets", "replicaset", "rs", "apps"),
        ("jobs", "job", "", "batch"),
        ("cronjobs", "cronjob", "cj", "batch"),
        ("ingresses", "ingress", "ing", "networking.k8s.io"),
        ("networkpolicies", "networkpolicy", "netpol", "networking.k8s.io"),
        (
            "horizontalpodautoscalers",
            "horizontalpodautoscaler",
            "hpa",
            "autoscaling",
        ),
        ("poddisruptionbudgets", "poddisruptionbudget", "pdb", "policy"),
        ("roles", "role", "", "rbac.authorization.k8s.io"),
        ("rolebindings", "rolebinding", "", "rbac.authorization.k8s.io"),
        ("clusterroles", "clusterrole", "", "rbac.authorization.k8s.io"),
        (
            "clusterrolebindings",
            "clusterrolebinding",
            "",
            "rbac.authorization.k8s.io",
        ),
        (
            "customresourcedefinitions",
            "customresourcedefinition",
            "crd",
            "apiextensions.k8s.io",
        ),
        ("storageclasses", "storageclass", "sc", "storage.k8s.io"),
        ("leases", "lease", "", "coordination.k8s.io"),
        (
            "certificatesigningrequests",
            "certificatesigningrequest",
            "csr",
            "certificates.k8s.io",
        ),
    ];
    let is_named = |(plural, singular, short, own): &&(&str, &str, &str, &'static str)| {
        [*plural, *singular, *short].contains(&resource) && (group.is_empty() || group == *own)
    };
    match NAMES.iter().find(is_named) {
        Some((plural, _, _, own)) => (plural, if group.is_empty() { own } else { group }),
        None => (resource, group),
    }
}

fn print_list(
    output: Output,
    at: i64,
    cluster: &eksplain_analyze::findings::Cluster,
    rights: Vec<Right>,
) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match output {
        Output::Json | Output::Sarif => {
            let document = Listed {
                schema: "eksplain.can-i-list/1",
                version: env!("CARGO_PKG_VERSION"),
                generated_at: made_at(),
                at: eksplain_analyze::time::format_rfc3339(at),
                cluster: view::cluster(cluster),
                findings: rights,
            };
            render::json(&mut out, &document)
        }
        Output::Jsonl | Output::Csv => {
            let rows: Vec<_> = rights.iter().map(|right| data::row(right, &RIGHT)).collect();
            data::cells(&mut out, output, &RIGHT, &rows)
        }
        Output::Table | Output::Md => render::rows(
            &mut out,
            output,
            &["RESOURCES OR URLS", "API GROUPS", "NAMES", "VERBS", "BY"],
            &rights.iter().map(Right::row).collect::<Vec<_>>(),
        ),
    }
}

fn print(
    global: &Global,
    at: i64,
    cluster: &eksplain_analyze::findings::Cluster,
    answer: CanI,
    origins: &view::Origins,
) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if global.output == Output::Json || global.output == Output::Jsonl {
        let time = eksplain_analyze::time::format_rfc3339;
        let document = Document {
            schema: "eksplain.can-i/1",
            version: env!("CARGO_PKG_VERSION"),
            generated_at: made_at(),
            at: time(at),
            cluster: view::cluster(cluster),
            coverage: answer.coverage.iter().map(view::coverage).collect(),
            allowed: answer.allowed,
            by: answer.by,
            reason: answer.reason,
            considered: answer.considered,
            blind_spots: answer.blind_spots,
            evidence: view::evidence(&answer.evidence, origins),
        };
        return if global.output == Output::Json {
            render::json(&mut out, &document)
        } else {
            render::json_line(&mut out, &document)
        };
    }
    let word = match answer.allowed {
        Some(true) => "yes",
        Some(false) => "no",
        None => "unknown",
    };
    let by = answer.by.map(|by| format!(": {by}")).unwrap_or_default();
    let row = vec![word.to_owned(), format!("{}{by}", answer.reason)];
    match global.output {
        Output::Table => {
            let style = match answer.allowed {
                Some(true) => Style::Good,
                Some(false) => Style::Error,
                None => Style::Warning,
            };
            let mut page = Page::new(&mut out);
            page.line(&Text::new().styled(style, word))?;
            page.paragraph(&Margin::of(2), &Text::from(answer.reason.as_str()).plain(&by))?;
            for (label, texts) in [("considered", &answer.considered), ("not known", &answer.blind_spots)] {
                let margin = Margin::of(2).labelled(Text::new().literal(label).plain(": "));
                texts
                    .iter()
                    .try_for_each(|text| page.paragraph(&margin, &Text::from(text.as_str())))?;
            }
            let at = eksplain_analyze::time::format_rfc3339(at);
            page.line(&Text::from(format!("As of {}", view::short_time(Some(&at))).as_str()))
        }
        other => render::rows(&mut out, other, &["ALLOWED", "WHY"], &[row]),
    }
}
