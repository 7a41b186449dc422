//! The way back in: the ordered plan with commands for this cluster, each option saying whether it works here, and why not.
//!
//! Rule: EKS User Guide, "Grant IAM users access to Kubernetes with EKS access entries"; IAM User Guide on unique ids. What is not in
//! the logs (who is to be the new admin) stands as a name in capitals, never as a guess.

use eksplain_parse::arn::{Arn, sso_permission_set};
use eksplain_parse::region::partition_of;
use eksplain_queries::facts::Micros;

use crate::findings::{Creator, PrincipalState, Recovery, RecoveryOption, Works};
use crate::fixes::names::{WholeArn, cluster_itself, in_aws_auth};
use crate::fixes::{access_entry, aws_auth, client, iam, sts};
use crate::json;
use crate::knowledge::{Known, Measure};
use crate::shell::quote;
use crate::state::{Incarnation, Mode, World};

/// What the creator's own way to admin is, as `admins` found it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OwnGrant {
    /// A route is active.
    Active,
    /// It had one that ended, or was never given any.
    None,
    /// No record shows it.
    Unknown,
}

/// What a plan is made from.
pub(super) struct Case<'p> {
    pub(super) world: &'p World<'p>,
    pub(super) life: &'p Incarnation<'p>,
    pub(super) creator: &'p Creator,
    pub(super) mode: Mode,
    pub(super) rests_on_id: bool,
    pub(super) own_grant: OwnGrant,
    pub(super) at: Micros,
}

/// The whole plan.
pub(super) fn recovery(case: &Case<'_>) -> Recovery {
    let (creator, life) = (case.creator, case.life);
    if let Some(ended) = creator.deleted_at {
        let why = format!(
            "the cluster was deleted at {}",
            eksplain_parse::time::format_rfc3339(ended)
        );
        return Recovery {
            needed: false,
            why,
            options: Vec::new(),
        };
    }
    let is_gone = match creator.creator_state {
        PrincipalState::Deleted => true,
        PrincipalState::Recreated => case.rests_on_id,
        PrincipalState::Present | PrincipalState::Unknown => false,
    };
    let renamed = case.renamed();
    let has_lost = !is_gone && case.own_grant == OwnGrant::None && creator.creator.principal.is_some();
    let may_be_mapped = case.mode != Mode::Api && life.aws_auth_at(case.at, Measure::Standing).is_unknown();
    // Who was given nothing at the beginning may have been given it since the lake ended.
    let may_have_gained = creator.bootstrap_admin == Some(false) && life.lake_ended_before(case.at).is_some();
    let has_lost = has_lost && !may_have_gained;
    let needed = (is_gone || has_lost) && creator.other_admins.is_empty();
    let name = creator.creator.principal.as_deref().unwrap_or("the creator");
    let why = match (is_gone, creator.other_admins.len()) {
        (true, 0) => match (creator.creator_state, &renamed) {
            (PrincipalState::Recreated, _) => format!(
                "{name} was deleted and recreated, its access is bound to the old unique ID, and no other admin route is active"
            ),
            (_, Some(new)) => format!(
                "{name} was renamed to {new}, which its access does not follow, and no other admin route is active"
            ),
            _ => format!("{name} was deleted and no other admin route is active"),
        },
        (true, 1) => format!("{name} is gone, and 1 other admin can grant access"),
        (true, others) => format!("{name} is gone, and {others} other admins can grant access"),
        (false, 0) if has_lost => format!("{name} has no admin access, and no other admin route is active"),
        (false, _) if creator.creator_state == PrincipalState::Recreated => {
            format!("{name} was recreated under the same name, and its access is bound to the name")
        }
        (false, 0) if creator.creator.principal.is_none() => "the creator is not known from these logs".to_owned(),
        (false, _) => format!("no record shows that {name} is gone"),
    };
    // Not known is not empty: somebody may be mapped there.
    let why = if needed && may_be_mapped {
        format!("{why}; the content of aws-auth is not in these logs and may give somebody access")
    } else {
        why
    };
    let options = [
        Some(case.other_admin()),
        Some(case.access_entry()),
        case.stale_entry(),
        case.assume_creator(),
        case.recreate_creator(renamed.as_deref()),
        case.repair_aws_auth(),
        case.workloads(),
        Some(iam_locked()),
        Some(support()),
        Some(rebuild()),
        Some(what_does_not_work()),
    ];
    Recovery {
        needed,
        why,
        options: options.into_iter().flatten().collect(),
    }
}

fn option(
    title: &str,
    works: Works,
    why: impl Into<String>,
    commands: Vec<String>,
    caveats: &[&str],
) -> RecoveryOption {
    RecoveryOption {
        title: title.to_owned(),
        works,
        why: why.into(),
        commands,
        caveats: caveats.iter().map(|text| (*text).to_owned()).collect(),
    }
}

/// Principals that are workloads of the cluster, not people.
fn is_workload(principal: &str) -> bool {
    principal.starts_with("ServiceAccount:")
}

impl Case<'_> {
    fn cluster(&self) -> String {
        cluster_itself(&self.life.cluster)
    }

    fn new_admin(&self) -> WholeArn {
        let account = match self.life.cluster.account.as_str() {
            "" => "ACCOUNT",
            account => account,
        };
        let partition = partition_of(&self.life.cluster.region);
        WholeArn::known(&format!("arn:{partition}:iam::{account}:role/NEW_ADMIN"))
    }

    fn creator_name(&self) -> Option<&str> {
        self.creator.creator.principal.as_deref()
    }

    /// The creator's present name, where it was renamed.
    fn renamed(&self) -> Option<String> {
        let name = self
            .creator_name()
            .filter(|_| self.creator.creator_state == PrincipalState::Deleted)?;
        let born = self.life.born.unwrap_or(self.life.start);
        self.world.iam.renamed(name, born, self.at)
    }

    fn other_admin(&self) -> RecoveryOption {
        let (workloads, people): (Vec<&String>, Vec<&String>) = self
            .creator
            .other_admins
            .iter()
            .partition(|principal| is_workload(principal));
        let names = |list: &[&String]| list.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ");
        let (works, why) = match (people.as_slice(), workloads.as_slice()) {
            ([], []) => (
                Works::No,
                "no other principal has an active admin route in these logs".to_owned(),
            ),
            ([], workloads) => (
                Works::No,
                format!("only workloads are admins, no person: {}", names(workloads)),
            ),
            (people, _) => (Works::Yes, format!("active admins: {}", names(people))),
        };
        let cluster = &self.life.cluster;
        let by_entry = || access_entry::admin(cluster, &self.new_admin());
        let by_mapping = || aws_auth::create(cluster, &self.new_admin().arn, "admin", ["system:masters"]);
        let mut caveats = vec!["replace NEW_ADMIN with the role that will be admin"];
        let commands = match self.mode {
            Mode::Api | Mode::ApiAndConfigMap | Mode::SomeApi => by_entry(),
            Mode::ConfigMap => vec![by_mapping()],
            Mode::Unknown => {
                caveats.push("the mode is not in these logs: the first command prints it, and a mapping in aws-auth needs CONFIG_MAP or API_AND_CONFIG_MAP; in API create an access entry as below");
                vec![access_entry::show_mode(cluster), by_mapping()]
            }
        };
        option("Ask another admin", works, why, commands, &caveats)
    }

    fn access_entry(&self) -> RecoveryOption {
        let (place, cluster) = (self.cluster(), &self.life.cluster);
        let mut commands = vec![format!(
            "aws eks describe-cluster {place} --query 'cluster.{{mode:accessConfig.authenticationMode,version:version,platform:platformVersion,status:status}}'"
        )];
        let mut caveats: Vec<String> = [
            "needs the IAM permissions eks:DescribeCluster, eks:UpdateClusterConfig, eks:CreateAccessEntry and eks:AssociateAccessPolicy, and no Kubernetes permission",
            "use the role's ARN with its path, not a session's; no wildcards",
        ]
        .map(str::to_owned)
        .into();
        if !matches!(self.mode, Mode::Api | Mode::ApiAndConfigMap | Mode::SomeApi) {
            let opening = access_entry::opening(cluster, Mode::ConfigMap);
            if self.mode == Mode::Unknown {
                caveats.push(
                    "leave out update-cluster-config and wait where the first command prints API or API_AND_CONFIG_MAP"
                        .to_owned(),
                );
            }
            commands.extend(opening);
            caveats.push("the mode change cannot be undone; change to API_AND_CONFIG_MAP, not to API, or everybody mapped in aws-auth loses access".to_owned());
            caveats.extend(self.platform_caveat());
        }
        commands.extend(access_entry::admin(cluster, &self.new_admin()));
        commands.push(client::update_kubeconfig_by_role(cluster, &self.new_admin()));
        commands.push("kubectl auth can-i '*' '*' -A".to_owned());
        let (works, why) = match self.mode {
            Mode::Api | Mode::ApiAndConfigMap | Mode::SomeApi => (
                Works::Yes,
                "the cluster reads access entries: anybody with the IAM permissions can create one from outside",
            ),
            Mode::ConfigMap => (
                Works::Yes,
                "the mode is CONFIG_MAP: it must be changed first, which needs IAM permissions only",
            ),
            Mode::Unknown => (
                Works::Depends,
                "the mode is not in these logs: the first command shows it",
            ),
        };
        let caveats: Vec<&str> = caveats.iter().map(String::as_str).collect();
        option(
            "Create an access entry from outside the cluster",
            works,
            why,
            commands,
            &caveats,
        )
    }

    /// Which versions know access entries, as far as this cluster's is not known to.
    fn platform_caveat(&self) -> Option<String> {
        /// Kubernetes minor version and the first platform version of it.
        const FIRST: [(u32, u32); 8] = [
            (23, 17),
            (24, 15),
            (25, 12),
            (26, 11),
            (27, 10),
            (28, 6),
            (29, 1),
            (30, 2),
        ];
        let (version, platform) = self.version();
        let Some(minor) = version
            .as_deref()
            .and_then(|text| text.strip_prefix("1.")?.parse::<u32>().ok())
        else {
            let list: Vec<String> = FIRST
                .iter()
                .map(|(minor, platform)| format!("1.{minor} eks.{platform}"))
                .collect();
            return Some(format!(
                "clusters below platform version {} have no access entries",
                list.join(", ")
            ));
        };
        let (_, first) = FIRST.iter().find(|(known, _)| *known == minor)?;
        let is_known = platform
            .as_deref()
            .and_then(|text| text.strip_prefix("eks.")?.parse::<u32>().ok())
            .is_some_and(|platform| platform >= *first);
        (!is_known).then(|| format!("Kubernetes 1.{minor} has access entries from platform version eks.{first} on"))
    }

    /// Kubernetes and platform version, as seen last.
    fn version(&self) -> (Option<String>, Option<String>) {
        let bodies = self
            .life
            .snapshots
            .iter()
            .rev()
            .filter(|snapshot| snapshot.kind == "cluster");
        let mut bodies = bodies.map(|snapshot| json::parse(Some(&snapshot.body)));
        let of = |body: &serde_json::Value, key: &str| json::text(body, &[key]).map(str::to_owned);
        if let Some(body) = bodies.find(|body| body["version"].is_string()) {
            return (of(&body, "version"), of(&body, "platformVersion"));
        }
        let response = json::parse(self.life.created.and_then(|call| call.response_elements.as_deref()));
        let request = json::parse(self.life.created.and_then(|call| call.request_parameters.as_deref()));
        let version = of(&response["cluster"], "version").or_else(|| of(&request, "version"));
        (version, of(&response["cluster"], "platformVersion"))
    }

    fn stale_entry(&self) -> Option<RecoveryOption> {
        let name = self.creator_name()?;
        if self.creator.creator_state != PrincipalState::Recreated || !self.rests_on_id {
            return None;
        }
        let mut entries = self.life.entries.iter().rev();
        let entry = entries.find(|entry| entry.canonical.eq_ignore_ascii_case(name));
        let cluster = &self.life.cluster;
        let commands = match entry {
            Some(entry) => {
                let now = self.world.paths.whole(name);
                let arn = WholeArn::known(now.as_deref().unwrap_or(&entry.principal_arn));
                access_entry::renew(cluster, entry, self.at, &arn).commands
            }
            None => {
                let arn = WholeArn::of(self.world, name);
                let mut commands = vec![access_entry::delete(cluster, &arn)];
                commands.extend(access_entry::admin(cluster, &arn));
                arn.before(commands)
            }
        };
        let why = "the entry is bound to the deleted principal's unique ID; once recreated, it admits the current one";
        Some(option(
            "Renew the stale access entry",
            Works::Yes,
            why,
            commands,
            &["deleting the entry deletes its policies and groups: the commands restore what these logs show"],
        ))
    }

    fn assume_creator(&self) -> Option<RecoveryOption> {
        let name = self.creator_name()?;
        let arn = Arn::parse(name).ok()?;
        if !arn.resource.starts_with("role/") {
            return None;
        }
        let set = sso_permission_set(arn.name());
        let (works, why) = match self.creator.creator_state {
            PrincipalState::Deleted => (Works::No, "the role was deleted".to_owned()),
            PrincipalState::Recreated if self.rests_on_id => (
                Works::No,
                "the role was recreated and its access entry does not admit it".to_owned(),
            ),
            _ if self.own_grant == OwnGrant::None => (
                Works::No,
                "the role is not admin of the cluster: its grant ended, or it never had one".to_owned(),
            ),
            _ if set.is_some() => (
                Works::Depends,
                format!(
                    "a role of IAM Identity Center: assign its permission set {}, its trust policy cannot be edited",
                    set.unwrap_or_default()
                ),
            ),
            PrincipalState::Unknown => (
                Works::Depends,
                "whether the role exists is not in these logs".to_owned(),
            ),
            _ if self.own_grant == OwnGrant::Unknown => (
                Works::Depends,
                format!("{name} exists; whether it is admin is not in these logs"),
            ),
            _ => (
                Works::Yes,
                format!("{name} exists: whoever may edit its trust policy can use it"),
            ),
        };
        let whole = WholeArn::of(self.world, name);
        let use_it = client::update_kubeconfig_by_role(&self.life.cluster, &whole);
        if set.is_some() {
            let account = quote(arn.account);
            let commands = vec![
                "aws sso-admin list-instances".to_owned(),
                "aws sso-admin list-permission-sets --instance-arn INSTANCE_ARN".to_owned(),
                format!(
                    "aws sso-admin create-account-assignment --instance-arn INSTANCE_ARN --permission-set-arn PERMISSION_SET_ARN --target-type AWS_ACCOUNT --target-id {account} --principal-type USER --principal-id IDENTITY_STORE_USER_ID"
                ),
                "aws sso login --profile PROFILE_OF_THE_PERMISSION_SET".to_owned(),
                format!(
                    "{} --profile PROFILE_OF_THE_PERMISSION_SET",
                    client::update_kubeconfig(Some(&self.life.cluster))
                ),
            ];
            return Some(option(
                "Assume the creator's role",
                works,
                why,
                commands,
                &["the sso-admin commands run in the account that administers IAM Identity Center"],
            ));
        }
        let statement = sts::statement(&self.new_admin().arn, "sts:AssumeRole");
        let mut commands = sts::trust_commands(arn.name(), &statement);
        commands.push(use_it);
        Some(option(
            "Assume the creator's role",
            works,
            why,
            whole.before(commands),
            &[
                "replace NEW_ADMIN with the role or user that will assume it; in another account it also needs sts:AssumeRole on the role",
                "update-assume-role-policy replaces the whole document: trust.json keeps the old statements",
            ],
        ))
    }

    fn recreate_creator(&self, renamed: Option<&str>) -> Option<RecoveryOption> {
        let name = self.creator_name()?;
        let arn = Arn::parse(name).ok()?;
        if self.creator.creator_state != PrincipalState::Deleted {
            return None;
        }
        if let Some(new) = renamed {
            let commands = vec![
                iam::rename_command(new, name),
                client::update_kubeconfig(Some(&self.life.cluster)),
            ];
            return Some(option(
                "Rename the creator back",
                Works::Yes,
                format!("it exists as {new}, with the same unique ID and keys: only its name has changed"),
                commands,
                &[
                    "policies that name the user by its present ARN stop matching; it does not work where somebody else has taken the old name",
                ],
            ));
        }
        let principal = quote(arn.name());
        let whole = self.world.paths.whole(name);
        let path = whole
            .as_deref()
            .and_then(|whole| Arn::parse(whole).ok()?.path().map(str::to_owned));
        let path = path
            .filter(|path| path != "/")
            .map(|path| format!(" --path {}", quote(&path)))
            .unwrap_or_default();
        let kubeconfig = client::update_kubeconfig(Some(&self.life.cluster));
        let commands = match arn.resource.starts_with("user/") {
            true => vec![
                format!("aws iam create-user --user-name {principal}{path}"),
                format!("aws iam create-access-key --user-name {principal}"),
                "aws configure --profile CREATOR".to_owned(),
                format!("{kubeconfig} --profile CREATOR"),
            ],
            false => {
                let trust = serde_json::json!({"Version": "2012-10-17", "Statement": [sts::statement(&self.new_admin().arn, "sts:AssumeRole")]});
                let whole = WholeArn::known(whole.as_deref().unwrap_or(name));
                vec![
                    format!(
                        "aws iam create-role --role-name {principal}{path} --assume-role-policy-document {}",
                        quote(&trust.to_string())
                    ),
                    client::update_kubeconfig_by_role(&self.life.cluster, &whole),
                ]
            }
        };
        let (works, why) = if sso_permission_set(arn.name()).is_some() {
            (Works::No, "a role of IAM Identity Center cannot be made by hand")
        } else if self.rests_on_id {
            (
                Works::No,
                "its access is an access entry, bound to the deleted principal's unique ID",
            )
        } else if self.creator.bootstrap_admin == Some(false) {
            (
                Works::No,
                "the cluster was created without admin rights for its creator",
            )
        } else {
            match self.mode {
                Mode::ConfigMap => (
                    Works::Yes,
                    "in CONFIG_MAP mode the hidden mapping compares the ARN, and a principal with the same name has the same ARN",
                ),
                Mode::ApiAndConfigMap => (
                    Works::Depends,
                    "if EKS created an access entry for the creator, that entry is bound to the old unique ID",
                ),
                Mode::Api | Mode::SomeApi => (
                    Works::No,
                    "access depends on an access entry, bound to the deleted principal's unique ID",
                ),
                Mode::Unknown => (
                    Works::Depends,
                    "it works in CONFIG_MAP mode only, and the mode is not in these logs",
                ),
            }
        };
        let caveats = [
            "same account, same partition, same name of the IAM principal (not of the cluster); a user also needs its old path",
            "it needs eks:DescribeCluster for update-kubeconfig, and no other IAM permission; replace NEW_ADMIN with the role or user that will assume the role",
        ];
        Some(option(
            "Recreate the creator under the same name",
            works,
            why,
            commands,
            &caveats,
        ))
    }

    fn repair_aws_auth(&self) -> Option<RecoveryOption> {
        let is_broken = match self.life.aws_auth_at(self.at, Measure::Standing) {
            Known::Is(current) => aws_auth::is_broken(current),
            Known::Absent => self.mode != Mode::Api && self.life.aws_auth_contents().next().is_some(),
            Known::Unknown(_) => false,
        };
        if !is_broken || self.mode == Mode::Api {
            return None;
        }
        let mut contents = self.life.aws_auth_contents().map(|(_, content)| content);
        let good = contents.rfind(|content| !aws_auth::is_broken(content) && !content.auth.mappings.is_empty());
        let commands = match good {
            Some(content) => vec![
                format!("{} --ignore-not-found > aws-auth-backup.yaml", aws_auth::show()),
                format!("kubectl apply -f - <<'EOF'\n{}\nEOF", aws_auth::manifest(content)),
            ],
            None => vec![
                aws_auth::show(),
                "kubectl -n kube-system edit configmap aws-auth".to_owned(),
            ],
        };
        let can = matches!(
            self.creator.creator_state,
            PrincipalState::Present | PrincipalState::Unknown
        ) || !self.creator.other_admins.is_empty();
        let why = "a section of aws-auth does not parse or the ConfigMap is gone, so everybody it mapped, including nodes, is locked out";
        Some(option(
            "Repair aws-auth",
            if can { Works::Depends } else { Works::No },
            why,
            commands,
            &[
                "needs an admin that aws-auth does not map: the creator, or an access entry",
                "node mappings first",
            ],
        ))
    }

    /// A workload that is admin can apply the change through its usual pipeline.
    fn workloads(&self) -> Option<RecoveryOption> {
        let workloads: Vec<&str> = self
            .creator
            .other_admins
            .iter()
            .map(String::as_str)
            .filter(|principal| is_workload(principal))
            .collect();
        if workloads.is_empty() {
            return None;
        }
        let cluster = &self.life.cluster;
        let mut commands = Vec::new();
        if self.mode != Mode::Api {
            commands.push(aws_auth::create(
                cluster,
                &in_aws_auth(self.world, &self.new_admin().arn),
                "admin",
                ["system:masters"],
            ));
        }
        Some(option(
            "Let a workload that is admin make the change",
            Works::Depends,
            format!(
                "service accounts with admin rights: {}; whoever controls what they deploy (Argo CD, Flux, a CI agent) can let them change access",
                workloads.join(", ")
            ),
            commands,
            &[
                "make the change through the workload's usual pipeline, as a change of aws-auth or a ClusterRoleBinding; the command shows the mapping to add",
            ],
        ))
    }
}

/// IAM refuses what the other options need.
fn iam_locked() -> RecoveryOption {
    option(
        "If IAM itself refuses these commands",
        Works::Depends,
        "a service control policy or a permissions boundary may deny eks: actions to everybody in the account",
        Vec::new(),
        &[
            "service control policies: the organization's administrator, from the management account",
            "permissions boundaries: whoever owns the boundary's policy",
            "IAM policies cannot deny the account's root user, but a service control policy can",
        ],
    )
}

fn support() -> RecoveryOption {
    option(
        "Ask AWS Support",
        Works::Depends,
        "where no option above works, such as a cluster whose platform version is too old for access entries",
        Vec::new(),
        &["open the case from the cluster's account"],
    )
}

fn rebuild() -> RecoveryOption {
    option(
        "Rebuild the cluster from its manifests or a backup",
        Works::Depends,
        "the last resort: it needs the manifests, or a backup such as Velero's, and the data in its volumes",
        Vec::new(),
        &["create it with two admins, at least one of them a role; delete the old cluster only after the migration"],
    )
}

/// What people try. It is in the reason, because options that do not work are shown with their reason alone.
fn what_does_not_work() -> RecoveryOption {
    const TRIED: [&str; 7] = [
        "changing the creator of a cluster: no API can",
        "editing the cluster-admin binding from outside: it needs a login",
        "adding system:masters to an access entry: EKS refuses groups that start with system:",
        "giving AdministratorAccess in IAM and expecting kubectl to work: IAM permissions give no access to Kubernetes by themselves, only the access entry above does",
        "recreating the cluster's own IAM role",
        "setting the mode back: it only changes one way",
        "eksctl create iamidentitymapping without a Kubernetes login that may edit aws-auth",
    ];
    option("What does not work", Works::No, TRIED.join("; "), Vec::new(), &[])
}
